"""Who is notified at other hours: expectations and routing tests with `at`, and the sweep of the calendar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import PAIRS, REPO, Pair
from shop import edit, run

RULES = """\
groups:
- name: alerts
  rules:
  - alert: Down
    expr: up == 0
    labels: {severity: page}
"""
ALERTMANAGER = """\
route:
  receiver: default
  routes:
    - matchers: [severity="page"]
      receiver: pager
      mute_time_intervals: [weekend]
      continue: true
    - matchers: [severity="page"]
      receiver: chat
      active_time_intervals: [office]
receivers:
  - name: default
  - name: pager
    pagerduty_configs: [{routing_key: 00000000000000000000000000000000}]
  - name: chat
    slack_configs: [{api_url: "https://hooks.slack.com/x", channel: "#x"}]
time_intervals:
  - name: weekend
    time_intervals:
      - weekdays: [saturday, sunday]
        location: Europe/Berlin
  - name: office
    time_intervals:
      - times: [{start_time: '09:00', end_time: '17:00'}]
        weekdays: ['monday:friday']
        location: Europe/Berlin
"""
SRE = """\
oncall:
  - match: {severity: page}
    at: "2026-12-25T03:00+01:00"
    reaches: [pager]
    never: [chat]
  - match: {severity: page}
    at: 2026-12-25T09:00:00+01:00
    reaches: [pager, chat]
  - match: {severity: page}
    at: "2026-12-26T12:00+01:00"
    never: ["*"]
routing:
  - labels: {severity: page}
    receivers: [chat, pager]
  - name: at night
    labels: {severity: page}
    at: "2026-12-25T03:00+01:00"
    receivers: [pager]
  - name: on Saturday
    labels: {severity: page}
    at: "2026-12-26T12:00+01:00"
    receivers: []
"""
PAGES = "rules.yml::Down::pages"


def documented(language: str) -> list[str]:
    """The blocks of a language in the page on time intervals."""
    text = (REPO / "docs" / "time-intervals.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    """A page whose routes are muted at some hours."""
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, text in (("rules.yml", RULES), ("alertmanager.yml", ALERTMANAGER), ("sre.yaml", SRE)):
        (folder / name).write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_hours_in_which_a_page_reaches_nobody_are_found(timed: Path, pair: Pair) -> None:
    result = run(timed, pair, "-k", "pages or routing")

    assert {node: it for node, it in result.outcomes.items() if "routing::" in node} == {
        "sre.yaml::routing::severity=page": "PASSED",
        "sre.yaml::routing::at night": "PASSED",
        "sre.yaml::routing::on Saturday": "PASSED",
    }
    text = result.message(PAGES)
    assert text.count("[pages]") == 1, text
    assert (
        "alertmanager.yml:4: Down calls itself a page, and at some hours it reaches nobody [pages]\n"
        "  expected: somebody is notified at any hour\n"
        "  seen:     every Saturday 00:00 to Monday 00:00 (Europe/Berlin)\n"
        "  muted     all routes through which somebody is notified: alertmanager.yml:4\n"
    ) in text, result.output


def test_they_can_be_accepted(timed: Path) -> None:
    edit(timed / "sre.yaml", 'never: ["*"]', 'never: ["*"]\n    always: false')

    assert run(timed, PAIRS[-1], "-k", "pages").outcomes == {PAGES: "PASSED"}


def test_what_does_not_hold_at_its_time_says_which_intervals_mute(timed: Path) -> None:
    edit(timed / "sre.yaml", 'never: ["*"]', "reaches: [pager]\n    always: false")
    edit(timed / "sre.yaml", "receivers: []", "receivers: [chat]")

    result = run(timed, PAIRS[0], "-k", "pages or Saturday")

    assert result.failed() == {PAGES, "sre.yaml::routing::on Saturday"}
    assert documented("text")[0] in result.message(PAGES) + "\n", result.output
    routing = result.message("sre.yaml::routing::on Saturday")
    assert "  expected: chat\n  seen:     nobody\n" in routing
    assert "  muted     alertmanager.yml:8 receiver chat: office at 2026-12-26T12:00+01:00" in routing


@pytest.mark.parametrize("at", ["2026-12-25T03:00", "noon"])
def test_a_time_needs_an_offset(timed: Path, at: str) -> None:
    edit(timed / "sre.yaml", '"2026-12-25T03:00+01:00"', at)

    result = run(timed, PAIRS[0])

    assert (result.status, "sre.yaml:3: oncall.0.at: " in result.output) == (4, True), result.output


def test_the_documented_example_and_messages_are_these(timed: Path) -> None:
    first, second = documented("yaml")
    (timed / "sre.yaml").write_text(first)

    result = run(timed, PAIRS[-1], "-k", "pages or routing")

    assert result.outcomes["sre.yaml::routing::Christmas night"] == "PASSED"
    assert documented("text")[1] in result.message(PAGES) + "\n", result.output
    (timed / "sre.yaml").write_text(second.replace(", team: batch", ""))
    assert run(timed, PAIRS[-1], "-k", "pages").outcomes == {PAGES: "PASSED"}
