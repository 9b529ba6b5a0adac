"""Several alerts that fire together in a Python test, on real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from servers import Pair
from shop import run

from pytest_sre.errors import UserError
from pytest_sre.incidents.together import Together, read_together
from pytest_sre.model.incident import IncidentObservation

RULES = """\
groups:
- name: zone
  rules:
  - {alert: ZoneDown, expr: zone_up == 0, labels: {severity: page}, annotations: {summary: a is down}}
  - {alert: PodDown, expr: pod_up == 0, labels: {severity: symptom}}
  - {alert: DiskFull, expr: disk_free < 1, labels: {severity: symptom}, annotations: {summary: s, link: L}}
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
    disk = {**in_zone("DiskFull", "b"), "annotations": {"summary": "own"}}
    incident = sre.together(in_zone("ZoneDown", "a"), in_zone("PodDown", "a"), disk)
    page, symptom = incident.expect_notifications({"pager": "ZoneDown", "symptoms": ["DiskFull"]})
    assert (page.alert, page.receiver, page.integration) == ("ZoneDown", "pager", "pagerduty")
    assert "ZoneDown" in page.text
    assert symptom.labels["zone"] == "b"
    assert page.annotations == {"summary": "a is down"}
    assert symptom.annotations == {"summary": "own", "link": "L"}
    incident.expect_inhibited("PodDown")
    incident.expect_silenced()

def test_grouped_and_silenced(sre):
    elsewhere = {
        "labels": {"alertname": "Elsewhere", "severity": "symptom", "zone": "a"},
        "annotations": {"summary": "s", "link": "other"},
    }
    pod = {**in_zone("rules.yml::PodDown", "a"), "annotations": {"summary": "s", "link": "L"}}
    incident = sre.together(
        pod, in_zone("DiskFull", "b"), elsewhere, {"alertname": "Watchdog"},
        silences=['alertname="Watchdog"'],
    )
    both, disk = incident.expect_notifications({"symptoms": [("PodDown", "Elsewhere"), "DiskFull"]})
    assert both.labels == {"zone": "a"}
    assert both.annotations == {"summary": "s"}
    assert set(both.alert.split(", ")) == {"PodDown", "Elsewhere"}
    incident.expect_inhibited()
    incident.expect_silenced("Watchdog")

def test_nothing(sre):
    incident = sre.together("ZoneDown", silences=['alertname="ZoneDown"'])
    assert incident.expect_notifications({}) == ()
"""
SHAPES = """\
import pytest

def apart(sre):
    return sre.together(*({"alertname": name} for name in "AB"))

def grouped(sre):
    return sre.together(*({"alertname": name, "severity": "symptom", "zone": "a"} for name in "AB"))

def test_list(sre):
    assert [page.alert for page in apart(sre).expect_notifications({"pager": ["B", "A"]})] == ["B", "A"]

def test_tuple(sre):
    assert len(grouped(sre).expect_notifications({"symptoms": ("A", "B")})) == 1
    assert len(grouped(sre).expect_notifications({"symptoms": [("A", "B")]})) == 1

def test_name(sre):
    with pytest.raises(AssertionError, match="1 missing, 1 unexpected"):
        grouped(sre).expect_notifications({"symptoms": "A"})

def test_tuple_where_two_come(sre):
    with pytest.raises(AssertionError, match="1 missing, 2 unexpected"):
        apart(sre).expect_notifications({"pager": ("A", "B")})

def test_list_where_one_comes(sre):
    with pytest.raises(AssertionError, match="2 missing, 1 unexpected"):
        grouped(sre).expect_notifications({"symptoms": ["A", "B"]})
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
E         next:     mend group_by, inhibit_rules or the routes of the Alertmanager configuration, or expect_notifications
"""
OWN = """\
def pytest_sre_decode(kind, payload):
    raise KeyError("mine")
"""
ASKING = """\
def test_together(sre):
    sre.together("ZoneDown").expect_notifications({"pager": "ZoneDown"})

def test_fire(sre):
    sre.fire("ZoneDown")
"""


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


def test_a_tuple_is_one_notification_and_a_list_several(zone: Path, newest: Pair) -> None:
    (zone / "test_zone.py").write_text(SHAPES)
    seen = run(zone, newest, "test_zone.py")
    assert seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 5


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


def test_what_an_own_decoder_raises_is_told_by_its_line(zone: Path, newest: Pair) -> None:
    (zone / "conftest.py").write_text(OWN)
    (zone / "test_zone.py").write_text(ASKING)
    seen = run(zone, newest, "test_zone.py")
    assert list(seen.outcomes.values()) == ["FAILED"] * 2, seen.output
    assert seen.output.count("\nconftest.py:2: pytest_sre_decode raised KeyError: 'mine'\n") == 2, seen.output
    assert "pytest_sre/" not in seen.output, seen.output


@pytest.mark.parametrize(
    ("alerts", "silences", "words"),
    [
        ((), (), "no alert; name those that fire"),
        (({"zone": "a"},), (), "zone: unknown key"),
        (({"labels": {"zone": "a"}},), (), "needs `alert`"),
        (({"alertname": 1},), (), "alertname: must be a string"),
        (("A",), ("{}",), "a silence needs a matcher"),
        (("A",), ('a=~".*"',), "no silence may be for all"),
        (("A",), "alertname=A", "silences is a list"),
        (("A",), 3, "silences is a list"),
        (("A",), (3,), "silences.0: must be a string"),
        ((3,), (), "alerts.0: must be a mapping"),
    ],
)
def test_what_is_no_incident(alerts: tuple[object, ...], silences: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_together(alerts, silences)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["B"], r"\['B'\] names no receivers; state them as expect_notifications\("),
        ({"pager": 3}, "pager: 3 is no notification; state it as"),
        ({"pager": {"B"}}, "pager: {'B'} is no notification"),
        ({"pager": [3]}, "pager: 3 is no notification"),
        ({"pager": ("A", ("B", "C"))}, "is no notification; state it as"),
        ({"pager": ()}, "pager: a notification without alerts"),
        ({"pager": [[]]}, "pager: a notification without alerts"),
        ({3: "B"}, "there is no receiver 3"),
        ({"pager": "Z"}, "there is no alert of this incident Z"),
    ],
)
def test_what_is_no_notification(wanted: Any, words: str) -> None:
    together = Together(read_together("ABC", ()), IncidentObservation(), ("pager",), lambda one: one)
    with pytest.raises(UserError, match=words):
        together.expect_notifications(wanted)


def test_names_are_not_in_a_list() -> None:
    together = Together(read_together("ABC", ()), IncidentObservation(), ("pager",), lambda one: one)
    for expect in (together.expect_inhibited, together.expect_silenced):
        with pytest.raises(UserError, match=r"\['A'\] is no alert's name"):
            expect(["A"])  # type: ignore[arg-type]


def test_a_long_incident_has_a_short_name() -> None:
    made = read_together([*"ABCDE", {"alertname": "F"}], ())
    assert made.name == "A, B, C and 3 more"
    assert made.alerts[5].labels == {"alertname": "F"}
