"""Incident tests: alerts that fire together in the real Alertmanager, and exactly the notifications that come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from servers import REPO, Pair
from shop import Result, edit, run

SYMPTOMS = [f"Symptom{number}" for number in range(1, 13)]


def _rules(alerts: Sequence[tuple[str, str, str]]) -> str:
    """A rule file: name, metric and severity of each alert."""
    return "groups:\n- name: zone\n  rules:\n" + "".join(
        f"  - alert: {name}\n    expr: {metric} > 0\n    labels: {{severity: {severity}}}\n"
        for name, metric, severity in alerts
    )


RULES = _rules(
    [("ZoneDown", "zone_down", "page"), *((one, f"{one.lower()}_errors", "symptom") for one in SYMPTOMS)]
)
ALERTMANAGER = """\
route:
  receiver: tickets
  group_by: [alertname]
  routes:
  - matchers: [severity="page"]
    receiver: pager
  - matchers: [severity="symptom"]
    receiver: symptoms
    group_by: [zone]
inhibit_rules:
- source_matchers: [alertname="ZoneDown"]
  target_matchers: [severity="symptom"]
  equal: [zone]
receivers:
- name: tickets
  slack_configs: [{api_url: "https://hooks.slack.com/x", channel: "#x"}]
- name: pager
  pagerduty_configs: [{routing_key: 00000000000000000000000000000001}]
- name: symptoms
  webhook_configs: [{url: "https://hooks.example/x"}]
"""
HERE = ", ".join(f"{{alert: {name}, labels: {{zone: a}}}}" for name in SYMPTOMS)
SRE = f"""\
rules: [rules.yml]
incidents:
- name: zone outage
  alerts: [{HERE}, {{alert: ZoneDown, labels: {{zone: a}}}}]
  notifications:
  - {{receiver: pager, alerts: [ZoneDown]}}
  inhibited: [{", ".join(SYMPTOMS)}]
- name: three of one group
  alerts:
  - {{labels: {{alertname: External, severity: symptom, zone: b}}, annotations: {{summary: From elsewhere}}}}
  - {{alert: Symptom1, labels: {{zone: b}}}}
  - {{alert: "rules.yml::Symptom2", labels: {{zone: b}}}}
  - {{alert: ZoneDown, labels: {{zone: a}}}}
  notifications:
  - {{receiver: symptoms, alerts: [External, Symptom1, "rules.yml::Symptom2"]}}
  - {{receiver: pager, alerts: [ZoneDown]}}
  inhibited: []
- name: silenced
  alerts: [ZoneDown, {{labels: {{alertname: Watchdog}}}}]
  silences: ['alertname=~"Watch.+"']
  notifications: [{{receiver: pager, alerts: [ZoneDown]}}]
  silenced: [Watchdog]
"""
ITEM = "sre.yaml::incidents::"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """A repository of a zone's alerts."""
    folder = tmp_path / "zone"
    folder.mkdir()
    for name, text in (("rules.yml", RULES), ("alertmanager.yml", ALERTMANAGER), ("sre.yaml", SRE)):
        (folder / name).write_text(text)
    return folder


def _incidents(folder: Path, pair: Pair, *options: str) -> Result:
    return run(folder, pair, "sre.yaml", *options)


def test_exactly_these_notifications(zone: Path, pair: Pair) -> None:
    done = _incidents(zone, pair)
    names = ("zone outage", "three of one group", "silenced")
    assert done.outcomes == {f"{ITEM}{name}": "PASSED" for name in names}, done.output
    outage = done.seen["incidents"][0]
    assert outage["name"] == "zone outage"
    assert [(one["receiver"], len(one["sent"])) for one in outage["notifications"]] == [("pager", 1)]
    source = next(one["fingerprint"] for one in outage["alerts"] if one["name"] == "ZoneDown")
    held = {one["name"]: one["inhibited_by"] for one in outage["alerts"] if one["inhibited_by"]}
    assert held == {name: [source] for name in SYMPTOMS}


