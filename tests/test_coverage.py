"""What of a configuration no alert uses: warnings at their lines, on real servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import PAIRS, Pair
from shop import edit, run

RULES = """\
groups:
- name: alerts
  rules:
  - {alert: Down, expr: up == 0, labels: {severity: page, team: web}}
  - {alert: Full, expr: disk_free_ratio < 0.1, labels: {severity: ticket, team: web}}
  - {alert: Stray, expr: stray_errors > 3}
"""
ALERTMANAGER = """\
route:
  receiver: default
  routes:
    - matchers: [severity="page"]
      receiver: pager
    - matchers: [alertname="Down"]
      receiver: shadowed
      routes: [{matchers: [tier="1"], receiver: boss}]
    - matchers: [severity="ticket"]
      receiver: tickets
      active_time_intervals: [workdays]
      routes:
        - matchers: [team="web"]
          receiver: web
        - matchers: [team="db"]
          receiver: db
          mute_time_intervals: [nights]
receivers: [{name: default}, {name: pager}, {name: shadowed}, {name: boss}, {name: tickets}, {name: web}, {name: db},
  {name: orphan}]
inhibit_rules:
  - source_matchers: [severity="page"]
    target_matchers: [severity="ticket"]
  - source_match: {severity: page}
    target_match_re: {severity: info|debug}
time_intervals:
  - name: workdays
    time_intervals: [{weekdays: ["monday:friday"]}]
  - name: nights
    time_intervals: [{times: [{start_time: "00:00", end_time: "06:00"}]}]
  - name: holidays
    time_intervals: [{months: ["december"]}]
"""
WARNING = re.compile(r"/(alertmanager\.yml:\d+): PytestSreWarning: (.*) \[coverage\]")
EXPECTED = [
    ("alertmanager.yml:1", "1 alert ends at the default receiver default"),
    ("alertmanager.yml:6", "no alert ends at this route to shadowed, nor at the 1 route below it"),
    ("alertmanager.yml:15", "no alert ends at this route to db"),
    ("alertmanager.yml:18", "no alert reaches receiver tickets"),
    ("alertmanager.yml:19", "no alert reaches receiver orphan"),
    ("alertmanager.yml:23", "no alert ever needs this inhibit rule"),
    ("alertmanager.yml:28", "no alert ever needs the time interval nights"),
    ("alertmanager.yml:30", "no alert ever needs the time interval holidays"),
]


@pytest.fixture
def unused(tmp_path: Path) -> Path:
    """A repository whose configuration has parts that nobody needs."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "sre.yaml").write_text("{}")
    (folder / "rules.yml").write_text(RULES)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER)
    return folder


def warnings(output: str) -> list[tuple[str, str]]:
    """Where each warning is and what it says."""
    return [(found[1], found[2]) for found in WARNING.finditer(output)]


def test_what_no_alert_uses_is_a_warning_at_its_line(unused: Path, pair: Pair) -> None:
    result = run(unused, pair, "-k", "fires or coverage")

    assert result.outcomes["alertmanager.yml::coverage"] == "PASSED"
    assert warnings(result.output) == EXPECTED, result.output
    assert "    rules.yml:6 Stray\n" in result.output
    assert (
        "    Down matches, but alertmanager.yml:4 (receiver pager) comes first and has no `continue: true`\n"
        in result.output
    )
    assert 'no target (severity=~"info|debug") among the alerts; 3 alerts looked at\n' in result.output


def test_routing_tests_are_uses(unused: Path) -> None:
    (unused / "sre.yaml").write_text(
        "routing:\n- {labels: {severity: ticket, team: db}, receivers: [db]}\n- {labels: {severity: ticket}, receivers: [tickets]}\n"
    )

    result = run(unused, PAIRS[-1], "-k", "fires or coverage")

    left = [EXPECTED[0], EXPECTED[1], EXPECTED[4], EXPECTED[5], EXPECTED[7]]
    assert warnings(result.output) == left, result.output
    assert "3 alerts and 2 routing tests looked at" in result.output


def test_it_is_about_all_alerts_or_not_asked(unused: Path) -> None:
    result = run(unused, PAIRS[0], "-k", "Stray or coverage", "--sre-strict", "-rs")

    assert result.outcomes["alertmanager.yml::coverage"] == "SKIPPED"
    assert "2 of 3 alerts were not run; it is about all of them" in result.output


def test_what_an_alert_that_could_not_be_fired_may_use_is_no_warning(unused: Path) -> None:
    edit(unused / "rules.yml", "disk_free_ratio < 0.1", "disk_free_ratio <")

    result = run(unused, PAIRS[0], "-k", "fires or coverage")

    # The file does not load, so that nothing fires.
    assert result.outcomes["alertmanager.yml::coverage"] == "SKIPPED"
    (unused / "more.yml").write_text(
        "groups: [{name: more, rules: [{alert: More, expr: more > 1, labels: {severity: page}}]}]\n"
    )
    result = run(unused, PAIRS[0], "-k", "fires or coverage")
    assert warnings(result.output) == [EXPECTED[4], EXPECTED[7]], result.output
    assert "1 alert looked at; 3 alerts could not be fired" in result.output
