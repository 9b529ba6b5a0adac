"""What is there whatever the data, and what is there once at most."""

from __future__ import annotations

from pytest_sre.promql.ast import CHOOSING, Aggregate, Binary, Call, Expr, walk
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.never.functions import CALENDAR, ELEMENTWISE


def always_there(expr: Expr) -> bool:
    """Whether an expression has a result whatever the data."""
    if isinstance(expr, Call):
        if expr.name == "vector" or (expr.name in (*CALENDAR, "year") and not expr.args):
            return True
        return expr.name in ELEMENTWISE and bool(expr.args) and always_there(expr.args[0])
    if isinstance(expr, Aggregate) and expr.op in ("sum", "avg", "min", "max", "count", "group"):
        return always_there(expr.expr)
    if isinstance(expr, Binary) and expr.op == "or":
        return always_there(expr.lhs) or always_there(expr.rhs)
    return False


def single(expr: Expr) -> bool:
    """Whether an expression has at most one element."""
    if isinstance(expr, Aggregate):
        bare = not expr.labels and not expr.without
        return bare and expr.op not in (*CHOOSING, "count_values")
    if isinstance(expr, Binary) and expr.op != "or":
        return all(fold(side) is not None or single(side) for side in (expr.lhs, expr.rhs))
    return False


def may_be_nan(expr: Expr) -> bool:
    """Whether ``scalar()`` stands in an expression: it is NaN where its vector has not one element."""
    return any(isinstance(node, Call) and node.name == "scalar" for node in walk(expr))
