"""A leg's values in words: in its unit, a burn rate as ``9.3x``, with as many digits as what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_sre.promql.condition import Leg
from pytest_sre.report.figures import span

_BINARY = (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0))
_DECIMAL = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))
_DIGITS = range(3, 13)
_LONG = 120.0


def amounts(leg: Leg, threshold: float, *values: float) -> tuple[str, ...]:
    """The threshold and the values, alike in unit and significant digits; what differs never reads the same."""
    every = (threshold, *values)
    if leg.budget:
        return _digits([value / leg.budget for value in every], "x")
    if leg.unit == "ratio" and abs(threshold) <= 1:
        return _digits([value * 100 for value in every], "%")
    if leg.unit == "percent":
        return _digits(every, "%")
    if leg.unit == "seconds":
        return _seconds(every)
    if leg.unit in ("bytes", "bytes/s"):
        return _bytes(every, leg.unit.removeprefix("bytes"))
    return _digits(every, "")


def _seconds(values: Sequence[float]) -> tuple[str, ...]:
    if abs(values[0]) < _LONG or not all(map(math.isfinite, values)):
        small = 0 < abs(values[0]) < 1
        return _digits([value * 1000 for value in values], "ms") if small else _digits(values, "s")
    texts = tuple(map(span, values))
    return texts if len(set(texts)) == len(set(values)) else _digits(values, "s")


def _bytes(values: Sequence[float], per: str) -> tuple[str, ...]:
    size = abs(values[0]) or max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    units = _BINARY if size >= 1024 and values[0] % 1024 == 0 else _DECIMAL
    unit, scale = next((one for one in units if size >= one[1]), ("B", 1.0))
    return _digits([value / scale for value in values], f" {unit}{per}")


def _digits(values: Sequence[float], unit: str) -> tuple[str, ...]:
    """The fewest significant digits, 3 at least, that show the first value well and the others apart from it."""
    texts: tuple[str, ...] = ()
    for digits in _DIGITS:
        texts = tuple(_number(value, digits) for value in values)
        exact = math.isclose(float(texts[0]), values[0], rel_tol=1e-6) or digits > 6
        apart = all(text != texts[0] or value == values[0] for text, value in zip(texts, values, strict=True))
        if exact and apart:
            break
    return tuple(text + unit if math.isfinite(float(text)) else text for text in texts)


def _number(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == 0 or abs(value) >= 1e15 or abs(value) < 1e-6:
        return f"{value:.{digits}g}"
    text = f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
