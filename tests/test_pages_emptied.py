"""A Slack message of which a template fails: told soon, and as what it is, on each version."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import PAIRS, Pair
from shop import run

from pytest_sre.live.page import SAFETY_TIMEOUT
from pytest_sre.live.unnamed import claimed
from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration

FAILS = "'{{ (index .Alerts 5).Labels.x }}'"
RULES = """\
groups:
- name: web
  rules:
  - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: It is down}}
  - {alert: Full, expr: disk_ratio > 0.9, labels: {severity: page}, annotations: {summary: It is full}}
"""
ALERTMANAGER = """\
route: {receiver: chat, group_by: [alertname]}
receivers:
- name: chat
  slack_configs:
  - {api_url: "https://hooks.slack.com/x", channel: "#x", send_resolved: true, text: "{{ .CommonAnnotations.summary }}", MORE}
"""


@pytest.mark.parametrize(
    ("more", "empty"),
    [
        (f"title: {FAILS}", "nothing in `title`, `title_link`, `text`, `fallback`, `color`, `channel`;"),
        (f"pretext: {FAILS}", "nothing in `pretext`, `text`, `fallback`, `color`, `channel`; the last text is `title_link`"),
        (f"fields: [{{title: t, value: {FAILS}}}]", "nothing in `channel`; the last text is `color`"),
    ],
)  # fmt: skip
def test_it_is_told_soon(more: str, empty: str, tmp_path: Path, pair: Pair) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, text in (("pytest.ini", "[pytest]\n"), ("rules.yml", RULES), ("sre.yaml", "{}\n")):
        (folder / name).write_text(text)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.replace("MORE", more))

    result = run(folder, pair, "-k", "pages")

    assert result.failed() == {f"rules.yml::{name}::pages" for name in ("Down", "Full")}, result.output
    said = result.message("rules.yml::Full::pages")
    if pair == PAIRS[-1]:
        assert "chat/slack[0] gets Full without most of its texts: a template failed" in said
        assert empty in said
    else:
        assert "error calling index" in said
    seconds = result.seen["seconds"]
    assert seconds["delivered"] - seconds["fired"] < SAFETY_TIMEOUT, seconds


def test_a_template_that_fails_for_resolved_alerts(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, text in (("pytest.ini", "[pytest]\n"), ("rules.yml", RULES), ("sre.yaml", "{}\n")):
        (folder / name).write_text(text)
    title = "title: '{{ (index .Alerts.Firing 0).Labels.alertname }}'"
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.replace("MORE", title))

    result = run(folder, PAIRS[-1], "-k", "pages")

    said = result.message("rules.yml::Full::pages")
    assert "a template failed: Alertmanager sent the message without the text" in said, result.output
    assert "without most of its texts" not in said


SLACK, OTHER = Integration("chat", "slack", 0), Integration("chat", "webhook", 0)


def _got(integration: Integration, fingerprint: str = "") -> Notification:
    return Notification(integration, "", 0.0, 200, {}, {}, fingerprint)


def test_only_what_is_owed_is_claimed() -> None:
    both = [_got(SLACK), _got(SLACK, "c"), _got(SLACK), _got(OTHER)]
    found = claimed(both, {("a|b", SLACK), ("d", SLACK), ("e", OTHER)})
    assert [(one.fingerprint, one.unnamed) for one in found] == [
        ("a", True),
        ("c", False),
        ("d", True),
        ("", False),
    ]
    assert claimed(both[1:], {("a|b", SLACK), ("d", SLACK)}) == both[1:]
