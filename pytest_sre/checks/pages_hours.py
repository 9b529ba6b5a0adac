"""Who is notified at other hours: expectations with `at`, and hours in which a page reaches nobody.

Where alerts end is Alertmanager's own answer; which of these routes time intervals mute then is computed by us.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from pytest_sre.checks.case import Case, calls_itself_a_page
from pytest_sre.checks.oncall import fits, meant_for, unmet
from pytest_sre.errors import FileError
from pytest_sre.model.calendar import described, spans
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.interval import Hours
from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.routing import Routing, preorder
from pytest_sre.model.routingtest import alert_key
from pytest_sre.settings import Oncall
from pytest_sre.sources.intervals import read_hours

SWEPT = 366  # days


def wrong(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    """What is wrong at the hours that `oncall` states, and where nobody is paged at some hour of the year."""
    routing = case.inventory.routing
    followed = [(one, case.ends.get(alert_key(one.sent_labels or {}))) for one in alert.fired]
    ended = [(one, routes) for one, routes in followed if routes]
    if routing is None or not ended:
        return
    try:
        hours = read_hours(routing)
    except FileError as error:
        where = Location(error.path, error.line)
        yield Finding(check, where, "a time interval cannot be read", seen=error.reason)
        return
    told: set[str] = set()
    for fired, routes in ended:
        stated = _meant_for(case, fired.sent_labels or {})
        found = list(_stated(case, alert, check, fired, routes, stated))
        if calls_itself_a_page(case.rule, case.settings.severities) and all(one.always for one in stated):
            wanted = next((one.reaches for one in stated if not one.at and one.reaches), ("<paging>",))
            loud = _loud(routing, routes, wanted)
            found += _sweep(case, check, hours, loud)
        for finding in found:
            if str(finding) not in told:
                told.add(str(finding))
                yield finding


def _meant_for(case: Case, labels: Mapping[str, str]) -> list[Oncall]:
    """All entries with `at` that fit, and the first of the others that does."""
    fit = [one for one in case.settings.oncall if meant_for(one, labels)]
    return [*(one for one in fit if one.at), *[one for one in fit if not one.at][:1]]


def routes_at(
    routing: Routing, numbers: tuple[int, ...], at: datetime | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Those routes that are not muted at a time (None: no route ever is), and lines on the others; raises FileError."""
    if at is None:
        return numbers, ()
    hours = read_hours(routing)
    muted = [number for number in numbers if hours.muted(number, at)]
    awake = tuple(number for number in numbers if number not in muted)
    return awake, tuple(_muted_text(hours, routing, number, at) for number in muted)


def _muted_text(hours: Hours, routing: Routing, number: int, at: datetime) -> str:
    """A line of a report: a route that is muted at a time."""
    route = list(preorder(routing.root))[number]
    names = ", ".join((*hours.routes[number].mute, *hours.routes[number].active))
    return (
        f"muted     {route.location} receiver {route.receiver}: {names} at {at.isoformat(timespec='minutes')}"
    )


def _stated(
    case: Case,
    alert: AlertObservation,
    check: str,
    fired: FiredAlert,
    routes: tuple[int, ...],
    stated: list[Oncall],
) -> Iterator[Finding]:
    """Each entry with `at` must hold at its time."""
    assert case.inventory.routing is not None
    tree = list(preorder(case.inventory.routing.root))
    for entry in stated:
        if entry.at is None:
            continue
        open_routes, muted = routes_at(case.inventory.routing, routes, entry.at)
        awake = {tree[number].receiver for number in open_routes}
        sent = {one.integration for one in alert.notifications if one.integration.receiver in awake}
        got = sorted(() if fired.inhibited_by else sent, key=str)
        missing, wrong = unmet(entry, got)
        if missing or wrong or not (got or entry.reaches or entry.never):
            wanted = [" and ".join(missing)] if missing else []
            wanted += [f"none of {', '.join(entry.never)}"] if wrong else []
            yield Finding(
                check,
                case.rule.location,
                f"{case.rule.name} does not notify as stated at {entry.at.isoformat(timespec='minutes')}",
                expected=", ".join(wanted) or "some receiver with an integration",
                seen=", ".join(map(str, got)) or "nobody is notified",
                details=muted,
                next_step="mend the routes' time intervals, or the entry of `oncall` in sre.yaml",
            )


def _loud(routing: Routing, routes: tuple[int, ...], wanted: tuple[str, ...]) -> tuple[int, ...]:
    """The routes that lead to an integration that is wanted; where none does, to any."""
    tree = list(preorder(routing.root))
    able = {one.receiver for one in routing.integrations}
    right = {one.receiver for one in routing.integrations if any(fits(pattern, one) for pattern in wanted)}
    found = tuple(number for number in routes if tree[number].receiver in right)
    return found or tuple(number for number in routes if tree[number].receiver in able)


def _sweep(case: Case, check: str, hours: Hours, loud: tuple[int, ...]) -> Iterator[Finding]:
    """The spans of the coming year in which all of these routes are muted."""
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    found = _muted_spans(hours, loud, today) if loud else ()
    if found:
        places = ", ".join(str(hours.routes[number].location) for number in loud)
        yield Finding(
            check,
            hours.routes[loud[0]].location,
            f"{case.rule.name} calls itself a page, and at some hours it reaches nobody",
            expected="somebody is notified at any hour",
            seen="\n".join(found),
            details=(f"muted     all routes through which somebody is notified: {places}",),
            next_step="add a route for these hours, or accept them: `always: false` in its entry of `oncall`",
        )


@lru_cache(maxsize=256)
def _muted_spans(hours: Hours, routes: tuple[int, ...], start: datetime) -> tuple[str, ...]:
    used = hours.used(routes)
    if not used:
        return ()

    def muted(at: datetime) -> bool:
        return all(hours.muted(number, at) for number in routes)

    end = start + timedelta(days=SWEPT)
    found = spans(muted, used, start, end)
    if found == [(start, end)]:
        return (f"at all hours of the {SWEPT} days from {start:%Y-%m-%d}",)
    return tuple(described(found, used[0].zone))
