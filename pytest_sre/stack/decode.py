"""From what the sink captured to what a person would have read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pytest_sre.model.observation import Notification
from pytest_sre.stack import marker
from pytest_sre.stack.marker import MARKED, WRAPPED
from pytest_sre.stack.reading import read
from pytest_sre.stack.sink import Capture

MAIL_HEADER = "X-Pytest-Sre"

_ATTACHMENT = r"icon_(url|emoji)|emoji|avatar|alias|(thread_)?ts|type|parse.*|link_names" + (
    r"|attachments\[\d+\]\.(color|callback_id|mrkdwn_in.*|(image|thumb)_url|.*_icon|.*\.(type|style|name))"
)
# The parts of a payload that no person reads: keys, colours, fixed words. Paths as `_leaves` writes them.
_UNREAD: Mapping[str, str] = {
    "discord": r"avatar_url|embeds\[\d+\]\.(timestamp|color|footer\.icon_url)",
    "jira": r"fields\.(project|issuetype)\..*|transition\..*|fields\.description\.(.*\.)?type",
    "mattermost": _ATTACHMENT,
    "msteams": r"@context|type|@type|themeColor",
    "msteamsv2": r"type|attachments\[\d+\]\.(contentType|content\.(\$schema|type|version|msteams\..*"
    r"|body\[\d+\]\.(type|weight|size|style|color)))",
    "opsgenie": r"alias",
    "pagerduty": r"(routing|service|dedup|incident)_key|event_(action|type)|payload\.timestamp|images.*",
    "pushover": r"token|user|retry|expire|ttl|html|monospace",
    "rocketchat": _ATTACHMENT,
    "slack": _ATTACHMENT,
    "sns": r"Action|Version|(Topic|Target)Arn|PhoneNumber|.*\.DataType",
    "telegram": r"chat_id|parse_mode|disable_.*|message_thread_id|reply_.*",
    "victorops": r"message_type|entity_id",
    "webex": r"roomId|toPerson.*",
    "wechat": r"touser|toparty|totag|agentid|safe|msgtype",
}
# What is left out of a path when the short name is not taken yet.
_SHORTER = re.compile(r"^(payload|fields|embeds\[0\]|attachments\[0\](\.content)?)\.|\.content$")
_SECRET: Mapping[str, tuple[str, ...]] = {
    "pagerduty": ("routing_key", "service_key"),
    "pushover": ("token", "user"),
}
_FORMS = ("pushover", "sns")


def decode(capture: Capture) -> Notification:
    """What a person reads in a captured request, without our mark and without secrets."""
    kind = capture.integration.kind
    sent = _payload(kind, capture)
    payload, fingerprint = _strip(sent)
    if kind == "webhook" and isinstance(payload, dict) and payload.pop(MARKED, None) is not None:
        payload = payload.get(WRAPPED, payload)
    if kind == "slack" and isinstance(sent, dict) and sent.get("text") == payload.get("text"):
        payload.pop("text", None)  # a part of message_text, whose template failed before our mark
    alerts = (
        payload.get("alerts") if kind in ("webhook", "incidentio") and isinstance(payload, dict) else None
    )
    if isinstance(alerts, list) and alerts and isinstance(alerts[0], dict):
        fingerprint = str(alerts[0].get("fingerprint") or fingerprint)
        texts = _alert_texts(payload, alerts)
    else:
        texts = _texts(kind, payload)
    for key in _SECRET.get(kind, ()):
        if isinstance(payload, dict) and payload.get(key):
            payload[key] = "…"
    seen = read(kind, payload)
    return Notification(
        capture.integration,
        _public(kind, capture.destination),
        capture.time,
        capture.status,
        texts,
        payload,
        fingerprint,
        seen.title,
        seen.text,
        seen.severity,
        seen.links,
        seen.fields,
    )


def _payload(kind: str, capture: Capture) -> Any:
    if kind == "email":
        return _mail(capture.body)
    body = capture.body.decode("utf-8", "replace")
    if kind in _FORMS:
        return dict(parse_qsl(urlsplit(capture.path).query) + parse_qsl(body))
    try:
        return json.loads(body)
    except ValueError:
        return body


def _mail(raw: bytes) -> dict[str, str]:
    # The modern policy decodes headers and bodies; it makes EmailMessage objects.
    message = message_from_bytes(raw, EmailMessage, policy=policy.default)
    fields = {name.lower(): str(value) for name, value in message.items() if not _technical(name)}
    for name, subtype in (("text", "plain"), ("html", "html")):
        part = message.get_body((subtype,))
        if part is not None:
            content = part.get_payload(decode=True)
            fields[name] = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    fields[MAIL_HEADER] = str(message.get(MAIL_HEADER, ""))
    return fields


def _technical(header: str) -> bool:
    return header.lower() in ("content-type", "mime-version", "date", "message-id", MAIL_HEADER.lower())


def _strip(value: Any) -> tuple[Any, str]:
    """The same value without marks, and the first fingerprint found."""
    found: list[str] = []

    def walk(item: Any) -> Any:
        if isinstance(item, str):
            text, fingerprint = marker.strip(item)
            found.extend([fingerprint] if fingerprint else [])
            return text
        if isinstance(item, list):
            return [walk(child) for child in item]
        if isinstance(item, dict):
            return {key: walk(child) for key, child in item.items()}
        return item

    result = walk(value)
    if isinstance(result, dict):
        result.pop(MAIL_HEADER, None)
    return result, found[0] if found else ""


def _texts(kind: str, payload: Any) -> dict[str, str]:
    unread = re.compile(_UNREAD.get(kind, "(?!)"))
    texts: dict[str, str] = {}
    for path, text in _leaves(payload):
        if text and not unread.fullmatch(path):
            short = _SHORTER.sub("", path)
            texts[path if short in texts else short] = text
    return texts


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The strings in a payload, by path: ``attachments[0].title``."""
    if isinstance(value, str):
        yield path or "body", value
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{path}[{i}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))


def _alert_texts(payload: Mapping[str, Any], alerts: list[Any]) -> dict[str, str]:
    """Alertmanager's own format: programs read it, so annotations and labels are given as JSON."""
    parts = {name: payload.get(name) for name in ("groupLabels", "commonLabels", "commonAnnotations")}
    for i, alert in enumerate(alerts):
        parts[f"alerts[{i}].annotations"] = alert.get("annotations")
        parts[f"alerts[{i}].labels"] = alert.get("labels")
    return {
        name: json.dumps(part, ensure_ascii=False, sort_keys=True) for name, part in parts.items() if part
    }


def _public(kind: str, destination: str) -> str:
    """A destination that can be shown: no password, no query values, no bot token."""
    if destination.startswith("smtp://"):
        return destination
    parts = urlsplit(destination)
    path = re.sub(r"^(.*)/bot[^/]+/", r"\1/bot…/", parts.path) if kind == "telegram" else parts.path
    # Pushover's query is the message itself.
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if kind != "pushover"]
    query = "&".join(f"{name}=…" for name in names)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))
