"""Whether a notification says that the alert is over. Not every vendor's payload does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote

from pytest_sre.model.observation import Notification

_CLOSE = re.compile(r".*/v2/alerts/([^/?]+)/close(\?.*)?")
_VALUES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("pagerduty", "event_action"): ("trigger", "resolve"),
    ("pagerduty", "event_type"): ("trigger", "resolve"),
    ("webhook", "status"): ("firing", "resolved"),
    ("incidentio", "status"): ("firing", "resolved"),
}


def says(one: Notification) -> Literal["firing", "resolved", ""]:
    """What its payload says of itself; "" where it says nothing that we know."""
    kind, payload = one.integration.kind, one.payload
    if kind == "opsgenie":
        return "resolved" if closes(one) else "firing"
    if not isinstance(payload, Mapping):
        return ""
    if kind == "victorops":
        return "resolved" if payload.get("message_type") == "RECOVERY" else "firing"
    for (of, field), (firing, resolved) in _VALUES.items():
        value = payload.get(field) if of == kind else None
        if value in (firing, resolved):
            return "firing" if value == firing else "resolved"
    return ""


def closes(one: Notification) -> str:
    """The alias of the Opsgenie alert that it closes; "" where it closes none."""
    found = _CLOSE.fullmatch(one.destination) if one.integration.kind == "opsgenie" else None
    return unquote(found[1]) if found else ""
