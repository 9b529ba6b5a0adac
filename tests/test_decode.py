"""What a person reads in each vendor's request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration
from pytest_sre.stack.decode import decode
from pytest_sre.stack.sink import Capture

FINGERPRINT = "0123456789abcdef"
MARK = f"sretag{FINGERPRINT}gat"


def read(kind: str, body: Any, destination: str = "https://host.example/x") -> Notification:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = "/" + destination.partition("://")[2].partition("/")[2]
    headers = {"Authorization": "Bearer hush"}
    integration = Integration("ops", kind, 0)
    return decode(Capture(integration, "one", destination, "POST", path, 1.5, 200, headers, raw))


@pytest.mark.parametrize(
    ("kind", "body", "texts"),
    [
        (
            "slack",
            {
                "channel": "#ops",
                "attachments": [
                    {
                        "title": MARK + "T",
                        "text": "x",
                        "fallback": "f",
                        "footer": "",
                        "color": "danger",
                        "mrkdwn_in": ["text"],
                        "fields": [{"title": "k", "value": "v", "short": True}],
                        "actions": [{"type": "button", "text": "Runbook", "url": "http://r"}],
                    }
                ],
            },
            {
                "channel": "#ops",
                "title": "T",
                "text": "x",
                "fallback": "f",
                "fields[0].title": "k",
                "fields[0].value": "v",
                "actions[0].text": "Runbook",
                "actions[0].url": "http://r",
            },
        ),
        (
            "mattermost",
            {"text": MARK + "out", "attachments": [{"text": "in"}, {"text": "second"}]},
            {"text": "out", "attachments[0].text": "in", "attachments[1].text": "second"},
        ),
        (
            "pagerduty",
            {
                "routing_key": "hush",
                "dedup_key": "d",
                "event_action": "trigger",
                "payload": {"summary": MARK + "S", "severity": "error", "custom_details": {"firing": "F"}},
                "links": [{"href": "http://r", "text": "Runbook"}],
            },
            {
                "summary": "S",
                "severity": "error",
                "custom_details.firing": "F",
                "links[0].href": "http://r",
                "links[0].text": "Runbook",
            },
        ),
        (
            "jira",
            {"fields": {"project": {"key": "K"}, "summary": MARK, "description": {"type": "d", "text": "D"}}},
            {"description.text": "D"},
        ),
        ("discord", {"embeds": [{"title": "T", "description": MARK, "color": 1}]}, {"title": "T"}),
        ("wechat", {"text": {"content": MARK + "M"}, "touser": "@all", "msgtype": "text"}, {"text": "M"}),
        ("telegram", {"chat_id": "1", "text": MARK + "M", "parse_mode": "HTML"}, {"text": "M"}),
        ("brand new", {"a": [MARK + "M", {"b": "N"}], "n": 1}, {"a[0]": "M", "a[1].b": "N"}),
        ("sns", urlencode({"Action": "Publish", "Message": MARK + "M & ü"}).encode(), {"Message": "M & ü"}),
        ("webhook", (MARK + "not JSON").encode(), {"body": "not JSON"}),
        ("webhook", {"custom": MARK + "payload"}, {"custom": "payload"}),
    ],
)  # fmt: skip
def test_texts_are_read_and_the_mark_is_gone(kind: str, body: Any, texts: dict[str, str]) -> None:
    notification = read(kind, body)
    assert notification.texts == texts
    assert notification.fingerprint == FINGERPRINT
    assert "sretag" not in repr(notification)
    assert "hush" not in repr(notification)


def test_pushover_s_message_is_in_the_query() -> None:
    query = urlencode(
        {"token": "hush", "user": "hush", "title": MARK + "Hot", "message": "a b\nc", "retry": "60"}
    )
    notification = read("pushover", b"", f"https://api.pushover.net/1/messages.json?{query}")
    assert notification.texts == {"title": "Hot", "message": "a b\nc"}
    assert notification.fingerprint == FINGERPRINT
    assert notification.destination == "https://api.pushover.net/1/messages.json"
    assert "hush" not in repr(notification)


@pytest.mark.parametrize("kind", ["webhook", "incidentio"])
def test_alertmanager_s_own_format_names_the_alert(kind: str) -> None:
    alert = {"labels": {"alertname": "A"}, "annotations": {"summary": "ü"}, "fingerprint": FINGERPRINT}
    notification = read(kind, {"groupLabels": {"alertname": "A"}, "commonAnnotations": {}, "alerts": [alert]})
    assert notification.fingerprint == FINGERPRINT
    assert notification.texts == {
        "groupLabels": '{"alertname": "A"}',
        "alerts[0].annotations": '{"summary": "ü"}',
        "alerts[0].labels": '{"alertname": "A"}',
    }


def test_mail_is_decoded() -> None:
    encoded = b"--BB\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    encoded += b"Content-Type: text/%s; charset=UTF-8\r\n\r\n%s\r\n"
    raw = b"X-Pytest-Sre: %s\r\nSubject: =?utf-8?q?=C3=9Cber?=\r\n =?utf-8?q?last?=\r\n" % MARK.encode()
    raw += b"To: a@x, b@y\r\nDate: now\r\nMIME-Version: 1.0\r\n"
    raw += b"Content-Type: multipart/alternative;  boundary=BB\r\n\r\n"
    raw += encoded % (b"plain", b"so=C3=9F =\r\nlong") + encoded % (b"html", b"<b>=C3=9F</b>") + b"--BB--\r\n"
    notification = read("email", raw, "smtp://mail:587 -> a@x, b@y")
    assert notification.texts == {
        "subject": "Überlast",
        "to": "a@x, b@y",
        "text": "soß long",
        "html": "<b>ß</b>",
    }
    assert notification.fingerprint == FINGERPRINT
    assert notification.destination == "smtp://mail:587 -> a@x, b@y"


@pytest.mark.parametrize(
    ("kind", "destination", "shown"),
    [
        (
            "telegram",
            "https://api.telegram.org/bot1:hush/sendMessage",
            "https://api.telegram.org/bot…/sendMessage",
        ),
        (
            "telegram",
            "https://tg.example/proxy/bothush/sendMessage",
            "https://tg.example/proxy/bot…/sendMessage",
        ),
        (
            "webhook",
            "https://me:hush@hook.example:8443/a?key=hush&b=",
            "https://hook.example:8443/a?key=…&b=…",
        ),
        ("webhook", "https://hook.example/bots/x", "https://hook.example/bots/x"),
        ("slack", "https://hooks.slack.com/services/T/B/X", "https://hooks.slack.com/services/T/B/X"),
    ],
)
def test_a_destination_is_shown_without_its_secrets(kind: str, destination: str, shown: str) -> None:
    assert read(kind, {}, destination).destination == shown


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(
    body=JSON | st.binary(), kind=st.sampled_from(["slack", "webhook", "sns", "email", "pagerduty", "wechat"])
)
def test_whatever_is_sent_is_decoded(body: Any, kind: str) -> None:
    notification = read(kind, body)
    assert all(isinstance(text, str) and text for text in notification.texts.values())
