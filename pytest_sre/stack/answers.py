"""What each vendor answers to a notification, so that every Alertmanager from 0.25 to 0.33 counts it as sent.

What Alertmanager expects of an answer is in its `notify/<kind>` packages; the rest is as vendors document it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

_ID = "00000000-0000-4000-8000-000000000000"
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_SNS = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
    f"<PublishResult><MessageId>{_ID}</MessageId></PublishResult>"
    f"<ResponseMetadata><RequestId>{_ID}</RequestId></ResponseMetadata></PublishResponse>"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response; ``auxiliary``: the request was a look-up (a token, a search), not a notification."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    auxiliary: bool = False


def answer(kind: str, method: str, host: str, path: str, body: bytes) -> Answer:
    """What the vendor of a ``<kind>_configs`` entry answers; ``path`` includes the query string."""
    if _asks_for_token(body):
        return json_answer(
            {"access_token": "sre", "token_type": "Bearer", "expires_in": 3600}, auxiliary=True
        )
    respond = _VENDORS.get(kind)
    return respond(method, path.partition("?")[0], body) if respond else json_answer({})


def json_answer(value: Any, status: int = 200, auxiliary: bool = False) -> Answer:
    """A value as JSON."""
    return Answer(status, _JSON, json.dumps(value).encode(), auxiliary)


def _text(text: str, content_type: str = "text/plain; charset=utf-8") -> Answer:
    return Answer(200, {"Content-Type": content_type}, text.encode())


def _asks_for_token(body: bytes) -> bool:
    # RFC 6749, 4.4.2: a form with grant_type, whatever the path.
    return (
        b"grant_type=" in body
        and not body.lstrip().startswith((b"{", b"[", b"Action="))
        and bool(parse_qs(body.decode("utf-8", "replace")).get("grant_type"))
    )


def _field(body: bytes, name: str, default: str) -> Any:
    try:
        return json.loads(body).get(name) or default
    except (ValueError, AttributeError):
        return default


def _pagerduty(method: str, path: str, body: bytes) -> Answer:
    message = {"status": "success", "message": "Event processed"}
    if path.endswith("/create_event.json"):  # Events API v1
        return json_answer({**message, "incident_key": _field(body, "incident_key", "sre")})
    return json_answer({**message, "dedup_key": _field(body, "dedup_key", "sre")}, 202)


def _slack(method: str, path: str, body: bytes) -> Answer:
    if "/api/" not in path:
        return _text("ok", "text/html")  # Alertmanager wants exactly "ok" of an incoming webhook
    stamp = _field(body, "ts", f"{time.time():.6f}")
    return json_answer({"ok": True, "channel": _field(body, "channel", "C0SRE"), "ts": stamp, "message": {}})


def _opsgenie(method: str, path: str, body: bytes) -> Answer:
    # update_alerts sends message and description of the alert once more, by PUT.
    result = {"result": "Request will be processed", "took": 0.001, "requestId": _ID}
    return json_answer(result, 202, auxiliary=method == "PUT")


def _telegram(method: str, path: str, body: bytes) -> Answer:
    asked = re.fullmatch(r"-?\d+", str(_field(body, "chat_id", "1")))
    chat = {"id": int(asked[0]) if asked else 1, "type": "supergroup", "title": "sre"}
    message = {"message_id": 1, "date": int(time.time()), "chat": chat, "text": _field(body, "text", "")}
    return json_answer({"ok": True, "result": message}, auxiliary=not path.endswith("/sendMessage"))


def _wechat(method: str, path: str, body: bytes) -> Answer:
    good = {"errcode": 0, "errmsg": "ok"}
    if path.endswith("/gettoken"):
        return json_answer({**good, "access_token": "sre", "expires_in": 7200}, auxiliary=True)
    return json_answer({**good, "msgid": _ID})


def _jira(method: str, path: str, body: bytes) -> Answer:
    if path.endswith(("/search", "/search/jql")):
        found = {"startAt": 0, "maxResults": 2, "total": 0, "isLast": True, "issues": []}
        return json_answer(found, auxiliary=True)
    if path.endswith("/transitions"):
        return (
            json_answer({"transitions": []}, auxiliary=True)
            if method == "GET"
            else Answer(204, auxiliary=True)
        )
    if method == "PUT":
        return Answer(204)
    return json_answer(
        {"id": "10000", "key": "SRE-1", "self": f"{path}/10000"}, 201, auxiliary=method == "GET"
    )


def _rocketchat(method: str, path: str, body: bytes) -> Answer:
    channel = _field(body, "channel", "sre")
    return json_answer({"success": True, "ts": int(time.time() * 1000), "channel": channel, "message": {}})


_VENDORS: Mapping[str, Callable[[str, str, bytes], Answer]] = {
    "discord": lambda method, path, body: Answer(204),
    "incidentio": lambda method, path, body: json_answer(
        {"status": "success", "message": "Event accepted"}, 202
    ),
    "jira": _jira,
    "mattermost": lambda method, path, body: _text("ok"),
    "msteams": lambda method, path, body: _text("1"),
    "msteamsv2": lambda method, path, body: Answer(202),
    "opsgenie": _opsgenie,
    "pagerduty": _pagerduty,
    "pushover": lambda method, path, body: json_answer({"status": 1, "request": _ID}),
    "rocketchat": _rocketchat,
    "slack": _slack,
    "sns": lambda method, path, body: _text(_SNS, "text/xml"),
    "telegram": _telegram,
    "victorops": lambda method, path, body: json_answer({"result": "success", "entity_id": "sre"}),
    "webex": lambda method, path, body: json_answer({"id": _ID, "roomId": "sre"}),
    "webhook": lambda method, path, body: Answer(200),
    "wechat": _wechat,
}
