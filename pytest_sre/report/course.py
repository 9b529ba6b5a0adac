"""How a leg went over virtual time: when it held, and how near it came."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Row
from pytest_sre.promql.ast import Matching
from pytest_sre.promql.condition import Leg
from pytest_sre.promql.fold import holds
from pytest_sre.report.stays import Stay, stays


@dataclass(frozen=True, slots=True)
class Measured:
    """What range queries gave for a leg: ``rows`` for its text, ``others`` for its ``other`` where it has one."""

    leg: Leg
    rows: tuple[Row, ...]
    others: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """A value of one series beside what it is compared with; ``time`` in seconds since the epoch."""

    time: float
    value: float
    threshold: float
    labels: Labels

    def margin(self, op: str) -> float:
        """How far the comparison is from its border; below 0 on the wrong side of it."""
        apart = self.value - self.threshold
        if math.isnan(apart):
            return -math.inf if not holds(op, self.value, self.threshold) else 0.0
        if op in (">", ">="):
            return apart
        return {"<": -apart, "<=": -apart, "==": -abs(apart)}.get(op, abs(apart))


@dataclass(frozen=True, slots=True)
class Course:
    """A leg at each of the ticks that were looked at.

    ``best`` is the point nearest to holding, or furthest beyond the threshold, ``last`` that of the last tick with
    any; None where there was no value. ``held`` tells for each tick whether any series held.
    """

    leg: Leg
    held: tuple[bool, ...]
    best: Point | None
    last: Point | None
    series: int
    steady: bool
    stays: tuple[Stay, ...]


def course(measured: Measured, ticks: Sequence[float]) -> Course:
    """What became of a leg at the ticks (seconds since the epoch, ascending); samples at other times don't count."""
    leg, place = measured.leg, {_key(tick): index for index, tick in enumerate(ticks)}
    held = [False] * len(ticks)
    best: Point | None = None
    last: Point | None = None
    values: set[float | None] = set()
    for point in _points(measured):
        index = place.get(_key(point.time))
        if index is None:
            continue
        values.add(None if math.isnan(point.value) else point.value)
        held[index] = held[index] or not leg.op or holds(leg.op, point.value, point.threshold)
        better = best is None or point.margin(leg.op) > best.margin(leg.op)
        best = point if better else best
        later = last is None or (point.time, point.margin(leg.op)) > (last.time, last.margin(leg.op))
        last = point if later else last
    return Course(leg, tuple(held), best, last, len(measured.rows), len(values) == 1, stays(held, ticks))


def present(rows: Sequence[Row], ticks: Sequence[float]) -> tuple[bool, ...]:
    """For each tick, whether any of the rows has a sample then."""
    times = {_key(time) for row in rows for time in row.times}
    return tuple(_key(tick) in times for tick in ticks)


def _key(time: float) -> int:
    """Prometheus counts time in milliseconds."""
    return round(time * 1000)


def _points(measured: Measured) -> Iterator[Point]:
    leg = measured.leg
    if not leg.op or leg.threshold is not None:
        threshold = math.nan if leg.threshold is None else leg.threshold
        for row in measured.rows:
            for time, value in zip(row.times, row.values, strict=True):
                yield Point(time, value, threshold, row.labels)
        return
    by_key: dict[Labels, list[Row]] = {}
    for other in measured.others:
        by_key.setdefault(_matched(leg.matching, other.labels), []).append(other)
    scalar = [one for one in measured.others if len(measured.others) == 1 and not one.labels]
    for row in measured.rows:
        for other in by_key.get(_matched(leg.matching, row.labels), scalar):
            limits = dict(zip(map(_key, other.times), other.values, strict=True))
            for time, value in zip(row.times, row.values, strict=True):
                if _key(time) in limits:
                    yield Point(time, value, limits[_key(time)], row.labels)


def _matched(matching: Matching, labels: Labels) -> Labels:
    """The labels by which a comparison pairs series."""
    if matching.on is not None:
        return tuple(item for item in labels if item[0] in matching.on)
    return tuple(item for item in labels if item[0] not in ("__name__", *matching.ignoring))
