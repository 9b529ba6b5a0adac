"""Data for plots of legs over time: few enough points to draw, with every extreme kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from pytest_sre.model.timeline import Row
from pytest_sre.promql.condition import Leg
from pytest_sre.report.course import Measured

POINTS = 200


def plot(measured: Iterable[Measured], onset: float, points: int = POINTS) -> list[dict[str, Any]]:
    """A line for each series of each leg, ready for JSON; ``times`` in seconds from the onset (given since the epoch).

    ``role`` is ``threshold`` for series that others are compared with. A value that is no finite number is null.
    """
    return list(_lines(measured, onset, points))


def _lines(measured: Iterable[Measured], onset: float, points: int) -> Iterator[dict[str, Any]]:
    for one in measured:
        for row in one.rows:
            yield _line(one.leg, one.leg.text, "value", row, onset, points)
        for row in one.others:
            yield _line(one.leg, one.leg.other, "threshold", row, onset, points)


def _line(leg: Leg, expr: str, role: str, row: Row, onset: float, points: int) -> dict[str, Any]:
    times, values = downsample(row.times, row.values, points)
    return {
        "leg": leg.name,
        "role": role,
        "expr": expr,
        "op": leg.op,
        "threshold": _finite(leg.threshold),
        "budget": _finite(leg.budget),
        "unit": leg.unit,
        "negated": leg.negated,
        "labels": dict(row.labels),
        "times": [round(time - onset, 3) for time in times],
        "values": [_finite(value) for value in values],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def downsample(
    times: Sequence[float], values: Sequence[float], points: int = POINTS
) -> tuple[list[float], list[float]]:
    """At most ``points`` (4 or more) of the samples: the first, the last, and between them each bucket's extremes."""
    count = len(times)
    if count <= points:
        return list(times), list(values)
    inner, buckets = count - 2, (points - 2) // 2
    edges = [1 + bucket * inner // buckets for bucket in range(buckets + 1)]
    kept = {0, count - 1}
    for start, end in pairwise(edges):
        ranked = [index for index in range(start, end) if not math.isnan(values[index])] or [start]
        kept |= {min(ranked, key=values.__getitem__), max(ranked, key=values.__getitem__)}
    chosen = sorted(kept)
    return [times[index] for index in chosen], [values[index] for index in chosen]
