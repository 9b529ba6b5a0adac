"""Alertmanager's time intervals, and whether an instant is in one.

The one thing that we compute instead of asking the server, as its clock can't be set. Every rule here is that of
`timeinterval.go`, its oddities included; a property test compares it with real Alertmanagers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from pytest_sre.model.finding import Location

Range = tuple[int, int]
"""First and last of what a field allows, both included."""
DEFINED = ("mute_time_intervals", "time_intervals")
"""Where a configuration has its intervals, at the top level."""
USED = ("mute_time_intervals", "active_time_intervals")
"""Where a route names them."""
DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Interval:
    """Instants that meet all fields. None allows anything, an empty tuple nothing, as in Alertmanager.

    ``times`` are minutes of the day, the end excluded; ``weekdays`` count from 0, Sunday; ``days_of_month`` below 0
    count from the month's end. ``zone`` is an IANA name.
    """

    times: tuple[Range, ...] | None = None
    weekdays: tuple[Range, ...] | None = None
    days_of_month: tuple[Range, ...] | None = None
    months: tuple[Range, ...] | None = None
    years: tuple[Range, ...] | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class RouteHours:
    """The names of the intervals in which a route is muted, and of those outside of which it is."""

    mute: tuple[str, ...]
    active: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """A configuration's intervals by name, and for each route (in preorder) which of them it uses."""

    intervals: Mapping[str, tuple[Interval, ...]]
    routes: tuple[RouteHours, ...]

    def used(self, routes: Iterable[int]) -> tuple[Interval, ...]:
        """The intervals that decide when these routes are muted."""
        names = dict.fromkeys(
            name for number in routes for name in (*self.routes[number].mute, *self.routes[number].active)
        )
        return tuple(part for name in names for part in self.intervals[name])

    def muted(self, number: int, instant: datetime) -> bool:
        """Whether a route sends nothing at an instant. Children don't inherit their parent's intervals."""
        route = self.routes[number]
        within = [name for name in (*route.mute, *route.active) if self._within(name, instant)]
        return any(name in within for name in route.mute) or (
            bool(route.active) and not any(name in within for name in route.active)
        )

    def _within(self, name: str, instant: datetime) -> bool:
        return any(contains(part, instant) for part in self.intervals[name])


def contains(interval: Interval, instant: datetime) -> bool:
    """Whether an aware instant is in an interval."""
    local = instant.astimezone(ZoneInfo(interval.zone))
    minute = local.hour * 60 + local.minute
    times = interval.times
    return (
        (times is None or any(start <= minute < end for start, end in times))
        and (interval.days_of_month is None or _on_day(interval.days_of_month, local))
        and _meets(interval.months, local.month)
        and _meets(interval.weekdays, local.isoweekday() % 7)
        and _meets(interval.years, local.year)
    )


def _meets(ranges: tuple[Range, ...] | None, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


def _on_day(ranges: tuple[Range, ...], local: datetime) -> bool:
    days = _days_in_month(local)
    for first, last in ranges:
        begin, end = (day if day > 0 else days + day + 1 for day in (first, last))
        if begin <= days and begin <= local.day <= min(end, days):
            return True
    return False


def _days_in_month(local: datetime) -> int:
    """As Alertmanager counts: whole days of 24 hours, so that a month that loses an hour has a day less."""
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    end = start.replace(year=year, month=month)
    return (end.astimezone(timezone.utc) - start.astimezone(timezone.utc)).days
