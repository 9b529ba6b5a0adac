"""Fields that prometheus-operator leaves out of the configuration for an Alertmanager that does not know them yet.

Source: `sanitize` in pkg/alertmanager/amcfg.go, for Alertmanager 0.25 and newer. Alertmanager itself says what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.model.observation import Change
from pytest_sre.model.routing import Routing
from pytest_sre.sources.yamlfile import line_of
from pytest_sre.stack.dummies import words

_UNKNOWN = re.compile(r"line (\d+): field (\w+) not found in type")
_DROPPED = {
    "global": words(
        "smtp_tls_config smtp_force_implicit_tls smtp_auth_secret_file slack_app_token slack_app_token_file slack_app_url "
        "telegram_bot_token telegram_bot_token_file wechat_api_secret_file mattermost_webhook_url "
        "mattermost_webhook_url_file"
    ),
    "discord": words("webhook_url_file content username avatar_url"),
    "email": words("force_implicit_tls auth_secret_file threading"),
    "jira": words("api_type"),
    "mattermost": words(
        "fallback color pretext author_name author_link author_icon title title_link thumb_url footer footer_icon "
        "image_url fields"
    ),
    "msteams": words("summary"),
    "pagerduty": words("timeout"),
    "pushover": words("user_key_file token_file ttl device monospace"),
    "slack": words("timeout app_token app_token_file app_url message_text update_message"),
    "sns": words("use_aws_http_client external_id"),
    "telegram": words("chat_id_file bot_token_file message_thread_id"),
    "webhook": words("url_file timeout payload"),
    "wechat": words("api_secret_file"),
}
_HTTP = words("http_headers")


def leave_out(
    routing: Routing, document: Mapping[str, Any], log: str, lines: list[int]
) -> tuple[Change, ...]:
    """Remove from the copy what this Alertmanager says it does not know, if the operator leaves all of it out.

    ``log`` is what it wrote, ``lines`` are the user's line for each of the copy's. Nothing is removed otherwise.
    """
    unknown = {
        (lines[int(number) - 1], field)
        for number, field in _UNKNOWN.findall(log)
        if 0 < int(number) <= len(lines)
    }
    if not routing.operator or not unknown:
        return ()
    found = [
        (where, holder, key)
        for kind, where, part in _parts(document)
        for holder, key in _within(part)
        if (line_of(holder, key), key) in unknown and key in (_DROPPED.get(kind, frozenset()) | _HTTP)
    ]
    if {(line_of(holder, key), key) for _, holder, key in found} != unknown:
        return ()
    changes = []
    for where, holder, key in found:
        place = routing.place(line_of(holder, key))
        del holder[key]
        what = "left out, as prometheus-operator does for an Alertmanager that does not know it"
        changes.append(Change(place.path, f"{where}.{key}", what))
    return tuple(changes)


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """What each kind is configured with, and where that is."""
    yield "global", "global", document.get("global") or {}
    for receiver in document.get("receivers") or ():
        for key, entries in receiver.items():
            for i, entry in enumerate(entries if key.endswith("_configs") and entries else ()):
                yield key.removesuffix("_configs"), f"{receiver['name']}.{key}[{i}]", entry


def _within(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """All keys of a value, with the mappings that they are in."""
    items = list(
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        if isinstance(value, dict):
            yield value, key
        yield from _within(item)
