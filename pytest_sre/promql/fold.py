"""Numbers that stand in an expression as arithmetic: ``14.4 * (1 - 0.999)``."""

from __future__ import annotations

import math

from pytest_sre.promql.ast import Binary, Call, Expr, Number, Unary

_BACK = {"+": "-", "-": "+", "*": "/", "/": "*"}


def fold(expr: Expr) -> float | None:
    """The value of an expression of numbers alone."""
    if isinstance(expr, Number):
        return expr.value
    if isinstance(expr, Unary):
        inner = fold(expr.expr)
        return None if inner is None else -inner
    if isinstance(expr, Binary) and expr.op in ("+", "-", "*", "/", "^", "%"):
        left, right = fold(expr.lhs), fold(expr.rhs)
        return None if left is None or right is None else arithmetic(expr.op, left, right)
    return None


def is_scalar(expr: Expr) -> bool:
    """Whether an expression is a scalar, without labels by nature."""
    if fold(expr) is not None:
        return True
    if isinstance(expr, Binary):
        return is_scalar(expr.lhs) and is_scalar(expr.rhs)
    if isinstance(expr, Unary):
        return is_scalar(expr.expr)
    return isinstance(expr, Call) and expr.name in ("time", "scalar", "pi")


def arithmetic(op: str, a: float, b: float) -> float:
    """Go's float arithmetic: no exceptions, but NaN and Inf."""
    try:
        if op == "+":
            return a + b
        if op == "-":
            return a - b
        if op == "*":
            return a * b
        if op == "/":
            return a / b if b else (math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a))
        if op == "%":
            return math.fmod(a, b) if b else math.nan
        if op == "^":
            return float(a**b)
        return math.atan2(a, b)
    except (OverflowError, ValueError, ZeroDivisionError, TypeError):
        return math.nan


def undone(expr: Binary, value: float) -> tuple[Expr, float, bool] | None:
    """Arithmetic of a part with a number, undone: the part, its value where ``expr`` has ``value``, whether order turns.

    ``8 * x`` is 24 where ``x`` is 3; ``1 - x`` falls where ``x`` rises. None where no side, or another operator, is a number.
    """
    left, right = fold(expr.lhs), fold(expr.rhs)
    if expr.op not in _BACK or (left is None and right is None):
        return None
    if right is not None:
        turned = expr.op in ("*", "/") and right < 0
        return expr.lhs, arithmetic(_BACK[expr.op], value, right), turned
    assert left is not None
    if expr.op in ("+", "*"):
        return expr.rhs, arithmetic(_BACK[expr.op], value, left), expr.op == "*" and left < 0
    return expr.rhs, arithmetic(expr.op, left, value), True


def holds(op: str, a: float, b: float) -> bool:
    """Whether a comparison is true."""
    if op == ">":
        return a > b
    if op == "<":
        return a < b
    if op == ">=":
        return a >= b
    if op == "<=":
        return a <= b
    return a == b if op == "==" else a != b
