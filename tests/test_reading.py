"""What the on-call reads of every integration, sent by real Alertmanagers, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from servers import REPO, Pair
from shop import Result, edit, run
from test_sink import KINDS, everything, failed_notifications, serving

from pytest_sre.model.observation import Notification
from pytest_sre.model.receivers import RECEIVERS
from pytest_sre.model.routing import Integration
from pytest_sre.stack import marker
from pytest_sre.stack.decode import decode
from pytest_sre.stack.sink import Capture, Sink

TITLE, TEXT, RUNBOOK = (
    "Überlast now",
    "Too much work & nobody to do it",
    "https://runbooks.example/hot?a=1&b=2",
)
READS = "{{ .CommonAnnotations.description }} {{ .CommonAnnotations.runbook_url }}"
# Where a user says what the title is and what the text; "": the kind has none that is to be said.
SETTINGS = {
    "discord": ("title", "message"),
    "incidentio": ("", ""),
    "jira": ("summary", "description"),
    "mattermost": ("title", "text"),
    "msteams": ("title", "text"),
    "msteamsv2": ("title", "text"),
    "opsgenie": ("message", "description"),
    "pagerduty": ("description", "details"),
    "pushover": ("title", "message"),
    "rocketchat": ("title", "text"),
    "slack": ("title", "text"),
    "sns": ("subject", "message"),
    "telegram": ("", "message"),
    "victorops": ("entity_display_name", "state_message"),
    "webex": ("", "message"),
    "webhook": ("", ""),
    "wechat": ("", "message"),
}
LINKED = ("mattermost", "opsgenie", "pagerduty", "pushover", "rocketchat", "slack")
SHOWN = {
    "opsgenie": ("P1", {"tags": "a, b", "source": "x"}),
    "pagerduty": ("critical", {"client": "Alertmanager", "source": "Alertmanager"}),
    "pushover": ("2", {}),
    "slack": ("", {"channel": "#ops", "Team": "core"}),
    "telegram": ("", {"chat_id": "-10042"}),
    "jira": ("", {"project": "OPS", "issuetype": "Bug"}),
    "victorops": ("CRITICAL", {}),
    "webhook": ("page", {"receiver": "ops", "severity": "page"}),
}
OWN = {
    "opsgenie": {"priority": "P1", "tags": "a,b", "source": "x"},
    "pagerduty": {"severity": "critical"},
    "slack": {"fields": [{"title": "Team", "value": "core"}]},
}


def with_texts(config: dict[str, Any]) -> dict[str, Any]:
    """Each integration says the same, each in its own settings."""
    (receiver,) = config["receivers"]
    for kind, (title, text) in SETTINGS.items():
        for one in receiver.get(f"{kind}_configs", ()):
            if title:
                one[title] = marker.TEMPLATE + "{{ .CommonAnnotations.summary }}"
            if text:
                one[text] = {"text": READS} if kind == "pagerduty" else READS
            one |= OWN.get(kind, {})
    return config


def test_every_integration_is_read(pair: Pair, tmp_path: Path) -> None:
    binary = pair.alertmanager.read_bytes()
    kinds = {kind for kind in KINDS if f'yaml:"{kind}_configs'.encode() in binary}
    with Sink() as sink:
        config = with_texts(everything(sink, kinds))
        count = sum(len(one) for name, one in config["receivers"][0].items() if name.endswith("_configs"))
        with serving(pair.alertmanager, config, tmp_path) as url:
            alert = {
                "labels": {"alertname": "Hot", "severity": "page"},
                "annotations": {"summary": TITLE, "description": TEXT, "runbook_url": RUNBOOK},
            }
            requests.post(f"{url}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()

            def seen() -> dict[Integration, Notification]:
                captures = [one for one in sink.captures("one") if not one.auxiliary]
                return {one.integration: decode(one) for one in captures}

            assert sink.wait(lambda: len(seen()) == count, 15), (seen(), (tmp_path / "log").read_text())
            assert failed_notifications(url) == []
    assert "notify retry canceled" not in (tmp_path / "log").read_text()
    for integration, one in seen().items():
        kind = integration.kind
        assert one.title == (TITLE if RECEIVERS[kind].title else ""), one
        assert TEXT in one.text, one
        assert RUNBOOK in one.links, one
        if kind in LINKED and kind not in OWN.keys() - {"pagerduty", "slack"}:
            assert any(link.endswith("/#/alerts?receiver=ops") for link in one.links), one
        severity, fields = SHOWN.get(kind, ("", {})) if integration.index == 0 else ("", {})
        assert one.severity == severity or not severity, one
        assert fields.items() <= one.fields.items(), one


def read(kind: str, body: object) -> Notification:
    raw = json.dumps(body).encode()
    return decode(Capture(Integration("ops", kind, 0), "one", "https://x/", "POST", "/", 1.0, 200, {}, raw))


def test_jira_s_document_format_and_nested_cards_are_read() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "see https://r.example/a."}]}
    document = {"type": "doc", "version": 1, "content": [paragraph]}
    jira = read("jira", {"fields": {"summary": "S", "description": document, "labels": ["a", "b"]}})
    assert (jira.title, jira.text, jira.links) == ("S", "see https://r.example/a.", ("https://r.example/a",))
    assert jira.fields["labels"] == "a, b"

    facts = {"type": "FactSet", "facts": [{"title": "Team", "value": "core"}]}
    body = [{"type": "TextBlock", "text": "T"}, {"type": "Container", "items": [{"text": "in"}, facts]}]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "body": body}
    teams = read("msteamsv2", {"attachments": [{"content": card}]})
    assert (teams.title, teams.text, teams.links) == ("T", "in\ncore", ())


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see [it](https://a.example/x).", "https://a.example/x"),
        ("<https://a.example/x|it>", "https://a.example/x"),
        ("(https://a.example/x_(y))", "https://a.example/x_(y)"),
        ("https://a.example/?a=1&amp;b=2, and more", "https://a.example/?a=1&b=2"),
    ],
)
def test_an_address_ends_where_the_text_goes_on(text: str, link: str) -> None:
    assert read("telegram", {"text": text}).links == (link,)


RULES = """\
groups:
  - name: g
    rules:
      - alert: Hot
        expr: temperature > 90
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.instance }} is too hot, at {{ $value }} degrees"
          runbook_url: https://runbooks.example/hot
