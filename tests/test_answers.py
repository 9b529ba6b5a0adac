"""What each vendor answers, as Alertmanager's notifiers read it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from pytest_sre.stack.answers import Answer, answer


def ask(kind: str, path: str = "/", body: object = None, method: str = "POST") -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return answer(kind, method, "host.example", path, raw)


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        ("discord", "/api/webhooks/1/x", 204),
        ("incidentio", "/v2/alert_events/alertmanager/1", 202),
        ("jira", "/rest/api/2/issue", 201),
        ("mattermost", "/hooks/x", 200),
        ("msteams", "/webhookb2/x", 200),
        ("msteamsv2", "/workflows/x", 202),
        ("opsgenie", "/v2/alerts", 202),
        ("pagerduty", "/v2/enqueue", 202),
        ("pagerduty", "/generic/2010-04-15/create_event.json", 200),
        ("pushover", "/1/messages.json?title=x", 200),
        ("rocketchat", "/api/v1/chat.postMessage", 200),
        ("slack", "/services/T0/B0/x", 200),
        ("sns", "/", 200),
        ("telegram", "/bot1:x/sendMessage", 200),
        ("victorops", "/integrations/generic/20131114/alert/k/r", 200),
        ("webex", "/v1/messages", 200),
        ("webhook", "/", 200),
        ("wechat", "/cgi-bin/message/send?access_token=x", 200),
        ("not known yet", "/", 200),
    ],
)
def test_a_notification_is_accepted(kind: str, path: str, status: int) -> None:
    result = ask(kind, path)
    assert (result.status, result.auxiliary) == (status, False)
    if result.headers.get("Content-Type", "").startswith("application/json"):
        assert isinstance(json.loads(result.body), dict)


def test_slack_webhooks_answer_ok_and_nothing_else() -> None:
    result = ask("slack", "/services/T0/B0/x")
    assert result.body == b"ok"
    assert "json" not in result.headers["Content-Type"]


def test_slack_keeps_a_message_s_time_stamp_when_it_is_updated() -> None:
    posted = json.loads(ask("slack", "/api/chat.postMessage", {"channel": "C1"}).body)
    assert (posted["ok"], posted["channel"]) == (True, "C1")
    updated = json.loads(ask("slack", "/api/chat.update", {"channel": "C1", "ts": posted["ts"]}).body)
    assert updated["ts"] == posted["ts"] != ""


def test_telegram_names_the_chat() -> None:
    result = json.loads(ask("telegram", "/bot1:x/sendMessage", {"chat_id": "-10042", "text": "hi"}).body)
    assert (result["ok"], result["result"]["chat"]["id"], result["result"]["text"]) == (True, -10042, "hi")
    assert json.loads(ask("telegram", "/bot1:x/sendMessage", {"chat_id": "@ops"}).body)["ok"]


def test_sns_answers_xml_with_a_message_id() -> None:
    root = ElementTree.fromstring(ask("sns", body=b"Action=Publish&Message=grant_type=x").body)
    assert root.findtext("{*}PublishResult/{*}MessageId")


@pytest.mark.parametrize(
    ("kind", "success"),
    [("rocketchat", {"success": True}), ("wechat", {"errcode": 0}), ("pushover", {"status": 1})],
)
def test_success_is_said_in_the_body(kind: str, success: dict[str, object]) -> None:
    assert success.items() <= json.loads(ask(kind).body).items()


def test_pagerduty_gives_the_key_back() -> None:
    assert json.loads(ask("pagerduty", "/v2/enqueue", {"dedup_key": "d"}).body)["dedup_key"] == "d"
    v1 = ask("pagerduty", "/generic/2010-04-15/create_event.json", {"incident_key": "i"})
    assert json.loads(v1.body)["incident_key"] == "i"


@pytest.mark.parametrize(
    ("method", "path", "status", "auxiliary"),
    [
        ("POST", "/rest/api/2/search", 200, True),
        ("GET", "/rest/api/3/search/jql?jql=x", 200, True),
        ("PUT", "/rest/api/2/issue/SRE-1", 204, False),
        ("GET", "/rest/api/2/issue/SRE-1/transitions", 200, True),
        ("POST", "/rest/api/2/issue/SRE-1/transitions", 204, True),
    ],
)
def test_jira_s_other_requests(method: str, path: str, status: int, auxiliary: bool) -> None:
    result = ask("jira", path, method=method)
    assert (result.status, result.auxiliary) == (status, auxiliary)
    assert json.loads(result.body or b"{}").get("issues", []) == []


def test_jira_creates_an_issue_with_a_key() -> None:
    assert json.loads(ask("jira", "/rest/api/2/issue").body)["key"]


def test_tokens_and_updates_are_no_notifications() -> None:
    token = ask("wechat", "/cgi-bin/gettoken?corpid=c", method="GET")
    assert (token.auxiliary, bool(json.loads(token.body)["access_token"])) == (True, True)
    assert ask("opsgenie", "/v2/alerts/x/message?identifierType=alias", method="PUT").auxiliary
    assert ask("telegram", "/bot1:x/getMe").auxiliary


@pytest.mark.parametrize("kind", ["webhook", "pagerduty", "msteamsv2"])
def test_oauth2_tokens_are_granted_for_any_kind(kind: str) -> None:
    result = ask(kind, "/oauth/token", b"client_id=i&grant_type=client_credentials&scope=a+b")
    token = json.loads(result.body)
    assert (result.status, result.auxiliary, token["token_type"]) == (200, True, "Bearer")
    assert token["access_token"]


def test_a_text_that_speaks_of_grant_type_is_a_notification() -> None:
    assert not ask("webhook", body={"text": "grant_type=client_credentials"}).auxiliary
