"""PromQL's functions, as far as a search needs them (promql/functions.go of Prometheus)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from pytest_sre.synthesis.element import Element, Vector, nameless
from pytest_sre.synthesis.vectors import quantile, variance

Points = Sequence[tuple[float, float]]
"""(time, value) of one series in a range, oldest first; never empty."""
RangeFunction = Callable[[Points, float, float], "float | None"]
"""Takes points and the range's (start, end]; None: no result."""


def extrapolated(points: Points, start: float, end: float, counter: bool, per_second: bool) -> float | None:
    """``rate``, ``increase`` and ``delta``."""
    if len(points) < 2:
        return None
    result = points[-1][1] - points[0][1]
    if counter:
        previous = points[0][1]
        for _, value in points:
            if value < previous:
                result += previous
            previous = value
    ends = (points[0][0], points[-1][0])
    return extrapolate(ends, points[0][1], result, len(points), (start, end), counter, per_second)


def extrapolate(
    ends: tuple[float, float],
    first: float,
    result: float,
    count: int,
    window: tuple[float, float],
    counter: bool,
    per_second: bool,
) -> float:
    """A change seen between two samples, stretched to the whole window (extrapolatedRate)."""
    start, end = window
    sampled = ends[1] - ends[0]
    average = sampled / (count - 1)
    to_start, to_end = ends[0] - start, end - ends[1]
    threshold = average * 1.1
    if to_start >= threshold:
        to_start = average / 2
    if counter and result > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / result))
    if to_end >= threshold:
        to_end = average / 2
    result *= (sampled + to_start + to_end) / sampled
    return result / (end - start) if per_second else result


def _last_two(points: Points, counter: bool, per_second: bool) -> float | None:
    if len(points) < 2:
        return None
    (before, old), (after, new) = points[-2], points[-1]
    change = new if counter and new < old else new - old
    return change / (after - before) if per_second else change


def regression(points: Points, origin: float) -> tuple[float, float] | None:
    """(slope, value at ``origin``) of the least-squares line; exactly 0 where nothing changes (linearRegression)."""
    if len(points) < 2:
        return None
    if all(value == points[0][1] for _, value in points):
        return 0.0, points[0][1]
    n = float(len(points))
    xs = [time - origin for time, _ in points]
    ys = [value for _, value in points]
    sum_x, sum_y = math.fsum(xs), math.fsum(ys)
    covariance = math.fsum(x * y for x, y in zip(xs, ys, strict=True)) - sum_x * sum_y / n
    variance = math.fsum(x * x for x in xs) - sum_x * sum_x / n
    slope = covariance / variance if variance else 0.0
    return slope, sum_y / n - slope * sum_x / n


def _deviation(points: Points, squared: bool) -> float:
    found = variance([value for _, value in points])
    return found if squared else math.sqrt(found)


def _mad(values: list[float]) -> float:
    median = quantile(0.5, values)
    return quantile(0.5, [abs(value - median) for value in values])


def smoothed(points: Points, level: float, trend: float) -> float | None:
    """Holt's linear method with smoothing factors for level and trend (funcDoubleExponentialSmoothing)."""
    if len(points) < 2:
        return None
    before = base = points[0][1]
    slope = points[1][1] - base
    for i, (_, value) in enumerate(points[1:]):
        if i:
            slope = trend * (base - before) + (1 - trend) * slope
        before, base = base, level * value + (1 - level) * (base + slope)
    return base


def _steps(points: Points, falls: bool) -> float:
    return float(sum((new < old) if falls else (new != old) for (_, old), (_, new) in pairwise(points)))


def _deriv(points: Points, start: float, end: float) -> float | None:
    line = regression(points, points[0][0])
    return line[0] if line else None


