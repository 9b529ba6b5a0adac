"""Is what the on-call reads complete: a title, the summary, the runbook, nothing cut off, links that lead somewhere?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pytest_sre.checks.case import Case
from pytest_sre.checks.pages_emptied import emptied
from pytest_sre.checks.pages_links import strayed
from pytest_sre.checks.pages_room import cramped
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, Notification
from pytest_sre.model.receivers import RECEIVERS
from pytest_sre.sources.alertmanager import written

_NUMBER = re.compile(r"\d+(\.\d+)?(e[-+]?\d+)?")
_SUMMARIES = ("summary", "description", "message")


def unreadable(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    """Findings about what is read, one of each sort and integration."""
    told: set[tuple[str, str]] = set()
    for notification in alert.notifications:
        for sort, finding in _of_one(case, alert, notification, check):
            if (str(notification.integration), sort) not in told:
                told.add((str(notification.integration), sort))
                yield finding


def _of_one(
    case: Case, alert: AlertObservation, notification: Notification, check: str
) -> Iterator[tuple[str, Finding]]:
    if finding := emptied(case, notification, check):
        yield "template", finding
        return
    if finding := _untitled(case, notification, check):
        yield "title", finding
    cut = list(cramped(case, notification, check))
    yield from cut
    yield from strayed(case, notification, check)
    if not cut:
        yield from _left_out(case, alert, notification, check)


def _untitled(case: Case, notification: Notification, check: str) -> Finding | None:
    """An empty title, unless the configuration itself says that there is none."""
    kind = RECEIVERS.get(notification.integration.kind)
    if kind is None or not kind.setting or notification.title.strip() or _wants_none(case, notification):
        return None
    where = notification.integration
    return Finding(
        check,
        case.rule.location,
        f"{where} gets {case.rule.name} without a title",
        expected=f"a text in {' or '.join(kind.title)}",
        seen="an empty title",
        next_step=f"mend `{kind.setting}` of {where}, or give the alert what its template reads",
    )


def _wants_none(case: Case, notification: Notification) -> bool:
    one, routing = notification.integration, case.inventory.routing
    title = written(routing, one).get(RECEIVERS[one.kind].setting) if routing else None
    return isinstance(title, str) and not title.strip()


def _left_out(
    case: Case, alert: AlertObservation, notification: Notification, check: str
) -> Iterator[tuple[str, Finding]]:
    """The summary and the runbook of at least one of the alerts must be in it."""
    read = _alike(" ".join(_everything(notification)))
    kinds = (("summary", _SUMMARIES), ("runbook", case.settings.runbooks.annotations))
    for sort, names in kinds:
        told = _annotated(alert, notification, names)
        if told and not any(_alike(text) in read for _, text in told):
            name, text = told[0]
            yield (
                sort,
                Finding(
                    check,
                    case.rule.location,
                    f"{notification.integration} does not say the {sort} of {case.rule.name}",
                    expected=f"the annotation {name}: {_short(text)}",
                    seen=_short(_words(f"{notification.title} {notification.text}")) or "no text",
                    next_step=f"add {{{{ .Annotations.{name} }}}} of each of .Alerts to the texts of "
                    f"{notification.integration}",
                    severity="warning",
                ),
            )


def _annotated(
    alert: AlertObservation, notification: Notification, names: tuple[str, ...]
) -> list[tuple[str, str]]:
    """What the alerts that go to this receiver say under the first of the names that they have."""
    here = [one for one in alert.fired if notification.integration.receiver in one.receivers]
    found = (
        next(((name, one.annotations[name]) for name in names if one.annotations.get(name, "").strip()), None)
        for one in here
    )
    return [one for one in found if one is not None]


def _everything(notification: Notification) -> Iterator[str]:
    yield from (notification.title, notification.text)
    yield from notification.texts.values()
    yield from notification.fields.values()
    yield from notification.links


def _words(text: str) -> str:
    """Without what mark-up changes: entities, backslashes of escapes, spaces."""
    return " ".join(html.unescape(text).replace("\\", "").split())


def _alike(text: str) -> str:
    """Any number for any other: what was sent was evaluated a little earlier or later than what was seen."""
    return _NUMBER.sub("0", _words(text))


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"
