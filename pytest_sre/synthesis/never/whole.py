"""Ratios that lie within 0..1 by construction, and those that are always the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from pytest_sre.promql.ast import (
    ARITHMETIC,
    COMPARISONS,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.never.functions import ELEMENTWISE, PER_SERIES
from pytest_sre.synthesis.never.shares import Written, share
from pytest_sre.synthesis.never.span import Span, combined, only

_PLAIN = Matching()
_FUZZ = 1e-9


def ratio(expr: Binary, span: Callable[[Expr], Span], written: Written) -> Span | None:
    """The span of a product or division where it is certain; ``span`` tells that of a part.

    ``written`` gives the expressions that two records of one group are made of.
    """
    fixed = cancelled(expr)
    if fixed is not None:
        low, high = sorted((fixed * (1 - _FUZZ), fixed * (1 + _FUZZ)))
        return Span(low, high)
    if expr.op != "/":
        return None
    factor, part = _factored(_unfiltered(expr.lhs))
    below, whole = _factored(_unfiltered(expr.rhs))
    if not (factor > 0 and below > 0):
        return None
    found = share(replace(expr, lhs=part, rhs=whole), span, written)
    if found is not None:
        return combined("*", found, only(factor / below))
    turned = None if expr.matching.group else share(replace(expr, lhs=whole, rhs=part), span, written)
    least = turned is not None and turned.high == 1.0
    return combined("*", Span(low=1.0), only(factor / below)) if least else None


def key_of(expr: Expr) -> Expr:
    """An expression without the matchers that choose some of its series: elements with equal labels are the same."""
    if isinstance(expr, VectorSelector):
        return replace(expr, matchers=()) if expr.name else expr
    if isinstance(expr, MatrixSelector):
        return replace(expr, selector=replace(expr.selector, matchers=())) if expr.selector.name else expr
    if isinstance(expr, Subquery):
        return replace(expr, expr=key_of(expr.expr))
    if isinstance(expr, Unary):
        return Unary(key_of(expr.expr))
    if isinstance(expr, Call) and (expr.name in PER_SERIES or expr.name in ELEMENTWISE):
        return replace(expr, args=tuple(map(key_of, expr.args)))
    if isinstance(expr, Binary) and expr.op in ARITHMETIC and expr.matching == _PLAIN:
        return replace(expr, lhs=key_of(expr.lhs), rhs=key_of(expr.rhs))
    return expr


def _unfiltered(expr: Expr) -> Expr:
    """What a comparison with a number looks at: it leaves values as they are."""
    while (
        isinstance(expr, Binary) and expr.op in COMPARISONS and not expr.bool and fold(expr.rhs) is not None
    ):
        expr = expr.lhs
    return expr


def _factored(expr: Expr) -> tuple[float, Expr]:
    """A number and what it is multiplied with."""
    if isinstance(expr, Binary) and expr.op in ("*", "/"):
        left, right = fold(expr.lhs), fold(expr.rhs)
        if expr.op == "*" and left is not None:
            factor, rest = _factored(expr.rhs)
            return factor * left, rest
        if right:
            factor, rest = _factored(expr.lhs)
            return (factor * right if expr.op == "*" else factor / right), rest
    return 1.0, expr


def cancelled(expr: Binary) -> float | None:
    """The constant that is left where all series of a product are divided by themselves."""
    if expr.op not in ("*", "/"):
        return None
    above: list[Expr] = []
    below: list[Expr] = []
    factor = _flatten(expr, above, below, 1.0)
    if factor is None or not above or len(above) != len(below):
        return None
    for one in above:
        if one not in below:
            return None
        below.remove(one)
    return factor if math.isfinite(factor) and factor else None


def _flatten(expr: Expr, above: list[Expr], below: list[Expr], factor: float) -> float | None:
    value = fold(expr)
    if value is not None:
        return factor * value
    if isinstance(expr, Binary) and expr.op in ("*", "/"):
        if expr.matching != _PLAIN:
            return None
        left = _flatten(expr.lhs, above, below, factor)
        if left is None:
            return None
        swapped = (above, below) if expr.op == "*" else (below, above)
        if expr.op == "/" and (number := fold(expr.rhs)) is not None:
            return left / number if number else None
        return _flatten(expr.rhs, *swapped, left)
    above.append(key_of(_unfiltered(expr)))
    return factor
