"""What an expression's value probably counts, judged by names; for messages only, never for a verdict."""

from __future__ import annotations

import re
from typing import Literal

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.fold import fold

Unit = Literal["", "ratio", "percent", "seconds", "bytes", "bytes/s"]
"""``ratio`` is a share of 1, ``percent`` one of 100."""

_RATIO = re.compile(r"(^|[_:])(ratio|burnrate)")
_PERCENT = re.compile(r"(^|[_:])percent(age)?($|[_:])")
_COUNTS = frozenset(
    {"changes", "resets", "count_over_time", "deriv", "absent", "scalar", "vector", "timestamp"}
)
_ENDINGS = ("_sum", "_bucket", "_total", "_count")


def unit_of(expr: Expr) -> Unit:
    """The likely unit of an expression's values; "" where names don't tell."""
    if isinstance(expr, VectorSelector):
        return _named(expr.name)
    if isinstance(expr, (MatrixSelector, Subquery, Unary)):
        return unit_of(expr.selector if isinstance(expr, MatrixSelector) else expr.expr)
    if isinstance(expr, Aggregate):
        return "" if expr.op in ("count", "group", "count_values", "stdvar") else unit_of(expr.expr)
    if isinstance(expr, Call):
        return _call(expr)
    return _binary(expr) if isinstance(expr, Binary) else ""


def _named(name: str) -> Unit:
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    if _RATIO.search(name):
        return "ratio"
    if _PERCENT.search(name):
        return "percent"
    if name.endswith("_seconds") and not name.endswith("timestamp_seconds"):
        return "seconds"
    return "bytes" if name.endswith("_bytes") else ""


def _call(call: Call) -> Unit:
    if call.name in _COUNTS or not call.args:
        return ""
    if call.name == "histogram_quantile":
        named = {_named(selector.name) for selector in _selectors(call.args[-1])}
        return named.pop() if len(named) == 1 else ""
    unit = unit_of(call.args[-1 if call.name == "quantile_over_time" else 0])
    if call.name in ("rate", "irate"):
        return "bytes/s" if unit == "bytes" else ""  # seconds each second are a load, not a time
    return unit


def _binary(expr: Binary) -> Unit:
    if expr.bool:
        return ""
    left, right = unit_of(expr.lhs), unit_of(expr.rhs)
    if expr.op in ("and", "or", "unless", ">", "<", ">=", "<=", "==", "!="):
        return left
    if expr.op in ("+", "-"):
        return _sum(expr, left, right)
    if expr.op == "*":
        return _product(expr, left, right)
    return _quotient(expr, left, right) if expr.op == "/" else ""


def _sum(expr: Binary, left: Unit, right: Unit) -> Unit:
    if expr.op == "-" and any(
        isinstance(side, Call) and side.name == "time" for side in (expr.lhs, expr.rhs)
    ):
        return "seconds"
    for number, unit, whole in ((fold(expr.lhs), right, expr.op == "-"), (fold(expr.rhs), left, False)):
        if number is not None:
            return unit if not whole or (unit, number) in (("ratio", 1), ("percent", 100)) else ""
    return left if left == right else ""


def _product(expr: Binary, left: Unit, right: Unit) -> Unit:
    for factor, unit in ((fold(expr.lhs), right), (fold(expr.rhs), left)):
        if factor is not None:
            return "percent" if factor == 100 and unit == "ratio" else ""
    return ""


def _quotient(expr: Binary, left: Unit, right: Unit) -> Unit:
    if fold(expr.rhs) is not None:
        return "ratio" if left == "percent" and fold(expr.rhs) == 100 else ""
    if fold(expr.lhs) is not None:
        return ""
    average = _average(expr)
    if average:
        return average
    # Like by like is a share. Names without a unit are taken for counts of the same things.
    return "ratio" if left == right else ("" if right else left)


def _average(expr: Binary) -> Unit:
    """``x_seconds_sum / x_seconds_count`` is a time, through whatever rates and sums."""
    names = [[n.name for n in _selectors(side)] for side in (expr.lhs, expr.rhs)]
    if len(names[0]) != 1 or len(names[1]) != 1:
        return ""
    whole, count = names[0][0], names[1][0]
    alike = whole.endswith("_sum") and count == whole.removesuffix("_sum") + "_count"
    return _named(whole) if alike else ""


def _selectors(expr: Expr) -> list[VectorSelector]:
    return [node for node in walk(expr) if isinstance(node, VectorSelector)]
