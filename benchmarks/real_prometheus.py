"""Ask a real Prometheus whether planned series fire their alerts."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from pytest_sre.live import recorded
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Batch, Scenario, Series
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Servers
from pytest_sre.stack import process
from pytest_sre.timemachine.engine import open_engine

PORT = 39190


def disagreements(batch: Batch, rules: RuleIndex, binaries: Path) -> list[tuple[Rule, str]]:
    """The alerts of a batch that do not fire, or with other labels than expected, and what came back instead."""
    now = float(int(time.time()))
    alerts = [scenario.alert for scenario in batch.scenarios]
    needed = list(dict.fromkeys(found for alert in alerts for found in rules.closure(alert)))
    hops = max((rules.depth(alert) for alert in alerts), default=0)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as engine:
        past = _recorded(batch, rules, now, binaries, Path(engine))
        whole = Batch(batch.scenarios, (*batch.series, *past))
        return _judged(whole, rules, needed, hops, now, Path(folder), binaries)


def _recorded(batch: Batch, rules: RuleIndex, now: float, binaries: Path, folder: Path) -> tuple[Series, ...]:
    """The past of recorded series, as the live stack makes it."""
    names = {"binary": f"{binaries}/prometheus", "promtool": f"{binaries}/promtool"}
    unused = {"binary": f"{binaries}/prometheus-alertmanager"}
    servers = Servers.model_validate({"prometheus": names, "alertmanager": unused})
    with process.open_stack(servers, folder, keep=False) as stack:
        return recorded.history(
            batch, rules, now, lambda: open_engine(stack, servers.prometheus, folder / "engine", "engine")
        ).series


def _judged(
    batch: Batch, rules: RuleIndex, needed: list[Rule], hops: int, now: float, folder: Path, binaries: Path
) -> list[tuple[Rule, str]]:
    with _server(folder, batch, needed, now, binaries) as url:
        time.sleep(2.5 + 1.2 * hops if needed else 0)
        session = requests.Session()
        session.trust_env = False
        return [
            (scenario.alert, problem)
            for scenario in batch.scenarios
            if (
                problem := _ask(
                    session, url, scenario, {} if rules.closure(scenario.alert) else {"time": f"{now:.3f}"}
                )
            )
        ]


def _ask(session: requests.Session, url: str, scenario: Scenario, when: dict[str, str]) -> str:
    alert, expected = scenario.alert, scenario.expected
    answer = session.post(f"{url}/api/v1/query", data={"query": alert.expr, **when}).json()
    if answer["status"] != "success":
        return str(answer["error"])
    found = answer["data"]["result"]
    if not found:
        return "no result"
    if answer["data"]["resultType"] == "scalar" or not expected:
        return ""
    seen = set()
    for row in found:
        labels = {**row["metric"], **alert.labels, "alertname": alert.name}
        labels.pop("__name__", None)
        seen.add(tuple(sorted((key, value) for key, value in labels.items() if value)))
    return (
        ""
        if seen >= set(expected)
        else f"labels differ: {sorted(seen)[:3]} instead of {sorted(expected)[:3]}"
    )


@contextmanager
def _server(folder: Path, batch: Batch, needed: list[Rule], now: float, binaries: Path) -> Iterator[str]:
    with (folder / "in.om").open("w") as out:
        for series in batch.series:
            labels = dict(series.labels)
            name = labels.pop("__name__")
            text = ",".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in labels.items())
            for moment, value in series.samples:
                if (
                    moment <= 0
                ):  # a block that reaches into the future would keep recording rules from writing
                    out.write(f"{name}{{{text}}} {value!r} {now + moment:.3f}\n")
        out.write("# EOF\n")
    if batch.series:
        command = [binaries / "promtool", "tsdb", "create-blocks-from", "openmetrics"]
        options = ["--max-block-duration=10000h", "-q", folder / "in.om", folder / "data"]
        subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    groups: dict[tuple[str, str], list[Rule]] = {}
    for rule in needed:
        groups.setdefault((rule.location.path, rule.group), []).append(rule)
    document = [
        {
            "name": f"{path}:{name}",
            "interval": "1s",
            "rules": [
                {"record": r.name, "expr": r.expr, "labels": dict(r.labels)}
                for r in sorted(found, key=lambda r: r.index)
            ],
        }
        for (path, name), found in groups.items()
    ]
    (folder / "rules.yml").write_text(json.dumps({"groups": document}))
    (folder / "prometheus.yml").write_text(json.dumps({"rule_files": ["rules.yml"]}))
    command = [
        str(binaries / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{PORT}",
    ]  # fmt: skip
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log, stdout=log) as server:
        try:
            yield _ready(server, folder / "log")
        finally:
            server.terminate()
            server.wait()


def _ready(server: subprocess.Popen[bytes], log: Path) -> str:
    session = requests.Session()
    session.trust_env = False
    url = f"http://127.0.0.1:{PORT}"
    for _ in range(300):
        try:
            if session.get(f"{url}/-/ready", timeout=2).ok:
                return url
        except requests.ConnectionError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"Prometheus did not start:\n{log.read_text()[-3000:]}")
