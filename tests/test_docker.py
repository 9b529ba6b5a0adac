"""Containers give the same verdicts and the same report as processes, by both ways to the sink."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker_images
import pytest
from docker_images import IMAGES, PLAIN, ImagePair
from shop import Result, edit, run

# What no two runs have in common: moments, ages, numbers to the last digit, and the ports in links to the servers.
_VARIES = (
    (re.compile(r"http://[\w.-]+:\d+"), "http://HOST"),
    (re.compile(r"\d+d \d+h \d+m \d+s|\d+m \d+s"), "AGE"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\d+\.\d+"), "NUMBER"),
)
_MOMENTS = {"time", "seconds", "after", "fired_after", "value"}

# What the example gets beside its own, so that all of routing is judged, with a verdict of each kind.
_KEY = "      - routing_key: 00000000000000000000000000c4ec07"
_TITLE = "title_link: '{{ (index .Alerts 0).Annotations.runbook_url }}'"
_GONE = "pretext: '{{ if eq .Status \"resolved\" }}{{ .CommonLabels.nothing }}<no value>{{ end }}'"
_ALERTMANAGER = (
    (_KEY, "      - send_resolved: false\n" + _KEY.replace("-", " ", 1)),
    (_TITLE, f"{_TITLE}\n        {_GONE}"),
    ("      repeat_interval: 1d\n", "      repeat_interval: 1d\n      mute_time_intervals: [weekend]\n"),
    ("inhibit_rules:", "    - {matchers: [team=nobody], receiver: orphan}\n\ninhibit_rules:"),
    ("receivers:", "receivers:\n  - name: orphan\n"),
)
_WEEKEND = """
time_intervals:
  - name: weekend
    time_intervals: [{weekdays: [saturday, sunday]}]
  - {name: never, time_intervals: []}
"""
_ONCALL = """oncall:
  - match: {severity: ticket, team: checkout}
    at: 2026-12-26T12:00:00Z
    never: [slack-tickets]
    reaches: [audit-log, slack-low-priority]
"""
_MORE = """
  - name: silenced and alone
    alerts:
      - {alert: CheckoutErrorBudgetBurnFast, labels: {slo: other}}
      - CheckoutErrorBudgetBurnSlow
      - {labels: {alertname: Elsewhere, severity: page}}
    silences: ['alertname="Elsewhere"']
    notifications:
      - {receiver: pagerduty-checkout, alerts: [CheckoutErrorBudgetBurnFast]}
    inhibited: [CheckoutErrorBudgetBurnSlow]
    silenced: [Elsewhere]
routing:
  - labels: {severity: page, team: payments}
    receivers: [pagerduty-payments, audit-log]
  - name: a ticket on Saturday
    labels: {severity: ticket}
    at: 2026-12-26T12:00:00Z
    receivers: [audit-log]
  - name: a ticket on Friday
    labels: {severity: ticket}
    at: 2026-12-25T12:00:00Z
    receivers: [audit-log]
  - name: a typo
    labels: {severity: pgae, team: payments}
    receivers: [pagerduty-payments, audit-log]
