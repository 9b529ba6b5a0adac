"""What an incident did, and what a test expects of it; failures are told without our own frames."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_sre.checks.case import PAGING_KINDS
from pytest_sre.errors import UserError
from pytest_sre.incidents.page import Page, page
from pytest_sre.model.near import nearest
from pytest_sre.model.observation import FiredAlert, Notification
from pytest_sre.model.slo import Notify
from pytest_sre.sources import duration

_DOES = {"page": "pages", "ticket": "raises a ticket"}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert of an incident.

    ``kind`` is whether it is a page or a ticket (None: neither is known), ``fired`` whether it fires, ``after`` how many
    seconds after the onset (None: there is no onset). ``why`` says why nothing else is known of it.
    """

    name: str
    place: str
    kind: Notify | None
    fired: bool
    after: float | None = None
    alerts: tuple[FiredAlert, ...] = ()
    notifications: tuple[Notification, ...] = ()
    why: str = ""

    @property
    def receivers(self) -> tuple[str, ...]:
        """Who got a notification, each once."""
        return tuple(dict.fromkeys(one.integration.receiver for one in self.notifications))

    def __str__(self) -> str:
        """What became of it, in a line."""
        if not self.fired:
            return f"{self.place} {self.name}: {self.why or 'does not fire'}"
        when = "" if self.after is None else f" after {duration.text(self.after)}"
        whom = f"reaches {', '.join(sorted(self.receivers))}" if self.receivers else "reaches nobody"
        return f"{self.place} {self.name}: fires{when}, {self.why or whom}"


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that fired for one cause, each sent through Alertmanager apart from the others.

    ``title`` says what was done, ``known`` are the names of all alerts of the repository, ``receivers``
    those of the Alertmanager configuration.
    """

    title: str
    alerts: tuple[Told, ...]
    known: tuple[str, ...]
    receivers: tuple[str, ...] = ()

    def expect_page(self, alert: str, *, receiver: str | None = None, within: str | None = None) -> Page:
        """The page that a receiver (a name or a pattern, None: any) gets of an alert that fires within a duration.

        Raises AssertionError where there is none, UserError for an alert that the repository does not have.
        """
        __tracebackhide__ = True
        return self._expect("page", alert, receiver, within)

    def expect_ticket(self, alert: str, *, receiver: str | None = None, within: str | None = None) -> Page:
        """The same for a ticket."""
        __tracebackhide__ = True
        return self._expect("ticket", alert, receiver, within)

    def expect_quiet(self, alert: str) -> None:
        """Raises AssertionError where an alert fires, UserError for one that the repository does not have."""
        __tracebackhide__ = True
        loud = [one for one in self._named(alert) if one.fired]
        if loud:
            raise AssertionError(self._text(f"{alert} does not fire", "raise its threshold, or expect it"))

    def expect_no_page(self, *, receiver: str = "*") -> None:
        """Raises AssertionError where an alert that pages reaches a receiver (a name or a pattern)."""
        __tracebackhide__ = True
        self._check_receiver(receiver)
        for one in self.alerts:
            if one.fired and one.kind == "page" and _reached(one, receiver):
                whom = "nobody is paged" if receiver == "*" else f"no page reaches {receiver}"
                raise AssertionError(self._text(whom, f"see the route of {one.name}, and its severity"))

    def _expect(self, kind: Notify, alert: str, receiver: str | None, within: str | None) -> Page:
        __tracebackhide__ = True
        limit = _limit(within)
        self._check_receiver(receiver)
        told = self._named(alert)
        if limit is not None and any(one.fired and one.after is None for one in told):
            raise UserError(
                "`within` is counted from the onset of a burn: use sre.burn(slo=…, error_ratio=…)"
            )
        for one in told:
            sent = _reached(one, receiver or "*")
            fits = one.kind == kind or (one.kind is None and receiver is not None)
            if one.fired and sent and fits and (limit is None or (one.after or 0.0) <= limit):
                return page(one.name, _first_receiver(sent), one.alerts[0] if one.alerts else None, one.after)
        whom = f" {receiver}" if receiver else ""
        soon = f" within {within}" if within else ""
        raise AssertionError(
            self._text(f"{alert} {_DOES[kind]}{whom}{soon}", _advice(told, kind, receiver, limit))
        )

    def _check_receiver(self, receiver: str | None) -> None:
        """Raises UserError for a name (or a pattern) that no receiver has: that nobody gets something would hold for it."""
        __tracebackhide__ = True
        if receiver and self.receivers and not fnmatch.filter(self.receivers, receiver):
            raise UserError(unknown("receiver", receiver, self.receivers))

    def _named(self, alert: str) -> list[Told]:
        """The alerts of a name (or ``file::name``); raises UserError where the repository has none."""
        __tracebackhide__ = True
        if not any(name in self.known for name in (alert, alert.rpartition("::")[2])):
            raise UserError(unknown("alert", alert, self.known))
        return [
            one for one in self.alerts if alert in (one.name, f"{one.place.rpartition(':')[0]}::{one.name}")
        ]

    def _text(self, expected: str, advice: str) -> str:
        seen = [str(one) for one in sorted(self.alerts, key=lambda one: (not one.fired, one.after or 0.0))]
        lines = (seen or ["no alert"])[0], *(f"            {line}" for line in seen[1:])
        return "\n".join(
            [
                f"{self.title}:",
                f"  expected: {expected}",
                f"  seen:     {lines[0]}",
                *lines[1:],
                f"  next:     {advice}",
            ]
        )


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """What to say of a name that does not exist, with the nearest that does."""
    names = list(dict.fromkeys(known))
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else f"there are: {', '.join(names[:20]) or 'none'}"
    return f"there is no {what} {name}; {hint}"


def _limit(within: str | None) -> float | None:
    __tracebackhide__ = True
    if within is None:
        return None
    if not isinstance(within, str):
        raise UserError(f'within={within!r}: give a text, such as within="20m"')
    try:
        return duration.seconds(within)
    except (ValueError, TypeError) as error:
        raise UserError(f"within={within!r}: {error}") from None


def _reached(one: Told, receiver: str) -> tuple[Notification, ...]:
    return tuple(
        sent for sent in one.notifications if fnmatch.fnmatchcase(sent.integration.receiver, receiver)
    )


def _rank(one: Notification) -> tuple[bool, bool, str, int]:
    to = one.integration
    return to.kind == "webhook", to.kind not in PAGING_KINDS, to.receiver, to.index


def _first_receiver(sent: Sequence[Notification]) -> tuple[Notification, ...]:
    """What one receiver got: a pager before others, programs last; the order of arrival is chance."""
    first = min(sent, key=_rank)
    others = (one for one in sent if one is not first)
    return (first, *(one for one in others if one.integration.receiver == first.integration.receiver))


def _advice(told: Sequence[Told], kind: Notify, receiver: str | None, limit: float | None) -> str:
    """What to do, by what is missing first."""
    if not told:
        return (
            "the alert does not read the series of this SLO: expect one of those above, or name another SLO"
        )
    fired = [one for one in told if one.fired]
    if not fired:
        return "lower its threshold, or expect it at a higher error ratio"
    if not any(_reached(one, receiver or "*") for one in fired):
        return "mend its route in the Alertmanager configuration, or expect another receiver"
    if limit is not None and all((one.after or 0.0) > limit for one in fired):
        return "shorten its `for` or its windows, or allow more time"
    return f"give it a severity that is a {kind} (see `severities:` in sre.yaml), or expect something else"
