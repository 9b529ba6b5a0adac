"""The real Prometheus: its safe copy of the configuration, its history, its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from pytest_sre.errors import StackError
from pytest_sre.model.observation import Change
from pytest_sre.model.scenario import Labels, Series
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources import notation, yamlfile
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack.backend import Server, Stack, answering

_UNWRITTEN = frozenset({"out of order sample", "duplicate sample for timestamp"})
HISTOGRAMS = "native-histograms"
"""The feature flag with which Prometheus before 3.9 takes native histograms."""
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class RuleState:
    """One alerting rule as `/api/v1/rules` shows it; times in seconds since the epoch as text.

    ``error`` is that of its last evaluation.
    """

    state: str
    error: str
    query: str
    alerts: tuple[Mapping[str, Any], ...]
    evaluated: str


def write_config(
    config: PrometheusConfig, sink_address: str, name: str, folder: Path
) -> tuple[Path, tuple[Change, ...]]:
    """Write the safe copy: an allow-list, with the sink as the only Alertmanager. Returns its path and the changes."""
    relabelings = config.alertmanager_relabel_configs or ((),)
    document: dict[str, Any] = {
        "global": dict(config.globals),
        "rule_files": [str(folder / "rules" / "*.yml")],
        "alerting": {
            "alertmanagers": [
                {
                    "path_prefix": f"/{name}-{i}",
                    "static_configs": [{"targets": [sink_address]}],
                    **({"alert_relabel_configs": list(relabeling)} if relabeling else {}),
                }
                for i, relabeling in enumerate(relabelings)
            ]
        },
    }
    if config.alert_relabel_configs:
        document["alerting"]["alert_relabel_configs"] = list(config.alert_relabel_configs)
    path = folder / "prometheus.yml"
    text, lines = yamlfile.dump(document)
    path.write_text(text, "utf-8")
    path.with_suffix(".lines").write_text(" ".join(map(str, lines)))
    changes = [Change(config.path, key, "left out") for key in config.dropped]
    return path, (*changes, Change(config.path, "alerting.alertmanagers", "the sink"))


def check_config(stack: Stack, config: PrometheusConfig, path: Path) -> None:
    """Let promtool judge the copy; raises StackError with the user's own file and line."""
    done = stack.promtool(["check", "config", "--syntax-only", str(path)], [path])
    if done.returncode:
        text = (done.stdout + done.stderr).replace(str(path), config.path or "prometheus.yml")
        lines = [0, *map(int, path.with_suffix(".lines").read_text().split())]
        told = "\n".join(
            line.strip() for line in text.splitlines() if "Checking" not in line and line.strip()
        )
        for number in sorted(
            {int(word.rstrip(":")) for word in told.split() if word.rstrip(":").isdigit()}, reverse=True
        ):
            if f"line {number}:" in told and number < len(lines):
                told = told.replace(f"line {number}:", f"line {lines[number]}:")
        raise StackError(f"{config.path}: Prometheus does not load this configuration:\n{told}")


def write_history(
    stack: Stack, series: Iterable[Series], states: Mapping[Labels, float], at: float, folder: Path
) -> None:
    """Write all samples up to ``at`` (seconds since the epoch) as blocks into ``folder``/data.

    ``states`` maps label sets of pending alerts to the time their ``for`` began (seconds since the epoch).
    """
    source = folder / "history.om"
    data = folder / "data"
    with source.open("w", encoding="utf-8") as out:
        for one in series:
            head = _head(one.labels)
            out.writelines(f"{head} {value!r} {at + when:.3f}\n" for when, value in one.samples if when <= 0)
        for labels, since in states.items():
            out.write(f"{_head(_state_labels(labels))} {since!r} {at:.3f}\n")
        out.write("# EOF\n")
    span = "--max-block-duration=40000h"
    command = ["tsdb", "create-blocks-from", "openmetrics", span, "-q", str(source), str(data)]
    done = stack.promtool(command, [source], data)
    source.unlink()
    if done.returncode:
        raise StackError(
            f"promtool could not write the history:\n{(done.stdout + done.stderr).strip()[-2000:]}"
        )