def test_an_outage_that_pages_for_a_symptom(zone: Path, newest: Pair) -> None:
    edit(zone / "sre.yaml", "{alert: Symptom3, labels: {zone: a}}", "{alert: Symptom3, labels: {zone: c}}")
    done = _incidents(zone, newest, "-k", "outage")
    said = done.message(f"{ITEM}zone outage")
    assert done.failed() == {f"{ITEM}zone outage"}
    assert 'sre.yaml:3: incident "zone outage" does not notify as stated: 1 unexpected' in said
    assert 'unexpected symptoms ← Symptom3   group {zone="c"}' in said
    assert "inhibited  Symptom4 by ZoneDown" in said
    assert 'incident "zone outage": Symptom3 not inhibited' in said


def test_what_is_silenced_does_not_come(zone: Path, newest: Pair) -> None:
    edit(zone / "sre.yaml", "silences: ['alertname=~\"Watch.+\"']", "silences: ['severity=\"page\"']")
    done = _incidents(zone, newest, "-k", "silenced")
    said = done.message(f"{ITEM}silenced")
    assert "1 missing, 1 unexpected" in said
    assert "missing    pager ← ZoneDown" in said
    assert 'silenced   ZoneDown by severity="page"' in said
    assert "Watchdog not silenced and ZoneDown silenced, which is not stated" in said


def test_a_silence_that_alertmanager_does_not_take(zone: Path, newest: Pair) -> None:
    edit(zone / "sre.yaml", "silences: ['alertname=~\"Watch.+\"']", "silences: ['severity=~\"(?=p)page\"']")
    done = _incidents(zone, newest)
    said = done.message(f"{ITEM}silenced")
    assert done.failed() == {f"{ITEM}silenced"}
    assert "Alertmanager does not take part of it" in said
    assert "Alertmanager refused the silence" in said


def test_an_alert_that_never_fires(zone: Path, newest: Pair) -> None:
    edit(zone / "rules.yml", "expr: zone_down > 0", "expr: zone_down > 0 and zone_down < 0")
    done = _incidents(zone, newest, "-k", "outage")
    said = done.message(f"{ITEM}zone outage")
    assert done.failed() == {f"{ITEM}zone outage"}
    assert "could not be played: not all of its alerts fire" in said
    assert "seen:     rules.yml::ZoneDown: " in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{alert: Symptom3,", "{alert: Symtom3,", "sre.yaml:4: incidents: \"zone outage\": no rule file has an alert Symtom3; did you mean Symptom"),
        ("receiver: pager, alerts", "receiver: pagr, alerts", 'sre.yaml:6: incidents: "zone outage": alertmanager.yml has no receiver "pagr"; did you mean pager?'),
        ("alerts: [ZoneDown]}", "alerts: [ZonDown]}", 'sre.yaml:6: incidents: "zone outage": ZonDown is none of the incident\'s alerts; did you mean ZoneDown?'),
        ("silences: ['alertname=~\"Watch.+\"']", "silences: ['alertname']", "is not a matcher"),
        ("silences: ['alertname=~\"Watch.+\"']", "silences: ['team!=\"a\"']", "no silence may be for all"),
        ("- name: silenced", "- name: zone outage", "two incidents are called zone outage"),
    ],
)  # fmt: skip
def test_names_that_there_are_not(zone: Path, newest: Pair, old: str, new: str, said: str) -> None:
    edit(zone / "sre.yaml", old, new)
    done = _incidents(zone, newest)
    assert done.status == 4
    assert said in done.output
    assert "Traceback" not in done.output


def _page() -> dict[str, str]:
    """The examples of the documentation by language."""
    text = (REPO / "docs/checks/incident.md").read_text("utf-8")
    return dict(re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S))


def test_the_page_is_true(zone: Path, newest: Pair) -> None:
    rules = [("ZoneDown", "zone_down", "page"), ("CheckoutErrors", "checkout_errors", "symptom")]
    (zone / "rules.yml").unlink()
    (zone / "rules").mkdir()
    (zone / "rules/shop.yml").write_text(_rules(rules))
    (zone / "sre.yaml").write_text(_page()["yaml"])
    assert _incidents(zone, newest).outcomes == {f"{ITEM}zone outage": "PASSED"}

    edit(zone / "sre.yaml", 'CheckoutErrors", labels: {zone: a}', 'CheckoutErrors", labels: {zone: c}')
    said = _incidents(zone, newest).message(f"{ITEM}zone outage")
    assert _page()[""].strip() in said
