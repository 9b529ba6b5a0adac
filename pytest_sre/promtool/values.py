"""Samples of our scenarios as numbers that people can read: steady changes have a few digits, and add up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

_DIGITS = 3
"""Digits of the slowest change, besides the first."""
_FINEST = 14
"""Digits of the largest value that a float holds well."""
_GAUGE = 6
"""Digits of values that do not change steadily and are no whole numbers."""
_FEW = 3

Values = Sequence[float | None]


def readable(values: Values) -> list[float | None]:
    """The same course with rounded steps: each is off by less than a thousandth; counters that rise still rise."""
    runs = list(_runs(values))
    digits = _decimals(values, runs)
    if digits is None:
        return [_short(value) for value in values]
    made: list[float | None] = []
    shift, before = 0.0, math.nan
    for start, end in runs:
        first, last = values[start], values[end - 1]
        if first is None or last is None or not math.isfinite(first):
            made.append(first)
            continue
        if not first >= before:  # a counter that begins anew
            shift = 0.0
        step = (last - first) / (end - start - 1) if end - start > 1 else 0.0
        run = accumulate([round(step, digits)] * (end - start - 1), initial=round(first + shift, digits))
        made += run
        shift, before = (made[-1] or 0.0) - last, last
    return made


def _short(value: float | None) -> float | None:
    if value is None or not math.isfinite(value) or value == int(value):
        return value
    return float(f"{value:.{_GAUGE}g}")


def _decimals(values: Values, runs: Sequence[tuple[int, int]]) -> int | None:
    """Digits after the point (negative: before it) that the slowest steady change needs; None where there is none."""
    steps = [
        abs(last - first) / (end - start - 1)
        for start, end in runs
        if end - start >= _FEW
        and (first := values[start]) is not None
        and (last := values[end - 1]) is not None
        and last != first
    ]
    if not steps:
        return None
    largest = max(abs(value) for value in values if value is not None and math.isfinite(value))
    return min(_DIGITS - math.floor(math.log10(min(steps))), _FINEST - math.floor(math.log10(largest)))


def _runs(values: Values) -> Iterator[tuple[int, int]]:
    """First place and end of each steady change."""
    start = 0
    while start < len(values):
        end = start + 1
        first = values[start]
        second = values[end] if end < len(values) else None
        if first is not None and second is not None and math.isfinite(first) and math.isfinite(second):
            step = second - first
            while end < len(values) and _near(values[end], first + (end - start) * step, step):
                end += 1
        yield start, end
        start = end


def _near(value: float | None, expected: float, step: float) -> bool:
    return value is not None and abs(value - expected) <= 1e-4 * abs(step) + 1e-11 * abs(expected)