"""
FAILED = {
    *(f"rules/checkout.yml::Checkout{name}BudgetBurnSlow::pages" for name in ("Error", "Latency")),
    *(f"rules/payments.yml::Payments{name}::pages" for name in ("ErrorBudgetBurnSlow", "SettlementStale")),
    *(f"sre.yaml::routing::{name}" for name in ("a ticket on Friday", "a typo")),
    "sre.yaml::incidents::silenced and alone",
}
_WARNING = re.compile(r"/(\w+\.yml:\d+: PytestSreWarning: .*)")


@pytest.fixture(autouse=True)
def _engine() -> None:
    docker_images.require()


def plain(value: Any) -> Any:
    """A report without what no two runs have in common."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if key not in _MOMENTS}
    if isinstance(value, list):
        return sorted((plain(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, float):
        return "MOMENT" if value > 1e9 else round(value, 3)
    if isinstance(value, str):
        for pattern, text in _VARIES:
            value = pattern.sub(text, value)
    return value


def said(result: Result, node: str) -> str:
    """Why an item failed, without what no two runs have in common."""
    text, _, _ = result.message(node).partition("\n====")
    assert text.strip("_ \n"), result.output
    return str(plain(text))


def routed(repo: Path) -> Path:
    """The example with more routing: routing tests, an incident, times, what is unused and what is resolved."""
    for old, new in _ALERTMANAGER:
        edit(repo / "alertmanager.yml", old, new)
    for name, text in (("alertmanager.yml", _WEEKEND), ("sre.yaml", _MORE)):
        path = repo / name
        path.write_text(path.read_text() + text)
    edit(repo / "sre.yaml", "oncall:\n", _ONCALL)
    return repo


@pytest.mark.parametrize("images", IMAGES, ids=lambda images: images.suite)
def test_verdicts_and_report_are_those_of_processes(
    repo: Path, tmp_path_factory: pytest.TempPathFactory, images: ImagePair
) -> None:
    routed(repo)
    copies = tmp_path_factory.mktemp(images.suite)
    pair = images.pair
    options: dict[str, Any] = {"process": pair, "gateway": images}
    if images is PLAIN:  # the relay passes on what it does not understand: one version shows it
        options["relay"] = images
    with ThreadPoolExecutor(len(options)) as pool:  # most of a run is waiting
        runs = {
            name: pool.submit(
                run,
                shutil.copytree(repo.parent.parent, copies / name) / "examples/shop",
                backend,
                *([] if backend is pair else [f"--sre-docker-sink={name}"]),
            )
            for name, backend in options.items()
        }
    expected = runs.pop("process").result()
    assert expected.failed() == FAILED, expected.output
    told = "\n".join(_WARNING.findall(expected.output))
    for text in ("so the incident stays open", "no alert ends at this route to orphan", "interval never"):
        assert text in told, expected.output
    for one in runs.values():
        result = one.result()
        assert result.outcomes == expected.outcomes, result.output
        assert (result.status, expected.status) == (1, 1)
        for node in FAILED:
            assert said(result, node) == said(expected, node)
        assert plain(_WARNING.findall(result.output)) == plain(told.splitlines())
        assert plain(result.seen) == plain(expected.seen)


def test_a_version_is_known_and_paths_mean_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder with spaces"
    folder.mkdir()
    (folder / "sub").mkdir()
    (folder / "sub/rules.yml").write_text("groups: [{name: a, rules: [{alert: A, expr: up == 0}]}]\n")
    with docker_images.stack(PLAIN.servers(), tmp_path) as stack:
        done = stack.promtool(["check", "rules", str(folder / "sub/rules.yml")], [folder])
        assert done.returncode == 0, done.stderr
        assert f"Checking {folder / 'sub/rules.yml'}" in done.stdout
        done = stack.promtool(["check", "rules", str(folder / "none.yml")], [])
        assert done.returncode == 1
        assert "does not exist" in done.stderr
        done = stack.promtool(["--version"], [])
        assert "2.42" in done.stdout + done.stderr
        assert stack.versions == {}


def test_data_survives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "prometheus-0"
    folder.mkdir()
    (folder / "prometheus.yml").write_text("global: {}\n")
    (folder / "history.om").write_text("old_metric 1 1700000000\n# EOF\n")

    def arguments(address: str) -> list[str]:
        return [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--storage.tsdb.retention.time=100y",
        ]

    with docker_images.stack(PLAIN.servers(), tmp_path) as stack:
        blocks = ["tsdb", "create-blocks-from", "openmetrics", "-q"]
        source, data = folder / "history.om", folder / "data"
        done = stack.promtool([*blocks, str(source), str(data)], [source], data)
        assert done.returncode == 0, done.stderr
        assert list(data.glob("*/meta.json"))
        first = stack.start("prometheus", "prometheus-0", arguments, folder)
        second = stack.restart(first)
        assert second.url != first.url
        with stack.session() as client:
            found = client.get(f"{second.url}/api/v1/query?query=old_metric&time=1700000000").json()
        assert found["data"]["result"][0]["value"][1] == "1"
        assert stack.versions == {"prometheus": "2.42.0"}
        assert "Server is ready" in second.log()


def test_a_kept_stack_stays_and_says_how_to_end_it(repo: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    try:
        result = run(
            repo, PLAIN, "-k", "MemoryLow and fires", "--sre-keep", env=docker_images.environment(temporary)
        )
        assert result.status == 0, result.output
        ids = re.findall(r"container ([0-9a-f]{12})", result.output)
        assert ids
        assert "end with: docker rm -f -v " in result.output
        with docker_images.engine() as api:
            assert all(api.inspect_container(one)["State"]["Running"] for one in ids)
    finally:
        docker_images.remove(temporary)
    assert docker_images.left(temporary) == []