RANGE_FUNCTIONS: dict[str, RangeFunction] = {
    "rate": lambda p, s, e: extrapolated(p, s, e, True, True),
    "increase": lambda p, s, e: extrapolated(p, s, e, True, False),
    "delta": lambda p, s, e: extrapolated(p, s, e, False, False),
    "irate": lambda p, s, e: _last_two(p, True, True),
    "idelta": lambda p, s, e: _last_two(p, False, False),
    "deriv": _deriv,
    "changes": lambda p, s, e: _steps(p, False),
    "resets": lambda p, s, e: _steps(p, True),
    "avg_over_time": lambda p, s, e: math.fsum(v for _, v in p) / len(p),
    "min_over_time": lambda p, s, e: min(v for _, v in p),
    "max_over_time": lambda p, s, e: max(v for _, v in p),
    "sum_over_time": lambda p, s, e: math.fsum(v for _, v in p),
    "count_over_time": lambda p, s, e: float(len(p)),
    "last_over_time": lambda p, s, e: p[-1][1],
    "present_over_time": lambda p, s, e: 1.0,
    "stddev_over_time": lambda p, s, e: _deviation(p, False),
    "stdvar_over_time": lambda p, s, e: _deviation(p, True),
    "first_over_time": lambda p, s, e: p[0][1],
    "mad_over_time": lambda p, s, e: _mad([v for _, v in p]),
}
STAMPS: dict[str, RangeFunction] = {
    "ts_of_first_over_time": lambda p, s, e: p[0][0],
    "ts_of_last_over_time": lambda p, s, e: p[-1][0],
    "ts_of_max_over_time": lambda p, s, e: max(p, key=lambda point: (point[1], point[0]))[0],
    "ts_of_min_over_time": lambda p, s, e: min(p, key=lambda point: (point[1], -point[0]))[0],
}
"""Functions that tell the time of a sample (here: relative to the run's start)."""
COUNTING = frozenset({"sum_over_time", "count_over_time"})
"""Functions whose value grows with the number of samples."""
KEEPS_NAME = frozenset({"first_over_time", "last_over_time"})


def _safe(function: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        try:
            return float(function(value))
        except (ValueError, OverflowError):
            return math.nan

    return call


VALUE_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _safe(math.ceil),
    "floor": _safe(math.floor),
    "exp": _safe(math.exp),
    "ln": _safe(math.log),
    "log2": _safe(math.log2),
    "log10": _safe(math.log10),
    "sqrt": _safe(math.sqrt),
    "sgn": lambda value: math.copysign(1.0, value) if value else 0.0,
    "rad": math.radians,
    "deg": math.degrees,
    **{
        name: _safe(getattr(math, name))
        for name in (
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "acosh",
            "atanh",
        )
    },
}


def clamp(name: str, value: float, bounds: Sequence[float]) -> float:
    """``clamp``, ``clamp_min`` and ``clamp_max``."""
    if name == "clamp":
        return max(bounds[0], min(bounds[1], value))
    return max(value, bounds[0]) if name == "clamp_min" else min(value, bounds[0])


def rounded(value: float, to: float) -> float:
    """``round``: to the nearest multiple, halves up."""
    scaled = value / to + 0.5 if to else math.nan
    return math.floor(scaled) * to if math.isfinite(scaled) else math.nan


def over_time_quantile(q: float, points: Points) -> float:
    """``quantile_over_time``."""
    return quantile(q, [value for _, value in points])


def histogram_quantile(q: float, vector: Vector) -> Vector:
    """Classic buckets, by all labels but ``le`` (promql/quantile.go, bucketQuantile)."""
    groups: dict[tuple[tuple[str, str], ...], tuple[dict[str, str], list[tuple[float, Element]]]] = {}
    for element in vector:
        try:
            bound = float(element.labels.get("le", ""))
        except ValueError:
            continue
        labels = {k: v for k, v in element.labels.items() if k not in ("le", "__name__")}
        groups.setdefault(tuple(sorted(labels.items())), (labels, []))[1].append((bound, element))
    result = []
    for labels, buckets in groups.values():
        buckets.sort(key=lambda bucket: bucket[0])
        members = [element for _, element in buckets]
        value = _bucket_quantile(q, [(bound, element.value) for bound, element in buckets])
        off, gone = max(m.off for m in members), min(m.gone for m in members)
        bad = any(m.bad for m in members) or not math.isfinite(value)
        result.append(Element(nameless(labels), value, off, gone, bad))
    return result


def _bucket_quantile(q: float, buckets: list[tuple[float, float]]) -> float:
    if math.isnan(q) or q < 0 or q > 1:
        return math.nan if math.isnan(q) else math.copysign(math.inf, q - 0.5)
    if len(buckets) < 2 or not math.isinf(buckets[-1][0]):
        return math.nan
    total = buckets[-1][1]
    if not total > 0:
        return math.nan
    rank = q * total
    index = next((i for i, (_, count) in enumerate(buckets[:-1]) if count >= rank), len(buckets) - 1)
    if index == len(buckets) - 1:
        return buckets[-2][0]
    end, count = buckets[index]
    if index == 0 and end <= 0:
        return end
    start, before = buckets[index - 1] if index else (0.0, 0.0)
    inside = count - before
    return start + (end - start) * ((rank - before) / inside) if inside else end
