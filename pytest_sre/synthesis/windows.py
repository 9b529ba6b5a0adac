"""Windows over what must be evaluated at each of their moments: subqueries, and ranges over recorded series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_sre.synthesis.element import Element, Vector

LIMITS = (40, 12, 4)
"""Moments at which a window is evaluated at most, by how many windows are open around it."""


class Window(NamedTuple):
    """One series in (start, end]; each of ``points`` (time, value) stands for ``weight`` samples that Prometheus has."""

    labels: dict[str, str]
    points: list[tuple[float, float]]
    start: float
    end: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Ranged:
    """The series of a range, and those (``ghosts``) that are not there, with their distance from being there."""

    found: list[Window]
    ghosts: Vector


def moments(start: float, end: float, step: float, limit: int) -> tuple[list[float], float]:
    """Multiples of ``step`` in (start, end], thinned by a power of two to at most ``limit``; how many each stands for."""
    first, last = math.floor(start / step) + 1, math.floor(end / step)
    stride = 1
    while (last - first) // stride >= limit:
        stride *= 2
    kept = range(-(-first // stride) * stride, last + 1, stride)
    return [i * step for i in kept], (last - first + 1) / max(1, len(kept))


def gather(
    evaluate: Callable[[float], Iterable[Element]],
    times: Sequence[float],
    span: tuple[float, float],
    weight: float,
) -> Ranged:
    """What an evaluation gives at each of ``times`` in the range ``span`` = (start, end]."""
    points: dict[tuple[tuple[str, str], ...], Window] = {}
    missing: dict[tuple[tuple[str, str], ...], Element] = {}
    for time in times:
        for element in evaluate(time):
            key = tuple(sorted(element.labels.items()))
            if element.off:
                nearest = missing.get(key)
                if nearest is None or element.off < nearest.off:
                    missing[key] = element
                continue
            window = points.get(key)
            if window is None:
                window = points[key] = Window(element.labels, [], *span, weight)
            window.points.append((time, element.value))
    ghosts = [element for key, element in missing.items() if key not in points]
    return Ranged(list(points.values()), ghosts)
