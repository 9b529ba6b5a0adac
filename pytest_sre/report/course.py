"""How a leg went over virtual time: when it held, and how near it came."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Row
from pytest_sre.promql.ast import Matching
from pytest_sre.promql.condition import Leg
from pytest_sre.promql.fold import holds
from pytest_sre.report.stays import Stay, stays

Limits = float | dict[int, float]


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


@dataclass(frozen=True, slots=True)
class Course:
    """A leg at each of the ticks that were looked at.

    ``best`` is the point nearest to holding, or furthest beyond the threshold, ``last`` that of the last tick with
    any; None where there was no value. ``held`` tells for each tick whether any series held, ``stays`` the same as
    runs of ticks. ``series`` counts the rows; ``steady``: all values were the same.
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
    margin = _margins(leg.op)
    held = [False] * len(ticks)
    values: set[float | None] = set()
    best: list[tuple[float, Point]] = []
    last: list[tuple[float, float, Point]] = []
    for row, limits in _pairs(measured):
        samples = _samples(row, limits, place)
        if not samples:
            continue
        values.update(None if math.isnan(value) else value for _, value, _ in samples)
        for time, value, limit in samples:
            if not leg.op or holds(leg.op, value, limit):
                held[place[_key(time)]] = True
        nearest, final = max(samples, key=lambda one: margin(one[1] - one[2])), samples[-1]
        best.append((margin(nearest[1] - nearest[2]), Point(*nearest, row.labels)))
        last.append((final[0], margin(final[1] - final[2]), Point(*final, row.labels)))
    return Course(
        leg,
        tuple(held),
        max(best, key=lambda one: one[0])[1] if best else None,
        max(last, key=lambda one: one[:2])[2] if last else None,
        len(measured.rows),
        len(values) == 1,
        stays(held, ticks),
    )


def _margins(op: str) -> Callable[[float], float]:
    """How far a comparison is from its border, by value - threshold; below 0 on the wrong side, NaN is furthest."""
    if op in ("<", "<="):
        return lambda apart: -math.inf if apart != apart else -apart
    if op == "==":
        return lambda apart: -math.inf if apart != apart else -abs(apart)
    if op == "!=":
        return lambda apart: -math.inf if apart != apart else abs(apart)
    return lambda apart: -math.inf if apart != apart else apart


def _samples(row: Row, limits: Limits, place: Mapping[int, int]) -> list[tuple[float, float, float]]:
    """(time, value, threshold) of a series at the ticks where it has both."""
    keyed = ((_key(time), time, value) for time, value in zip(row.times, row.values, strict=True))
    if not isinstance(limits, dict):
        return [(time, value, limits) for key, time, value in keyed if key in place]
    return [(time, value, limits[key]) for key, time, value in keyed if key in place and key in limits]


def present(rows: Sequence[Row], ticks: Sequence[float]) -> tuple[bool, ...]:
    """For each tick, whether any of the rows has a sample then."""
    times = {_key(time) for row in rows for time in row.times}
    return tuple(_key(tick) in times for tick in ticks)


def _key(time: float) -> int:
    """Prometheus counts time in milliseconds."""
    return round(time * 1000)


def _pairs(measured: Measured) -> Iterator[tuple[Row, Limits]]:
    """Each series with what it is compared with: a number, or another series' values by time."""
    leg = measured.leg
    if not leg.op or leg.threshold is not None:
        for row in measured.rows:
            yield row, math.nan if leg.threshold is None else leg.threshold
        return
    by_key: dict[Labels, list[Row]] = {}
    for other in measured.others:
        by_key.setdefault(_matched(leg.matching, other.labels), []).append(other)
    scalar = [one for one in measured.others if len(measured.others) == 1 and not one.labels]
    for row in measured.rows:
        for other in by_key.get(_matched(leg.matching, row.labels), scalar):
            yield row, dict(zip(map(_key, other.times), other.values, strict=True))


def _matched(matching: Matching, labels: Labels) -> Labels:
    """The labels by which a comparison pairs series."""
    if matching.on is not None:
        return tuple(item for item in labels if item[0] in matching.on)
    return tuple(item for item in labels if item[0] not in ("__name__", *matching.ignoring))
