"""Several alerts that fire together in a Python test, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import NO_SERVERS, PAIRS, Pair, unavailable
from shop import run

from pytest_sre.errors import UserError
from pytest_sre.incidents.together import read_together

RULES = """\
groups:
- name: zone
  rules:
  - {alert: ZoneDown, expr: zone_up == 0, labels: {severity: page}}
  - {alert: PodDown, expr: pod_up == 0, labels: {severity: symptom}}
  - {alert: DiskFull, expr: disk_free < 1, labels: {severity: symptom}}
"""
ALERTMANAGER = """\
route:
  receiver: pager
  group_by: [alertname]
  routes:
  - matchers: [severity="symptom"]
    receiver: symptoms
    group_by: [zone]
inhibit_rules:
- source_matchers: [alertname="ZoneDown"]
  target_matchers: [severity="symptom"]
  equal: [zone]
receivers:
- name: pager
  pagerduty_configs: [{routing_key: 00000000000000000000000000000001}]
- name: symptoms
  webhook_configs: [{url: "https://hooks.example/x"}]
"""
PASSING = """\
def in_zone(alert, zone):
    return {"alert": alert, "labels": {"zone": zone}}

def test_inhibited(sre):
    incident = sre.together(in_zone("ZoneDown", "a"), in_zone("PodDown", "a"), in_zone("DiskFull", "b"))
    page, symptom = incident.expect_notifications({"pager": "ZoneDown", "symptoms": ["DiskFull"]})
    assert (page.alert, page.receiver, page.integration) == ("ZoneDown", "pager", "pagerduty")
    assert "ZoneDown" in page.text
    assert symptom.labels["zone"] == "b"
    incident.expect_inhibited("PodDown")
    incident.expect_silenced()

def test_grouped_and_silenced(sre):
    elsewhere = {"alertname": "Elsewhere", "severity": "symptom", "zone": "a"}
    incident = sre.together(
        in_zone("rules.yml::PodDown", "a"), in_zone("DiskFull", "b"), elsewhere, {"alertname": "Watchdog"},
        silences=['alertname="Watchdog"'],
    )
    both, disk = incident.expect_notifications({"symptoms": [("PodDown", "Elsewhere"), "DiskFull"]})
    assert both.labels == {"zone": "a"}
    assert set(both.alert.split(", ")) == {"PodDown", "Elsewhere"}
    incident.expect_inhibited()
    incident.expect_silenced("Watchdog")

def test_nothing(sre):
    incident = sre.together("ZoneDown", silences=['alertname="ZoneDown"'])
    assert incident.expect_notifications({}) == ()
"""
FAILING = """\
def test_extra(sre):
    incident = sre.together("ZoneDown", "PodDown")
    incident.expect_notifications({"pager": "ZoneDown", "symptoms": "PodDown"})

def test_free(sre):
    incident = sre.together("ZoneDown", {"alert": "PodDown", "labels": {"zone": "a"}})
    incident.expect_inhibited("PodDown")

def test_receiver(sre):
    sre.together("ZoneDown").expect_notifications({"pagr": "ZoneDown"})

def test_name(sre):
    sre.together("ZoneDown").expect_inhibited("PodDown")

def test_alert(sre):
    sre.together("ZoneDwn")
"""
EXTRA = """\
E       AssertionError: incident "ZoneDown, PodDown" does not notify as stated: 1 missing [incident]
E         expected: pager ← ZoneDown
E                   symptoms ← PodDown
E         seen:     pager ← ZoneDown   group {alertname="ZoneDown"}
E         missing    symptoms ← PodDown
E         inhibited  PodDown by ZoneDown
"""


@pytest.fixture(scope="module")
def newest() -> Pair:
    """One pair is enough for what our own code says."""
    if not PAIRS:
        unavailable(NO_SERVERS)
    return PAIRS[-1]


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """A repository of a zone's alerts."""
    folder = tmp_path / "zone"
    folder.mkdir()
    (folder / "rules.yml").write_text(RULES)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_inhibition_groups_and_silences_are_at_work(zone: Path, pair: Pair) -> None:
    (zone / "test_zone.py").write_text(PASSING)
    seen = run(zone, pair, "test_zone.py")
    assert seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 3


def test_failures_are_told_as_those_of_sre_yaml(zone: Path, newest: Pair) -> None:
    (zone / "test_zone.py").write_text(FAILING)
    seen = run(zone, newest, "test_zone.py")
    assert seen.status == 1
    assert len(seen.failed()) == 5
    assert EXTRA in seen.output
    assert 'incident "ZoneDown, PodDown": PodDown not inhibited [incident]' in seen.output
    assert "there is no receiver pagr; did you mean pager?" in seen.output
    assert "there is no alert of this incident PodDown; did you mean ZoneDown?" in seen.output
    assert "there is no alert ZoneDwn; did you mean ZoneDown?" in seen.output
    assert "pytest_sre/incidents" not in seen.output, seen.output


@pytest.mark.parametrize(
    ("alerts", "silences", "words"),
    [
        ((), (), "alerts: "),
        (({"zone": "a"},), (), "zone: unknown key"),
        (({"labels": {"zone": "a"}},), (), "needs `alert`"),
        (({"alertname": 1},), (), "alertname: must be a string"),
        (("A",), ("{}",), "a silence needs a matcher"),
        (("A",), ('a=~".*"',), "no silence may be for all"),
        (("A",), "alertname=A", "silences is a list"),
    ],
)
def test_what_is_no_incident(alerts: tuple[object, ...], silences: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_together(alerts, silences)


def test_a_long_incident_has_a_short_name() -> None:
    made = read_together([*"ABCDE", {"alertname": "F"}], ())
    assert made.name == "A, B, C and 3 more"
    assert made.alerts[5].labels == {"alertname": "F"}
