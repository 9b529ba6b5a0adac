"""The time intervals of an Alertmanager configuration → `model.interval`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from pytest_sre.errors import FileError
from pytest_sre.model.finding import Location
from pytest_sre.model.interval import DEFINED, USED, Hours, Interval, Range, RouteHours
from pytest_sre.model.routing import Routing
from pytest_sre.sources.yamlfile import line_of

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
_Read = Callable[[str], int]


@lru_cache(maxsize=8)
def read_hours(routing: Routing) -> Hours:
    """A configuration's intervals and where its routes use them; raises FileError (file:line: what, what to do)."""
    try:
        hours = _hours(routing)
    except FileError as error:
        place = routing.place(error.line)
        raise FileError(place.path, place.line, error.reason) from None
    routes = (replace(route, location=routing.place(route.location.line)) for route in hours.routes)
    return replace(hours, routes=tuple(routes))


def _hours(routing: Routing) -> Hours:
    intervals: dict[str, tuple[Interval, ...]] = {}
    for key in DEFINED:
        entries = routing.document.get(key) or ()
        for i, entry in enumerate(entries):
            line = line_of(entries, i)
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                raise _error(routing.path, line, "a time interval without a name", "Add `name: …`")
            parts = entry.get("time_intervals") or ()
            intervals[entry["name"]] = tuple(
                _interval(routing.path, part or {}, line_of(parts, j)) for j, part in enumerate(parts)
            )
    return Hours(intervals, tuple(_routes(routing.path, routing.document["route"], 1, intervals)))


def has_hours(routing: Routing | None) -> bool:
    """Whether a configuration has any time interval."""
    return routing is not None and any(routing.document.get(key) for key in DEFINED)


def _routes(
    path: str, route: Mapping[str, Any], line: int, known: Mapping[str, object]
) -> Iterator[RouteHours]:
    names = [_names(path, route, key, known) for key in USED]
    yield RouteHours(names[0], names[1], Location(path, line))
    children = route.get("routes") or ()
    for i, child in enumerate(children):
        yield from _routes(path, child, line_of(children, i), known)


def _names(path: str, route: Mapping[str, Any], key: str, known: Mapping[str, object]) -> tuple[str, ...]:
    names = route.get(key) or ()
    for i, name in enumerate(names):
        if name not in known:
            raise _error(
                path, line_of(names, i), f'no time interval is called "{name}"', "Define or rename it"
            )
    return tuple(map(str, names))


def _interval(path: str, part: Mapping[str, Any], line: int) -> Interval:
    def ranges(key: str, read: _Read) -> tuple[Range, ...] | None:
        items = part.get(key)
        if items is None:
            return None
        return tuple(_range(path, line_of(items, i, line), item, read) for i, item in enumerate(items))

    times = part.get("times")
    return Interval(
        None if times is None else tuple(_times(path, times)),
        ranges("weekdays", lambda text: _DAYS.index(text)),
        ranges("days_of_month", int),
        ranges("months", lambda text: _MONTHS.index(text) + 1 if text in _MONTHS else int(text)),
        ranges("years", int),
        _zone(path, line_of(part, "location", line), part.get("location")),
    )


def _range(path: str, line: int, item: object, read: _Read) -> Range:
    first, colon, last = str(item).lower().partition(":")
    try:
        return read(first), read(last if colon else first)
    except ValueError:
        raise _error(
            path, line, f"`{item}` is no range of a time interval", "Write one value, or `first:last`"
        ) from None


def _times(path: str, times: Any) -> Iterator[Range]:
    for i, entry in enumerate(times):
        texts = [entry.get(key) if isinstance(entry, Mapping) else None for key in ("start_time", "end_time")]
        found = [_TIME.fullmatch(str(text)) for text in texts]
        if found[0] is None or found[1] is None:
            raise _error(
                path, line_of(times, i), "not a range of times", "Write `start_time: '09:00'` and `end_time`"
            )
        yield _minute(found[0]), _minute(found[1])


def _minute(found: re.Match[str]) -> int:
    hour, minute = (int(part) for part in found.groups() if part is not None)
    return hour * 60 + minute


def _zone(path: str, line: int, written: object) -> str:
    if written is None or written in ("", "Local"):
        return "UTC"  # Local: the server's own, which is UTC in its images
    try:
        return ZoneInfo(str(written)).key
    except (ValueError, OSError, KeyError):
        raise _error(
            path,
            line,
            f"the time zone `{written}` is not known here",
            "Correct it, or install the package tzdata",
        ) from None


def _error(path: str, line: int, what: str, remedy: str) -> FileError:
    return FileError(path, line, f"{what}. {remedy}.")
