"""Samples → values in promtool's notation: what `expansion` gives back is exactly what was written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_sre.model.samples import is_stale

_FEW = 3
"""Shorter runs are written value by value."""
_DIGITS = 17
"""With so many a float is told from all others."""


def write_values(values: Sequence[float | None]) -> str:
    """Values, None for a gap, as ``0+10x60``, ``5x3``, ``_x4``, ``stale``.

    Steps are added up one by one, as promtool does, and only written as a run where that gives the very same floats.
    """
    return " ".join(_words(values))


def _words(values: Sequence[float | None]) -> Iterator[str]:
    place = 0
    while place < len(values):
        word, count = _word(values, place)
        yield word
        place += count


def _word(values: Sequence[float | None], place: int) -> tuple[str, int]:
    """The next word, and how many values it stands for."""
    first = values[place]
    if first is None:
        count = _alike(values, place)
        return (f"_x{count}" if count > 1 else "_"), count
    if is_stale(first):
        return "stale", 1
    if not math.isfinite(first) or _is_negative_zero(first):
        return _number(first), 1
    count = _alike(values, place)
    if count >= _FEW:
        return f"{_number(first)}x{count - 1}", count
    step, length = max(_steps(values, place), key=lambda one: one[1], default=(0.0, 0))
    if length < _FEW:
        return _number(first), 1
    return f"{_number(first)}{'-' if step < 0 else '+'}{_number(abs(step))}x{length - 1}", length


def _alike(values: Sequence[float | None], place: int) -> int:
    count = 1
    while place + count < len(values) and _same(values[place + count], values[place]):
        count += 1
    return count


def _steps(values: Sequence[float | None], place: int) -> Iterator[tuple[float, int]]:
    """Steps that lead to the second value, those with few digits first, and how many values each accounts for."""
    first, second = values[place], values[place + 1] if place + 1 < len(values) else None
    if first is None or second is None or not math.isfinite(second - first):
        return
    tried: set[float] = set()
    for digits in range(1, _DIGITS + 1):
        step = float(f"{second - first:.{digits}g}")
        if step not in tried and _same(first + step, second):
            yield step, _length(values, place, step)
        tried.add(step)


def _length(values: Sequence[float | None], place: int, step: float) -> int:
    expected, count = values[place], 0
    while place + count < len(values) and expected is not None and _same(values[place + count], expected):
        count += 1
        expected += step
    return count


def _same(one: float | None, other: float | None) -> bool:
    """Whether two values are the same gap or finite number; 0 and -0 differ."""
    if one is None or other is None:
        return one is other
    return one == other and _is_negative_zero(one) == _is_negative_zero(other)


def _is_negative_zero(value: float) -> bool:
    return value == 0 and math.copysign(1, value) < 0


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)
