"""Alerts that fire together, and what a test expects of them; judged as the incident tests of sre.yaml are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_sre.checks import incident as check
from pytest_sre.errors import UserError
from pytest_sre.incidents.given import read_as
from pytest_sre.incidents.incident import unknown
from pytest_sre.incidents.page import Page, group_page
from pytest_sre.incidents.stated import Wanted, read_silences, read_wanted
from pytest_sre.model.finding import Finding
from pytest_sre.model.incident import (
    ExpectedNotification,
    GroupNotification,
    Incident,
    IncidentObservation,
)
from pytest_sre.model.observation import Notification
from pytest_sre.sources.incidents import IncidentSpec, names_of

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Together:
    """Alerts that fired together in one Alertmanager. ``receivers`` are all of its configuration."""

    incident: Incident
    seen: IncidentObservation
    receivers: tuple[str, ...]
    decoded: Callable[[Notification], Notification]

    def expect_notifications(self, wanted: Wanted) -> tuple[Page, ...]:
        """Exactly these notifications come; returns them in this order.

        Raises AssertionError where others come or one doesn't, UserError for a receiver or an alert that there is not.
        """
        __tracebackhide__ = True
        stated = tuple(self._stated(wanted))
        _fail(check.notified(replace(self.incident, notifications=stated), self.seen, "expect_notifications"))
        left = [one for one in self.seen.notifications if one.sent]
        return tuple(self._page(_take(left, one, self.seen)) for one in stated)

    def expect_inhibited(self, *alerts: str) -> None:
        """Exactly these alerts are inhibited; without a name none is. Raises as `expect_notifications` does."""
        __tracebackhide__ = True
        self._check_names(alerts)
        _fail(check.held_back(replace(self.incident, inhibited=alerts), self.seen, "expect_inhibited"))

    def expect_silenced(self, *alerts: str) -> None:
        """Exactly these alerts are silenced; without a name none is. Raises as `expect_notifications` does."""
        __tracebackhide__ = True
        self._check_names(alerts)
        _fail(check.held_back(replace(self.incident, silenced=alerts), self.seen, "expect_silenced"))

    def _stated(self, wanted: Wanted) -> Iterator[ExpectedNotification]:
        __tracebackhide__ = True
        for receiver, names in read_wanted(wanted):
            if receiver not in self.receivers:
                raise UserError(unknown("receiver", str(receiver), self.receivers))
            self._check_names(names)
            yield ExpectedNotification(receiver, names, self.incident.location)

    def _check_names(self, names: Iterable[str]) -> None:
        __tracebackhide__ = True
        known = names_of(self.incident)
        for name in names:
            if not isinstance(name, str):
                raise UserError(f'{name!r} is no alert\'s name; name each by itself, as ("A", "B")')
            if name not in known:
                raise UserError(unknown("alert of this incident", name, known))

    def _page(self, group: GroupNotification) -> Page:
        alerts = [one for one in self.seen.alerts if one.fingerprint in group.alerts]
        return group_page(alerts, group.labels, tuple(map(self.decoded, group.sent)))


def read_together(alerts: Sequence[Any], silences: Iterable[str]) -> Incident:
    """An incident of alerts as sre.yaml has them, or as labels with an alertname; raises UserError."""
    __tracebackhide__ = True
    if not alerts:
        raise UserError(
            'sre.together: no alert; name those that fire, as sre.together("A", {"alertname": "B"})'
        )
    given = [{"labels": one} if isinstance(one, Mapping) and "alertname" in one else one for one in alerts]
    written = {"alerts": given, "silences": read_silences(silences), "notifications": ()}
    made = read_as(IncidentSpec, {"name": "?", **written}, "sre.together").as_model("")
    names = [one.alert or one.labels["alertname"] for one in made.alerts]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return replace(made, name=f"{', '.join(names[:_NAMED])}{more}")


def _take(
    left: list[GroupNotification], wanted: ExpectedNotification, seen: IncidentObservation
) -> GroupNotification:
    found = next(one for one in left if check.fits(wanted, one, seen))
    left.remove(found)
    return found


def _fail(findings: Sequence[Finding]) -> None:
    __tracebackhide__ = True
    if findings:
        raise AssertionError("\n".join(one.text for one in findings))
