"""What the check says of alerts that can never fire, that scraped series never fire, and of functions that do not fit."""

from __future__ import annotations

from pathlib import Path

from pytest_sre.checks import fires
from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.scenario import Impossible, Scenario
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.synthesis.planner import plan

RULES = """\
groups:
  - name: g
    rules:
      - {record: "job:temperature:rate", expr: "sum by (job) (rate(temperature_celsius[5m]))"}
      - {alert: A, expr: "%s"}
"""


def findings(expr: str) -> tuple[Finding, ...]:
    """What is told of an alert that fires on the series planned for it."""
    file = parse_rule_file("rules.yml", RULES % expr)
    (rule,) = file.alerts
    made = plan([rule], RuleIndex(r for g in file.groups for r in g.rules), now=1.7e9)
    task: Scenario | Impossible
    if made.unproven:
        assert isinstance(made.unproven[0], Impossible)
        task = made.unproven[0]
    else:
        task = made.batches[0].scenarios[0]
    seen = AlertObservation(rule, task, state="firing", fired=(FiredAlert({"alertname": "A"}, {}, "1", ""),))
    inventory = Inventory(Path(), (file,), (), (), None, PrometheusConfig(), Snapshots())
    verdict = fires.judge(Case(rule, seen, {}, SreYaml(), inventory, ""))
    assert isinstance(verdict, tuple)
    return verdict


def test_what_can_never_fire_fails_with_what_to_change() -> None:
    (one,) = findings("count(up) == 0")
    assert (one.severity, one.summary) == ("error", "A can never fire")
    assert "count() has no result" in one.seen
    assert one.details == ("in        count(up) == 0",)
    assert "ask absent(up)" in one.next_step


def test_what_scraped_series_never_fire_is_a_warning() -> None:
    (one,) = findings("sum by (instance) (a) / (b * c) > 0.2")
    assert (one.severity, one.summary) == ("warning", "A never fires on scraped series")
    assert "job is always there" in one.seen


def test_functions_that_do_not_fit_warn_through_records() -> None:
    (one,) = findings("job:temperature:rate > 5")
    assert (one.severity, str(one.location)) == ("warning", "rules.yml:4")
    assert "rate() of a gauge: temperature_celsius" in one.summary


def test_nothing_is_said_of_a_good_rule() -> None:
    assert findings("sum by (job) (rate(e_total[5m])) / sum by (job) (rate(a_total[5m])) > 0.2") == ()
