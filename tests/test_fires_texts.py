"""Texts that name labels which the alert does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.checks import fires
from pytest_sre.checks.case import Case, Skipped
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, FiredAlert, TimedObservation
from pytest_sre.model.scenario import NotSynthesised, Scenario
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.model.timeline import Passage
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.sources.rulefile import parse_rule_file

RULES = """\
groups:
- name: r
  rules:
  - record: job:x:sum
    expr: sum by (job) (x)
  - alert: A
    expr: %s
    labels: {severity: page}
    annotations:
      summary: '%s'
"""


def found(expr: str, text: str, **labels: str) -> list[Finding]:
    file = parse_rule_file("r.yml", RULES % (expr, text))
    (rule,) = file.alerts
    inventory = Inventory(Path(), (file,), (), (), None, PrometheusConfig(), Snapshots())
    fired = FiredAlert({"alertname": "A", "severity": "page", **labels}, {"summary": "x"}, "1", "")
    seen = AlertObservation(rule, Scenario(rule, (), ()), "firing", fired=(fired,))
    verdict = fires.judge(Case(rule, seen, {}, SreYaml(), inventory, ""))
    assert isinstance(verdict, tuple)
    return list(verdict)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        ("x > 1", "{{ $labels.instance }} is high"),
        ("sum by (job) (x) > 1", "{{ $labels.job }} is at {{ $value }}"),
        ("job:x:sum > 1", "{{ $labels.job | toUpper }}"),
        ("elsewhere:x:sum > 1", "{{ $labels.instance }}"),
        ("sum(x) > 1", "all of it"),
        ("sum(x) > 1", "{{ if $labels.job }}of {{ $labels.job }}{{ end }}"),
        ("sum(x) > 1", "{{ with $labels.job }}of {{ . }}{{ end }}"),
        ("sum(x) > 1", "{{ range query `x` }}{{ .Labels.job }}{{ end }}"),
    ],
)
def test_labels_that_may_be_there(expr: str, text: str) -> None:
    assert found(expr, text) == []


@pytest.mark.parametrize(
    ("expr", "text", "label", "next_step"),
    [
        ("sum(x) > 1", "{{ $labels.job }} is high", "job", "keep the label"),
        ("job:x:sum > 1", "{{$labels.instance}} is high", "instance", "keep the label"),
        ("sum by (namespace) (x) > 1", "{{ $labels.namepsace }}", "namepsace", "did you mean namespace?"),
        ("sum by (job) (x) > 1", "{{ $labels.severity }}", "severity", "a label that the rule itself sets"),
        ('absent(x{job="a"})', "{{ $labels.instance }}", "instance", "keep the label"),
    ],
)
def test_labels_that_are_dropped(expr: str, text: str, label: str, next_step: str) -> None:
    (finding,) = found(expr, text)
    assert finding.severity == "warning"
    assert finding.summary == f"a text of A names the label {label}, which the alert does not have"
    assert finding.seen == f"annotation summary: nothing stands for {{{{ $labels.{label} }}}}"
    assert next_step in finding.next_step


def test_what_was_seen_to_be_there_is_no_finding() -> None:
    assert found("sum(x) > 1", "{{ $labels.job }} is high", job="a") == []


def test_series_unlike_the_real_ones() -> None:
    (rule,) = parse_rule_file("r.yml", RULES % ("x > 1", "x")).alerts
    inventory = Inventory(Path(), (), (), (), None, PrometheusConfig(), Snapshots(("a.prom",)))
    seen = AlertObservation(rule, NotSynthesised(rule, "no series", "x > 1", "x has no label pod"))
    verdict = fires.judge(Case(rule, seen, {}, SreYaml(), inventory, ""))
    assert isinstance(verdict, tuple)
    (finding,) = verdict
    assert finding.summary == "A does not fire on series like the real ones"
    assert (finding.seen, finding.severity) == ("x has no label pod", "error")
    assert "a.prom" in finding.expected


@pytest.mark.parametrize(("fired", "outcome"), [(60.0, Skipped), (None, tuple)])
def test_what_fires_on_virtual_time_alone_is_not_proven(fired: float | None, outcome: type) -> None:
    file = parse_rule_file("r.yml", RULES % ("x > 1", "all of it"))
    (rule,) = file.alerts
    inventory = Inventory(Path(), (file,), (), (), None, PrometheusConfig(), Snapshots())
    burn = Passage("burn", "above the threshold", -60.0, 600.0, 30.0, recovery=300.0, fired=fired)
    seen = AlertObservation(rule, Scenario(rule, (), ()), "inactive")
    case = Case(rule, seen, {}, SreYaml(), inventory, "", TimedObservation(rule, (burn,)))
    verdict = fires.judge(case)
    assert isinstance(verdict, outcome)
    assert (
        "virtual time" in verdict.reason
        if isinstance(verdict, Skipped)
        else "did not fire" in verdict[0].summary
    )
