"""When something held, in words: ``from 4m to 64m after onset``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pytest_sre.report.figures import span


@dataclass(frozen=True, slots=True)
class Event:
    """What times are told from; ``time`` in seconds since the epoch."""

    time: float
    name: str = "onset"

    def tell(self, time: float) -> str:
        """A moment, such as ``52m after onset``."""
        apart = round(time - self.time, 3)
        return (
            f"{span(abs(apart))} {'after' if apart > 0 else 'before'} {self.name}"
            if apart
            else f"at {self.name}"
        )


@dataclass(frozen=True, slots=True)
class Stay:
    """A run of ticks, first and last in seconds since the epoch; open where it may go on beyond what was seen."""

    start: float
    end: float
    open_start: bool = False
    open_end: bool = False


def stays(held: Sequence[bool], ticks: Sequence[float]) -> tuple[Stay, ...]:
    """The runs of ticks in which something held."""
    found: list[Stay] = []
    for does, run in groupby(range(len(held)), key=lambda index: held[index]):
        indices = list(run)
        if does:
            first, final = indices[0], indices[-1]
            found.append(Stay(ticks[first], ticks[final], first == 0, final == len(held) - 1))
    return tuple(found)


def when(found: Sequence[Stay], event: Event) -> str:
    """When something held that did, such as ``from 4m to 64m after onset``."""
    if len(found) > 1:
        total = span(sum(stay.end - stay.start for stay in found))
        between = _span(found[0].start, found[-1].end, event, "between", "and")
        return f"{len(found)} times {between}, {total} in all"
    stay = found[0]
    if stay.open_start and stay.open_end:
        return "all the time"
    if stay.open_start:
        return f"until {event.tell(stay.end)}"
    if stay.open_end:
        return f"from {event.tell(stay.start)} to the end"
    if stay.start == stay.end:
        return f"once, {event.tell(stay.start)}"
    return _span(stay.start, stay.end, event, "from", "to")


def until(found: Sequence[Stay], event: Event) -> str:
    """How long something went on that did, such as ``until 61m after recovery``."""
    stay = found[-1]
    return f"to the end, {event.tell(stay.end)}" if stay.open_end else f"until {event.tell(stay.end)}"


def _span(start: float, end: float, event: Event, before: str, between: str) -> str:
    first, final = round(start - event.time, 3), round(end - event.time, 3)
    if first == 0 and final > 0:
        return f"{before} {event.name} {between} {span(final)} after it"
    if first > 0 or final < 0:
        side = "after" if first > 0 else "before"
        return f"{before} {span(abs(first))} {between} {span(abs(final))} {side} {event.name}"
    return f"{before} {event.tell(start)} {between} {event.tell(end)}"