"""
GOOD = """\
global: {slack_api_url: "https://hooks.slack.com/services/T0/B0/x"}
route: {receiver: ops}
receivers:
  - name: ops
    pagerduty_configs:
      - routing_key: k
        description: '{{ .CommonAnnotations.summary }}'
        details: {runbook: '{{ .CommonAnnotations.runbook_url }}'}
    slack_configs:
      - channel: ops
        title: ''
        text: '{{ range .Alerts }}{{ .Annotations.summary }} <{{ .Annotations.runbook_url }}|Runbook>{{ end }}'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "repo"
    made.mkdir()
    (made / "rules.yml").write_text(RULES)
    (made / "alertmanager.yml").write_text(GOOD)
    (made / "pytest.ini").write_text("[pytest]\n")
    return made


def pages(folder: Path, pair: Pair) -> Result:
    result = run(folder, pair, "-k", "pages")
    assert result.outcomes.keys() == {"rules.yml::Hot::pages"}, result.output
    return result


def test_all_is_there(folder: Path, pair: Pair) -> None:
    result = pages(folder, pair)
    assert (result.status, "PytestSreWarning" in result.output) == (0, False), result.output


def test_what_is_missing_is_told(folder: Path, pair: Pair) -> None:
    config = folder / "alertmanager.yml"
    edit(config, ".CommonAnnotations.summary", '.CommonAnnotations.sumary | printf "%.0s"')
    edit(config, "<{{ .Annotations.runbook_url }}|Runbook>", "")
    edit(config, "details: {runbook: '{{ .CommonAnnotations.runbook_url }}'}", "details: {firing: no, x: y}")
    result = pages(folder, pair)
    assert result.failed() == {"rules.yml::Hot::pages"}
    for text in (
        "ops/pagerduty[0] gets Hot without a title",
        "ops/pagerduty[0] does not say the summary of Hot",
        "ops/pagerduty[0] does not say the runbook of Hot",
        "ops/slack[0] does not say the runbook of Hot",
        "the annotation runbook_url: https://runbooks.example/hot",
    ):
        assert text in result.output
    assert "ops/slack[0] does not say the summary" not in result.output


def test_what_does_not_fit_is_told(folder: Path, pair: Pair) -> None:
    edit(folder / "rules.yml", "too hot", "too hot" + " and much too hot" * 300)
    more = "".join(f"{{{{ .CommonAnnotations.summary }}}} {i} " for i in range(9))
    edit(folder / "alertmanager.yml", "text: '", f"text: '{more}")
    result = pages(folder, pair)
    assert result.status == 0, result.output
    assert "the text that ops/pagerduty[0] gets for Hot is cut off" in result.output
    assert "payload.summary of at most 1,024 characters: Alertmanager cuts what is longer" in result.output
    assert "ops/slack[0] gets more of Hot than slack takes" in result.output
    assert "attachments.*.text of at most 40,000 characters" in result.output


def test_links_to_here_are_told_where_production_has_an_address(folder: Path, pair: Pair) -> None:
    edit(folder / "alertmanager.yml", "text: '", "text: 'http://localhost:9093/#/alerts ")
    assert "leads nowhere" not in pages(folder, pair).output
    servers = {"alertmanager": {"external_url": "https://am.example/"}}
    (folder / "sre.yaml").write_text(json.dumps({"servers": servers}))
    result = pages(folder, pair)
    assert "a link that ops/slack[0] gets for Hot leads nowhere" in result.output
    assert "seen:     http://localhost:9093/#/alerts" in result.output
    assert "pagerduty[0] gets for Hot leads" not in result.output


def test_the_table_of_receivers_is_the_code_s() -> None:
    written = (REPO / "docs/receivers.md").read_text()
    rows = [line for line in written.splitlines() if line.startswith("| `")]
    assert rows == [row(kind) for kind in sorted(RECEIVERS)]


def row(kind: str) -> str:
    """A kind's line of the table in docs/receivers.md."""
    one = RECEIVERS[kind]
    parts = (one.title, one.text, one.severity, one.fields, one.limits)
    cells = (
        ", ".join(f"`{path}`" if isinstance(path, str) else str(path) for path in part) for part in parts
    )
    return f"| `{kind}` | " + " | ".join(cells) + " |"
