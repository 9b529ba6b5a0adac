"""A notification as a test reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_sre.model.incident import PlayedAlert
from pytest_sre.model.observation import FiredAlert, Notification


@dataclass(frozen=True, slots=True)
class Page:
    """What one receiver got for an alert, or for those of one group: ``text`` is all that a person reads, ``texts`` the same by field.

    ``after_seconds`` is from the onset of the burn until the alert fires (None: it was fired without a burn).
    ``notifications`` are all that this receiver got.
    """

    alert: str
    receiver: str
    integration: str
    title: str
    text: str
    texts: Mapping[str, str]
    links: tuple[str, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    after_seconds: float | None
    notifications: tuple[Notification, ...]


def page(name: str, sent: tuple[Notification, ...], alert: FiredAlert | None, after: float | None) -> Page:
    """The page that notifications of one receiver amount to; the first of them is shown."""
    labels = (alert.sent_labels or alert.labels) if alert else {}
    return _page(name, sent, labels, alert.annotations if alert else {}, after)


def group_page(
    alerts: Sequence[PlayedAlert], group: Mapping[str, str], sent: tuple[Notification, ...]
) -> Page:
    """The page about a group: its labels are those of its only alert, else the group's; annotations those in common."""
    names = ", ".join(dict.fromkeys(one.name for one in alerts))
    labels = alerts[0].labels if len(alerts) == 1 else group
    common = set.intersection(*(set(one.annotations.items()) for one in alerts))
    return _page(names, sent, labels, dict(sorted(common)), None)


def _page(
    name: str,
    sent: tuple[Notification, ...],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    after: float | None,
) -> Page:
    first = sent[0]
    return Page(
        name,
        first.integration.receiver,
        first.integration.kind,
        first.title,
        "\n".join(dict.fromkeys([first.title, first.text, *first.texts.values()])).strip(),
        first.texts,
        first.links,
        labels,
        annotations,
        after,
        sent,
    )
