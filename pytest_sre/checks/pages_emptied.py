"""Is a message sent although one of its templates failed? Part of `pages`.

Slack in Alertmanager 0.33 does that: what it renders after the text that failed is empty. Earlier versions send nothing
and log the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Notification
from pytest_sre.sources.alertmanager import written

# In the order in which Alertmanager renders them; whether it has a text where the user writes none.
_ATTACHED = {
    "title": True, "title_link": True, "pretext": False, "text": False, "fallback": True, "callback_id": False,
    "image_url": False, "thumb_url": False, "footer": False, "color": True,
}  # fmt: skip
_AFTER = {"channel": False, "username": True, "icon_emoji": False, "icon_url": False, "message_text": False}
_KEYS = {"message_text": "text"}  # where a payload has it under another name


def emptied(case: Case, notification: Notification, check: str) -> Finding | None:
    """A message whose last texts are all empty, though there should be some."""
    where, routing = notification.integration, case.inventory.routing
    payload = notification.payload
    if where.kind != "slack" or routing is None or not isinstance(payload, Mapping):
        return None
    if not payload.get("attachments"):  # not what Alertmanager sends
        return None
    if re.match(r"0\.([0-2]?\d|3[0-2])\.", case.versions.get("alertmanager", "")):
        return None  # such a version sends nothing then, and may know less of the texts
    config = written(routing, where)
    texts = list(_texts(payload, config))
    last = max((i for i, (_, text) in enumerate(texts) if text), default=-1)
    lost = any(_never_empty(name, config) for name, _ in texts[last + 1 :])
    if last == len(texts) - 1 or not (notification.unnamed or lost):
        return None
    after = f"; the last text is `{texts[last][0]}`" if last >= 0 else ""
    return Finding(
        check,
        case.rule.location,
        f"{where} gets {case.rule.name} without most of its texts: a template failed",
        expected="templates that render for this alert",
        seen=f"nothing in {', '.join(f'`{name}`' for name, _ in texts[last + 1 :])}{after}; Alertmanager 0.33 sends such "
        "a message and logs no error",
        next_step=f"mend `{texts[last + 1][0]}` of {where}, or what it renders after that, up to `fields` and `actions`; "
        "Alertmanager before 0.33 sends nothing and logs what is wrong",
    )


def _never_empty(name: str, config: Mapping[str, Any]) -> bool:
    """A template may say nothing; a text that is none can't, nor Alertmanager's own username, nor what has our mark."""
    if name not in config:
        return name == "username"
    if name == "message_text":
        return True
    return "{{" not in str(config[name])


def _texts(payload: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts that there should be, in the order in which they are rendered, and what they are."""
    attached: Mapping[str, Any] = payload["attachments"][0]
    for name, default in _ATTACHED.items():
        if config.get(name, "x" if default else ""):
            yield name, str(attached.get(name) or "")
    for name, default in _AFTER.items():
        if name == "message_text" and payload.get("text") == "":
            continue  # it was rendered, as our mark at its end says, and says nothing
        if config.get(name, "x" if default else ""):
            yield name, str(payload.get(_KEYS.get(name, name)) or "")
