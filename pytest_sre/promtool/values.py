"""Samples of our scenarios as numbers that people can read: steady changes have a few digits, and add up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

_DIGITS = 3
"""Digits of the slowest change, besides the first."""
_FINEST = 14
"""Digits of the largest value that a float holds well."""
_GAUGE = 12
"""Digits of values that do not change steadily."""
_FEW = 3

Values = Sequence[float | None]


def readable(values: Values) -> list[float | None]:
    """The same course with rounded steps: each is off by less than a thousandth; counters that rise still rise."""
    runs = list(_runs(values))
    digits = _decimals(values, runs)
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
        made += _run(first + shift, step, end - start, digits if step or shift else None)
        shift, before = (made[-1] or 0.0) - last, last
    return made


def _run(first: float, step: float, count: int, digits: int | None) -> Iterator[float]:
    value = float(f"{first:.{_GAUGE}g}") if digits is None else round(first, digits)
    by = 0.0 if digits is None else round(step, digits)
    for _ in range(count):
        yield value
        value += by


def _decimals(values: Values, runs: Sequence[tuple[int, int]]) -> int:
    """Digits after the point (negative: before it) that the slowest steady change needs."""
    steps = [
        abs(last - first) / (end - start - 1)
        for start, end in runs
        if end - start >= _FEW
        and (first := values[start]) is not None
        and (last := values[end - 1]) is not None
        and last != first
    ]
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    if not steps or not largest:
        return _GAUGE
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
