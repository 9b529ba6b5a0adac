"""The same alert twice: what Prometheus cannot write down of the second is no error of its evaluation, and it is told."""

from __future__ import annotations

import time
from pathlib import Path

import requests

from pytest_sre.checks import loads
from pytest_sre.model.scenario import Labels
from pytest_sre.settings import PrometheusServer, Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import prometheus, remote_write
from pytest_sre.stack.process import ProcessStack

SAFETY_TIMEOUT = 60.0
RULES = """\
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Twin, expr: vector(1), labels: {team: a}}
      - {alert: Wrong, expr: "vector(1) * on () {__name__=~'left|right'}"}
"""
WRITTEN: Labels = (("__name__", "ALERTS"), ("alertname", "Twin"), ("alertstate", "firing"), ("team", "a"))


def test_what_is_not_written_is_no_error_of_the_evaluation(stack: ProcessStack, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(RULES)
    prometheus.write_config(PrometheusConfig(), stack.sink.address, "p", tmp_path)
    server = prometheus.start(stack, PrometheusServer(), tmp_path, "p")
    now = time.time()
    series = [
        (WRITTEN, [(now + 300, 1.0)]),
        *(((("__name__", name),), [(now, 1.0)]) for name in ("left", "right")),
    ]
    with stack.session() as client:
        remote_write.write(client, server.url, series)
        raw, states = "", []
        deadline = time.monotonic() + SAFETY_TIMEOUT
        while not (raw and states[1].error) and time.monotonic() < deadline:
            time.sleep(0.2)
            raw = _last_error(client, server.url)
            states = list(prometheus.rule_states(client, server).values())
    assert raw == "out of order sample"
    assert [one.state for one in states][:1] == ["firing"]
    assert states[0].error == ""
    assert "many-to-many" in states[1].error or "duplicate series" in states[1].error


def _last_error(client: requests.Session, url: str) -> str:
    """What Prometheus itself shows of the first rule."""
    groups = client.get(f"{url}/api/v1/rules?type=alert", timeout=60).json()["data"]["groups"]
    return str(groups[0]["rules"][0].get("lastError", ""))


def warned(root: Path, path: str) -> list[tuple[str, str, str]]:
    """Severity, summary and what was seen, of the alerts of a file that are there before."""
    found = discover(Settings(root=root, folder=root, search=root, file=SreYaml()))
    return [(one.severity, f"{one.location}: {one.summary}", one.seen) for one in loads.twins(path, found)]


def test_an_alert_that_is_there_twice_is_told_once(tmp_path: Path) -> None:
    alert = "groups:\n  - name: {}\n    rules:\n      - {{alert: Hot, expr: temperature {} 80, labels: {{team: {}}}}}\n"
    for name, op, team in (("a", ">", "x"), ("b", " >  ", "x"), ("c", "<", "x"), ("d", ">", "y")):
        (tmp_path / f"{name}.yml").write_text(alert.format(name, op, team))
    assert [warned(tmp_path, f"{name}.yml") for name in "acd"] == [[], [], []]
    assert warned(tmp_path, "b.yml") == [
        ("warning", "b.yml:4: Hot is there twice", "Hot with the same labels and expression at a.yml:4")
    ]


def test_a_file_that_is_there_twice_is_told_in_one_line(tmp_path: Path) -> None:
    alerts = "".join(f"      - {{alert: Hot{i}, expr: x > {i}}}\n" for i in range(5))
    for name in "ab":
        (tmp_path / f"{name}.yml").write_text(f"groups:\n  - name: {name}\n    rules:\n{alerts}")
    ((_, summary, _),) = warned(tmp_path, "b.yml")
    assert summary == "b.yml:4: Hot0, and 4 more of this file are there twice"
