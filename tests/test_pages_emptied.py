"""A Slack message of which a template fails: told soon, and as what it is, on each version."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import PAIRS, Pair
from shop import run

from pytest_sre.live.page import SAFETY_TIMEOUT
from pytest_sre.live.unnamed import claimed, doubtful, shared_with
from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration
from pytest_sre.stack.alertmanager import Group

FAILS = "'{{ (index .Alerts 5).Labels.x }}'"
RULES = """\
groups:
- name: web
  rules:
  - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: It is down}}
  - {alert: Full, expr: disk_ratio > 0.9, labels: {severity: page}, annotations: {summary: It is full}}
"""
ONCALL = "{oncall: [{match: {}, reaches: [chat]}]}\n"
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
        (f"title: {FAILS}", "nothing in `title`, `title_link`, `text`, `fallback`, `color`, `channel`, `username`;"),
        (f"pretext: {FAILS}", "nothing in `pretext`, `text`, `fallback`, `color`, `channel`, `username`; the last text is `title_link`"),
        (f"fields: [{{title: t, value: {FAILS}}}]", "nothing in `channel`, `username`; the last text is `color`"),
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


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("message_text: '{{ template \"nope\" . }}'", "nothing in `message_text`; the last text is `username`"),
        ("message_text: 'Look: {{ .Foo }}'", "nothing in `message_text`; the last text is `username`"),
        ("color: '{{ .Foo }}'", "nothing in `color`, `username`; the last text is `fallback`"),
        ("message_text: '{{ if .Foo }}a{{ end }}', color: ''", "nothing in `message_text`; the last"),
        ("message_text: '{{ if .CommonLabels.nope }}a{{ end }}'", ""),
        ("message_text: 'Look'", ""),
    ],
)  # fmt: skip
def test_the_last_texts(more: str, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, text in (("pytest.ini", "[pytest]\n"), ("rules.yml", RULES), ("sre.yaml", ONCALL)):
        (folder / name).write_text(text)
    config = ALERTMANAGER.replace("MORE", more).replace('channel: "#x", ', "")
    (folder / "alertmanager.yml").write_text(config)

    result = run(folder, PAIRS[-1], "-k", "pages")

    assert result.failed() == ({f"rules.yml::{name}::pages" for name in ("Down", "Full")} if said else set())
    assert "sretag" not in result.output
    if said:
        assert said in result.message("rules.yml::Full::pages")


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


def _mixed(good: int, pairs: int) -> str:
    """Rules that render; pairs of rules that share a group and don't; and one alone that doesn't."""
    rules = [f"{{alert: Good{i}, expr: g{i} > 1, labels: {{k: a}}" for i in range(good)]
    rules += [
        f"{{alert: Bad{i}, expr: b{i}{k} > 1, labels: {{bad: '1', k: {k}}}"
        for i in range(pairs)
        for k in "ab"
    ]
    rules.append("{alert: Alone, expr: alone > 1, labels: {bad: '1', k: a}")
    annotations = ", annotations: {summary: It is bad}}"
    return "groups:\n- name: web\n  rules:\n" + "".join(f"  - {one}{annotations}\n" for one in rules)


def test_a_shared_group_that_fails_blames_no_other_alert(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    for name, text in (("pytest.ini", "[pytest]\n"), ("rules.yml", _mixed(20, 8)), ("sre.yaml", "{}\n")):
        (folder / name).write_text(text)
    title = "title: '{{ if .CommonLabels.bad }}{{ .Foo }}{{ else }}It is bad{{ end }}'"
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.replace("MORE", title))

    result = run(folder, PAIRS[-1], "-k", "pages")

    pairs = {f"rules.yml::Bad{i}::pages[k={k}]" for i in range(8) for k in "ab"}
    assert result.failed() == {*pairs, "rules.yml::Alone::pages"}, result.output
    assert "gets Alone without most of its texts" in result.message("rules.yml::Alone::pages")


SLACK, OTHER = Integration("chat", "slack", 0), Integration("chat", "webhook", 0)
MAIL = Integration("mail", "slack", 0)


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


def test_nothing_is_claimed_where_it_may_be_about_an_alert_of_a_later_wave() -> None:
    groups = [
        Group("chat", {}, {"a": {}, "b": {}}),
        Group("chat", {}, {"d": {}}),
        Group("mail", {}, {"d": {}}),
    ]
    by_receiver = {"chat": [SLACK, OTHER], "mail": [MAIL]}
    shared = shared_with(groups, by_receiver, {"d"})
    assert shared == {SLACK, OTHER}
    assert shared_with(groups, by_receiver, {"a", "b", "d"}) == set()
    received, missing = [_got(SLACK), _got(OTHER)], {("d", SLACK), ("d", OTHER), ("d", MAIL)}
    assert claimed(received, missing, shared) == received
    assert doubtful(received, missing, shared) == {("d", SLACK)}
    assert doubtful([_got(SLACK, "a")], missing, shared) == set()
