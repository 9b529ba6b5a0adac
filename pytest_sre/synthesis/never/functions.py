"""What PromQL's functions and aggregations make of spans of values."""

from __future__ import annotations

import math

from pytest_sre.promql.ast import CHOOSING, Aggregate, Call, Expr, Subquery
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.never.span import ANYTHING, POSITIVE, SHARE, Span, only

PER_SERIES = frozenset({
    "rate", "increase", "irate", "changes", "resets", "delta", "idelta", "deriv", "predict_linear",
    "holt_winters", "double_exponential_smoothing", "count_over_time", "sum_over_time", "avg_over_time",
    "min_over_time", "max_over_time", "last_over_time", "first_over_time", "present_over_time",
    "stddev_over_time", "stdvar_over_time", "mad_over_time", "quantile_over_time", "ts_of_max_over_time",
    "ts_of_min_over_time", "ts_of_last_over_time", "ts_of_first_over_time",
})  # fmt: skip
"""Functions of one series' range."""
COUNTER = frozenset({"rate", "irate", "increase"})
"""Functions that take each fall of a value for a counter's reset."""
ELEMENTWISE = frozenset({
    "abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "exp", "ln", "log2", "log10", "sqrt",
    "sgn", "timestamp", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "minute", "hour",
    "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad",
})  # fmt: skip
"""Functions that give a value for each value and leave labels but the name alone."""
KEEPING = frozenset({
    "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "last_over_time", "first_over_time",
})  # fmt: skip
"""Functions that leave name and value alone too (as far as spans go)."""
CALENDAR = {
    "minute": Span(0, 59), "hour": Span(0, 23), "day_of_week": Span(0, 6), "day_of_month": Span(1, 31),
    "day_of_year": Span(1, 366), "days_in_month": Span(28, 31), "month": Span(1, 12),
}  # fmt: skip
"""What the calendar allows, whatever the time."""
_SAME_RANGE = frozenset({"avg_over_time", "min_over_time", "max_over_time", "label_join", "label_replace"})
_POSITIVE = frozenset({
    "rate", "increase", "irate", "changes", "resets", "stddev_over_time", "stdvar_over_time", "mad_over_time",
    "abs", "exp", "sqrt", "timestamp",
})  # fmt: skip
_PLACES = {"histogram_quantile": 1, "quantile_over_time": 1, "histogram_fraction": 2}


def vector_place(name: str) -> int:
    """Which argument of a function is its vector."""
    return _PLACES.get(name, 0)


def called(expr: Call, inner: Span) -> Span:
    """What a function makes of values in ``inner``."""
    name = expr.name
    if name in CALENDAR:
        return CALENDAR[name]
    if name in KEEPING or name in _SAME_RANGE:
        return inner
    if name in ("absent", "absent_over_time", "present_over_time"):
        return only(1.0)
    if name in ("sin", "cos", "tanh"):
        return Span(-1.0, 1.0)
    if name in ("clamp", "clamp_min", "clamp_max"):
        return _clamped(expr, inner)
    if name == "sgn":
        return SHARE if inner.low >= 0 else Span(-1.0, 1.0)
    if name in ("ceil", "floor") or (name == "round" and len(expr.args) == 1):
        return _rounded(name, inner)
    if name == "quantile_over_time":
        return inner if within_share(expr.args[0]) else ANYTHING
    if name in ("count_over_time", "sum_over_time", "changes", "resets"):
        return _counted(expr, inner)
    return POSITIVE if name in _POSITIVE else ANYTHING


def within_share(expr: Expr) -> bool:
    """Whether a parameter is a number of 0..1."""
    value = fold(expr)
    return value is not None and 0 <= value <= 1


def points(expr: Expr) -> float:
    """How many points a subquery with a step of its own has at most (before 3.0 both ends counted)."""
    if not isinstance(expr, Subquery) or not expr.step:
        return math.inf
    return math.floor(expr.range / expr.step) + 1.0


def _counted(expr: Call, inner: Span) -> Span:
    most = points(expr.args[0])
    if expr.name == "sum_over_time":
        return summed(inner, most)
    return Span(1.0, most) if expr.name == "count_over_time" else Span(0.0, max(most - 1, 0.0))


def summed(inner: Span, most: float = math.inf) -> Span:
    """The sum of one value or more, up to ``most``."""
    low = inner.low if inner.low >= 0 else -math.inf if math.isinf(most) else inner.low * most
    high = inner.high if inner.high <= 0 else math.inf if math.isinf(most) else inner.high * most
    return Span(low, high, inner.low_open and low == inner.low, inner.high_open and high == inner.high)


def _clamped(expr: Call, inner: Span) -> Span:
    limits = [fold(argument) for argument in expr.args[1:]]
    if any(limit is None or math.isnan(limit) for limit in limits):
        return ANYTHING
    numbers = [limit for limit in limits if limit is not None]
    low = numbers[0] if expr.name != "clamp_max" else -math.inf
    high = numbers[-1] if expr.name != "clamp_min" else math.inf
    if low > high:
        return Span(math.inf, -math.inf)
    return Span(min(max(inner.low, low), high), max(min(inner.high, high), low))


def _rounded(name: str, inner: Span) -> Span:
    def moved(value: float) -> float:
        if not math.isfinite(value):
            return value
        if name == "round":
            return float(math.floor(value + 0.5))
        return float(math.ceil(value) if name == "ceil" else math.floor(value))

    return Span(moved(inner.low), moved(inner.high))


def aggregated(expr: Aggregate, inner: Span, alone: bool) -> Span:
    """What an aggregation makes of values in ``inner``; ``alone`` where each group has one element at most."""
    op = expr.op
    if op in ("avg", "min", "max", *CHOOSING):
        return inner
    if op == "sum":
        return inner if alone else summed(inner)
    if op in ("count", "count_values"):
        return only(1.0) if alone else Span(1.0)
    if op == "group":
        return only(1.0)
    if op in ("stddev", "stdvar"):
        return POSITIVE
    if op == "quantile" and expr.param is not None and within_share(expr.param):
        return inner
    return ANYTHING
