"""When routes are muted: all spans in which a condition on time intervals holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from pytest_sre.model.interval import DAY, Interval

Span = tuple[datetime, datetime]
"""An instant and the first one after it, in UTC."""
_MINUTE = timedelta(minutes=1)


def spans(
    holds: Callable[[datetime], bool], intervals: Iterable[Interval], start: datetime, end: datetime
) -> list[Span]:
    """The spans from ``start`` until ``end`` in which ``holds``, which depends on nothing but ``intervals``."""
    points = [start, *edges(intervals, start, end), end]
    found: list[Span] = []
    for at, after in itertools.pairwise(points):
        if at == after or not holds(at):
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], after)
        else:
            found.append((at, after))
    return found


def edges(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[datetime]:
    """All instants between two, in order, at which any of the intervals may begin or end."""
    minutes: dict[str, set[int]] = {}
    for interval in intervals:
        times = interval.times or ()
        minutes.setdefault(interval.zone, {0}).update(minute % DAY for each in times for minute in each)
    found = {at for zone, of_day in minutes.items() for at in _of_zone(ZoneInfo(zone), of_day, start, end)}
    return sorted(at for at in found if start < at < end)


def _of_zone(zone: ZoneInfo, minutes: set[int], start: datetime, end: datetime) -> Iterator[datetime]:
    yield from _changes(zone, start, end)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for minute in minutes:
            local = datetime.combine(day, time(minute // 60, minute % 60), zone)
            # A local time may be there twice, or not at all: then the change of the clock is an edge.
            yield local.astimezone(timezone.utc)
            yield local.replace(fold=1).astimezone(timezone.utc)
        day += timedelta(days=1)


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants at which a zone's clock is put forward or back."""
    at = start
    while at < end:
        after = at + timedelta(days=1)
        if _offset(zone, at) != _offset(zone, after):
            low, high = at, after
            while high - low > _MINUTE:
                middle = low + (high - low) // _MINUTE // 2 * _MINUTE
                low, high = (middle, high) if _offset(zone, middle) == _offset(zone, at) else (low, middle)
            yield high
        at = after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def described(found: Sequence[Span], zone: str, shown: int = 3) -> list[str]:
    """Spans in a zone's own time, those of every day or week as one; at most ``shown``, then how many more."""
    local = [(start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))) for start, end in found]
    groups: dict[tuple[object, ...], list[Span]] = {}
    for start, end in local:
        groups.setdefault((start.weekday(), start.time(), _length(start, end), end.time()), []).append(
            (start, end)
        )
    weekly = {key: each for key, each in groups.items() if len(each) >= 50}
    lines = list(_weekly([each[0] for each in weekly.values()]))
    rare = [one for key, each in groups.items() if key not in weekly for one in each]
    # The first and the last of a series may be cut off by the calendar's own ends.
    rare = [one for one in rare if not (lines and one in (local[0], local[-1]))]
    lines += [f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}" for start, end in sorted(rare)]
    more = [f"and {len(lines) - shown} more"] if len(lines) > shown else []
    return [f"{line} ({zone})" for line in lines[:shown]] + more


def _weekly(found: Sequence[Span]) -> Iterator[str]:
    by_time: dict[tuple[time, int, time], list[Span]] = {}
    for start, end in found:
        by_time.setdefault((start.time(), _length(start, end), end.time()), []).append((start, end))
    for (begins, days, ends), each in by_time.items():
        midnight = days == 1 and ends == time()
        until = "24:00" if midnight else f"{ends:%H:%M}"
        if len(each) == 7:
            yield f"every day {begins:%H:%M} to {until}"
            continue
        for start, end in sorted(each, key=lambda span: span[0].weekday()):
            day = "" if days == 0 or midnight else f"{end:%A} "
            yield f"every {start:%A} {begins:%H:%M} to {day}{until}"


def _length(start: datetime, end: datetime) -> int:
    first: date = start.date()
    return (end.date() - first).days
