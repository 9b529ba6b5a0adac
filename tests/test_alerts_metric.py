"""Alerts about other alerts: what Prometheus writes as ``ALERTS`` is made by the rules that write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import Pair
from shop import run
from test_synthesis import all_series, planned, rule

from pytest_sre.checks import fires
from pytest_sre.checks.case import Case
from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.scenario import Scenario
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig

RULES = """\
groups:
- name: disks
  rules:
  - alert: DiskFull
    expr: free_bytes{kind="data"} / size_bytes{kind="data"} < 0.1
    for: 10m
    labels: {severity: ticket, team: "{{ $labels.owner }}"}
- name: many
  rules:
  - alert: ManyDisksFull
    expr: count by (instance) (ALERTS{alertname="DiskFull", alertstate="firing", severity="ticket"}) >= 2
  - alert: DiskFullForAWhile
    expr: count_over_time(ALERTS{alertname="DiskFull", alertstate="firing"}[30m]) > 5
    for: 2m
  - alert: NotOurs
    expr: ALERTS{alertname="FromElsewhere", alertstate="firing", job="x"} == 1
  - alert: ManyPending
    expr: count(ALERTS{alertstate="pending"}) > 20
"""
READERS = ("ManyDisksFull", "DiskFullForAWhile", "NotOurs", "ManyPending")


@pytest.mark.parametrize("chosen", ["DiskFull or Many or NotOurs", "ManyDisksFull or DiskFullForAWhile"])
def test_alerts_about_alerts_fire_on_real_servers_after_the_others_for(
    pair: Pair, tmp_path: Path, chosen: str
) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "rules.yml").write_text(RULES)
    result = run(folder, pair, "-k", chosen)
    verdicts = {
        node: seen for node, seen in result.outcomes.items() if not node.endswith(("pages", "runbook"))
    }
    checks = {node.rpartition("::")[2] for node in verdicts}
    assert checks >= {"fires", "quiet", "detects", "resolves"}
    assert set(verdicts.values()) == {"PASSED"}, result.output
    # ten minutes of the other alert's own `for`, then what is asked of its ALERTS, and 2m
    assert "ManyDisksFull              10m" in result.output
    assert "DiskFullForAWhile          17m" in result.output


def test_behind_alerts_are_the_rules_that_write_them() -> None:
    page = rule("Page", "up == 0", severity="page")
    ticket = rule("Ticket", "up == 0", severity="ticket")
    index = RuleIndex([page, ticket])

    def behind(text: str) -> tuple[object, ...]:
        (selector,) = selectors(text)
        return index.behind(selector)

    assert behind('ALERTS{alertname="Page"}') == (page,)
    assert behind('ALERTS{alertname=~"Page|Ticket", alertstate="firing"}') == (page, ticket)
    assert behind('ALERTS{alertname=~".+", severity="ticket"}') == (ticket,)
    assert behind('ALERTS{alertname="Page", severity="ticket"}') == ()
    assert behind('ALERTS{alertname="Page", alertstate="pending"}') == ()
    assert behind('ALERTS{alertname="Other"}') == ()
    assert behind("ALERTS") == ()


def test_an_alert_of_another_repository_is_a_series() -> None:
    made = planned(rule("Reader", 'count(ALERTS{alertname="Other", alertstate="firing"}) > 2'))
    series = list(all_series(made))
    assert len(series) == 3
    for one in series:
        assert {"alertname": "Other", "alertstate": "firing"}.items() <= dict(one.labels).items()
        assert {value for _, value in one.samples} == {1.0}


def test_an_alert_that_can_never_fire_takes_its_readers_with_it() -> None:
    made = planned(
        rule("Never", "count(x) == 0"), rule("Fires", "up == 0"),
        rule("ReadsNever", 'ALERTS{alertname="Never"} > 0'), rule("ReadsFires", 'ALERTS{alertname="Fires"} == 1'),
    )  # fmt: skip
    assert {item.alert.name for item in made.unproven} == {"Never", "ReadsNever"}


ANY_ALERT = """\
groups:
- name: g
  rules:
  - alert: Hot
    expr: temperature > 80
    labels: {severity: critical}
  - alert: Incident
    expr: ALERTS{alertstate="firing", severity="critical"}
    labels: {severity: none}
"""


def test_a_reader_of_all_alerts_meets_no_others(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "rules.yml").write_text(ANY_ALERT)
    result = run(folder, pair, "-k", "fires")
    fired = {node.split("::")[1]: seen for node, seen in result.outcomes.items()}
    assert fired == {"Hot": "PASSED", "Incident": "PASSED"}, result.output


@pytest.mark.parametrize(
    ("expr", "itself"),
    [
        ('ALERTS{alertstate="firing", core="true"} > 0', True),
        ('ALERTS{core="true", alertname!="Core"} > 0', False),
        ('ALERTS{core="false"} > 0', False),
    ],
)
def test_an_alert_that_reads_what_it_writes_is_told_so(expr: str, itself: bool) -> None:
    core = rule("Core", expr)
    fired = FiredAlert({"alertname": "Core", "core": "true"}, {}, "1", "")
    seen = AlertObservation(core, Scenario(core, (), ()), "firing", error="same labelset", fired=(fired,))
    inventory = Inventory(Path(), (), (), (), None, PrometheusConfig(), Snapshots())
    verdict = fires.judge(Case(core, seen, {}, SreYaml(), inventory, ""))
    assert isinstance(verdict, tuple)
    assert ('add alertname!="Core"' in verdict[0].next_step) is itself


def test_a_reader_of_all_alerts_has_a_batch_of_its_own() -> None:
    anything = rule("Incident", 'ALERTS{severity="critical"}')
    named = rule("Named", 'ALERTS{alertname="Other"} == 1')
    made = planned(rule("Hot", "temperature > 80"), anything, named, rule("Cold", "cold > 5"))
    names = [[one.alert.name for one in batch.scenarios] for batch in made.batches]
    assert names == [["Hot", "Named", "Cold"], ["Incident"]]
