"""`--sre-changed` of incidents and of the coverage of Alertmanager's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from history import changed, commit, start
from servers import Pair
from shop import edit, run

RULES = """\
groups:
- name: zone
  rules:
  - {record: "zone:down", expr: max(zone_down)}
  - {alert: ZoneDown, expr: "zone:down > 0", labels: {severity: page}}
  - {alert: Errors, expr: errors_ratio > 0.5, labels: {severity: symptom}}
  - {alert: Other, expr: other > 1, labels: {severity: other}}
"""
ALERTMANAGER = """\
route:
  receiver: nobody
  group_by: [alertname]
  routes:
  - {matchers: [severity="page"], receiver: pager}
  - {matchers: [severity="symptom"], receiver: symptoms}
  - {matchers: [severity="other"], receiver: others}
inhibit_rules:
- {source_matchers: [severity="page"], target_matchers: [severity="symptom"], equal: [zone]}
- {source_matchers: [severity="else"], target_matchers: [severity="other"], equal: [zone]}
receivers:
- {name: nobody}
- {name: pager, webhook_configs: [{url: "https://pager.example/x"}]}
- {name: symptoms, webhook_configs: [{url: "https://symptoms.example/x"}]}
- {name: others, webhook_configs: [{url: "https://others.example/x"}]}
"""
SRE = """\
page_worth: 0.5%
routing:
- {labels: {severity: else}, receivers: [nobody]}
incidents:
- name: outage
  alerts: [{alert: Errors, labels: {zone: a}}, {alert: ZoneDown, labels: {zone: a}}]
  notifications: [{receiver: pager, alerts: [ZoneDown]}]
- name: others
  alerts: [Other, {labels: {alertname: External, severity: else}}]
  silences: ['alertname="External"']
  notifications: [{receiver: others, alerts: [Other]}]
"""


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    """A repository of two incidents that have nothing in common."""
    folder = tmp_path / "zone"
    folder.mkdir()
    for name, text in (("rules.yml", RULES), ("alertmanager.yml", ALERTMANAGER), ("sre.yaml", SRE)):
        (folder / name).write_text(text)
    return start(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "incidents", "coverage"),
    [
        ("sre.yaml", "page_worth: 0.5%", "page_worth: 0.6%", set(), False),
        ("sre.yaml", "name: outage", "name: an outage", set(), False),
        ("sre.yaml", "alerts: [{alert: Errors, labels: {zone: a}}, {alert: ZoneDown, labels: {zone: a}}]",
         "alerts: [{alert: ZoneDown, labels: {zone: a}}, {alert: Errors, labels: {zone: a}}]", set(), False),
        ("sre.yaml", "{alert: Errors, labels: {zone: a}}", "{alert: Errors, labels: {zone: b}}", {"outage"}, False),
        ("sre.yaml", "silences: ['alertname=\"External\"']", "silences: ['alertname=~\"Ext.*\"']", {"others"}, False),
        ("sre.yaml", "{labels: {severity: else}, receivers", "{labels: {severity: el}, receivers", set(), True),
        ("rules.yml", "errors_ratio > 0.5", "errors_ratio > 0.6", {"outage"}, False),
        ("rules.yml", "errors_ratio > 0.5", "(errors_ratio  > 0.5)", set(), False),
        ("rules.yml", "errors_ratio > 0.5", "max(errors_ratio) > 0.5", {"outage"}, True),
        ("rules.yml", "max(zone_down)", "min(zone_down)", {"outage"}, True),
        ("rules.yml", "severity: other}", "severity: other, team: a}", {"others"}, True),
        ("rules.yml", "  - {alert: Other", "  - {alert: New, expr: x > 1}\n  - {alert: Other", set(), True),
        ("alertmanager.yml", "{matchers: [severity=\"symptom\"], receiver: symptoms}",
         "{matchers: [severity=\"symptom\"], receiver: nobody}", {"outage"}, True),
        ("alertmanager.yml", "receiver: others}", "receiver: others, group_by: [zone]}", {"others"}, True),
        ("alertmanager.yml", "[severity=\"symptom\"], equal: [zone]", "[severity=\"symptom\"], equal: [pod]", {"outage"}, True),
        ("alertmanager.yml", "pager.example/x", "pager.example/y", {"outage"}, True),
        ("alertmanager.yml", "[severity=\"else\"], target", "[severity=\"els\"], target", {"others"}, True),
    ],
)  # fmt: skip
def test_what_concerns_an_incident(
    name: str,
    old: str,
    new: str,
    incidents: set[str],
    coverage: bool,
    zone: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    edit(zone / name, old, new)

    found = changed(zone, tmp_path_factory.mktemp("aside")).comparison

    assert (found.incidents, found.coverage) == (incidents, coverage)


def test_a_base_that_cannot_be_read(zone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (zone / "sre.yaml").write_text("incidents: {")
    commit(zone)
    (zone / "sre.yaml").write_text(SRE)

    found = changed(zone, tmp_path_factory.mktemp("aside")).comparison

    assert (found.incidents, found.coverage) == ({"outage", "others"}, True)


def test_they_are_run(zone: Path, newest: Pair) -> None:
    edit(zone / "alertmanager.yml", 'pager.example/x"', 'pager.example/y"')
    edit(zone / "sre.yaml", "page_worth: 0.5%", "page_worth: 0.6%")

    result = run(zone, newest, "--sre-changed=HEAD", "-k", "incidents or coverage")

    assert result.outcomes == {
        "sre.yaml::incidents::outage": "PASSED",
        "alertmanager.yml::coverage": "PASSED",
    }


def test_nothing_that_concerns_them(zone: Path, newest: Pair) -> None:
    edit(zone / "sre.yaml", "page_worth: 0.5%", "page_worth: 0.6%")

    result = run(zone, newest, "--sre-changed=HEAD")

    assert (result.outcomes, result.status) == ({}, 0)
