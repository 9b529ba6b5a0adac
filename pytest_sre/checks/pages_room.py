"""Does a notification fit into what the vendor takes, and has Alertmanager cut anything off?"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Notification
from pytest_sre.model.payload import at, texts_in
from pytest_sre.model.receivers import MARK_LENGTH, RECEIVERS, Limit

# What Alertmanager puts in place of PagerDuty's details when an event is too large.
_REMOVED = "Custom details have been removed"


def cramped(case: Case, notification: Notification, check: str) -> Iterator[tuple[str, Finding]]:
    """What is longer than the vendor takes, and what ends at the limit with an ellipsis."""
    receiver = RECEIVERS.get(notification.integration.kind)
    for limit in receiver.limits if receiver else ():
        for value in at(notification.payload, limit.path):
            size = _size(value, limit)
            if size > limit.most:
                yield f"long {limit.path}", _too_long(case, notification, check, limit, size)
            elif isinstance(value, str) and _is_cut(value, size, limit):
                yield f"cut {limit.path}", _cut_off(case, notification, check, limit, value)
    if any(text.startswith(_REMOVED) for text in texts_in(notification.payload)):
        yield "details", _no_details(case, notification, check)


def _size(value: object, limit: Limit) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")) if limit.unit == "bytes" else len(value)
    if limit.unit == "characters":
        return sum(map(len, texts_in(value)))
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _is_cut(text: str, size: int, limit: Limit) -> bool:
    """Whether it ends as Alertmanager ends what it cuts, at a length at which it cuts."""
    ends = text.endswith(("…", "..."))
    # In the copy our mark takes room, and bytes are cut between characters.
    return ends and any(length - MARK_LENGTH - 3 <= size <= length for length in limit.cut)


def _too_long(case: Case, notification: Notification, check: str, limit: Limit, size: int) -> Finding:
    where = notification.integration
    return Finding(
        check,
        case.rule.location,
        f"{where} gets more of {case.rule.name} than {where.kind} takes",
        expected=f"{limit.path or 'a body'} of at most {limit.most:,} {limit.unit}",
        seen=f"{size:,} {limit.unit}",
        next_step=f"shorten the texts of {where}, or group by more labels so that fewer alerts share it",
        severity="warning",
    )


def _cut_off(case: Case, notification: Notification, check: str, limit: Limit, text: str) -> Finding:
    where = notification.integration
    return Finding(
        check,
        case.rule.location,
        f"the text that {where} gets for {case.rule.name} is cut off",
        expected=f"{limit.path} of at most {limit.most:,} {limit.unit}: Alertmanager cuts what is longer",
        seen=f"it ends with {text[-60:]!r}",
        next_step=f"shorten the texts of {where}; what matters most belongs in front",
        severity="warning",
    )


def _no_details(case: Case, notification: Notification, check: str) -> Finding:
    where = notification.integration
    return Finding(
        check,
        case.rule.location,
        f"{where} gets {case.rule.name} without its details",
        expected="an event of at most 512,000 bytes",
        seen="Alertmanager removed the details, because the event was larger",
        next_step=f"shorten `details` of {where}, or group by more labels",
        severity="warning",
    )