def _head(labels: Labels) -> str:
    """A series in OpenMetrics' text; names that need it are in quotes, which Prometheus 3 reads."""
    name = dict(labels)["__name__"]
    plain = notation.METRIC.fullmatch(name)
    pairs = [] if plain else [_quoted(name)]
    for key, value in labels:
        if key != "__name__":
            pairs.append(f"{key if notation.LABEL.fullmatch(key) else _quoted(key)}={_quoted(value)}")
    return (name if plain else "") + (f"{{{','.join(pairs)}}}" if pairs else "")


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _state_labels(labels: Labels) -> Labels:
    return tuple(sorted({**dict(labels), "__name__": "ALERTS_FOR_STATE"}.items()))


def state_series(labels: Labels, since: float, at: float) -> tuple[Labels, list[tuple[float, float]]]:
    """The series from which Prometheus restores a pending alert, for remote write."""
    return _state_labels(labels), [(at, since)]


def with_histograms(settings: PrometheusServer) -> PrometheusServer:
    """The settings for a server that takes native histograms; from Prometheus 3.9 on each does."""
    flags = tuple(dict.fromkeys((*settings.feature_flags, HISTOGRAMS)))
    return settings.model_copy(update={"feature_flags": flags})


def takes_any_order(versions: Mapping[str, str]) -> bool:
    """Whether native histograms of one series may come in any order: from Prometheus 3.0 on; False if not known."""
    major = versions.get("prometheus", "").partition(".")[0]
    return major.isdigit() and int(major) >= 3


def start(
    stack: Stack, settings: PrometheusServer, folder: Path, name: str, *, any_time: bool = False
) -> Server:
    """Start Prometheus on the folder's configuration, rules and data; raises StackError.

    With ``any_time`` it takes samples, native histograms too, of any time since 1970, in order for each series.
    """

    def arguments(address: str) -> list[str]:
        argv = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--web.enable-remote-write-receiver",
            "--web.route-prefix=/",
            "--storage.tsdb.retention.time=100y",
            "--rules.alert.for-grace-period=0s",
            "--rules.alert.resend-delay=1s",
            f"--query.lookback-delta={settings.lookback_delta}",
        ]
        if settings.external_url:
            argv.append(f"--web.external-url={settings.external_url}")
        if (
            any_time
        ):  # samples are too old when newer ones are half a block ahead; out of order only from 3.0 on
            argv.append("--storage.tsdb.min-block-duration=73000d")
        if settings.feature_flags:
            argv.append(f"--enable-feature={','.join(settings.feature_flags)}")
        return argv

    return stack.start("prometheus", name, arguments, folder)


def rule_states(client: requests.Session, server: Server) -> dict[tuple[str, str, int], RuleState]:
    """All alerting rules, by (file name, group, place among the group's alerts); raises StackError."""
    # Not compressed: that costs both sides more than the bytes.
    plain = {"Accept-Encoding": "identity"}
    with answering(server):
        answer = client.get(server.url + "/api/v1/rules?type=alert", timeout=60, headers=plain)
        answer.raise_for_status()
        groups = answer.json()["data"]["groups"]
    return {
        (Path(group["file"]).name, group["name"], i): RuleState(
            rule["state"],
            _evaluation_error(rule.get("lastError", "")),
            rule["query"],
            tuple(rule.get("alerts") or ()),
            rule.get("lastEvaluation", ""),
        )
        for group in groups
        for i, rule in enumerate(group["rules"])
    }


def _evaluation_error(text: str) -> str:
    """A rule's last error, unless it came after the evaluation.

    Once the alerts are sent Prometheus writes them down as ``ALERTS``. Where two rules have alerts of the same labels, what
    the slower one writes is older than what is there, and refused; that is the rule's last error then, and it fires all
    the same (`Group.Eval` of https://github.com/prometheus/prometheus/blob/main/rules/group.go).
    """
    return "" if text in _UNWRITTEN else text
