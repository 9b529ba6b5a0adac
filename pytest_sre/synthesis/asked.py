"""What an expression asks of its parts: ``100 - avg(x) * 100 > 80`` asks for ``x`` below 0.2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sre.promql.ast import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.fold import fold, undone

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_VALUES = frozenset({"avg", "min", "max", "sum", "quantile", "topk", "bottomk"})
"""Aggregations whose result is about what their members are."""
_SAME = frozenset({"abs", "ceil", "floor", "round", "clamp", "clamp_max", "clamp_min", "sort", "sort_desc"})
_SAME |= {"avg_over_time", "min_over_time", "max_over_time", "last_over_time", "label_replace", "label_join"}
_SAME |= {"scalar", "rate", "irate"}


@dataclass(frozen=True, slots=True)
class Asked:
    """``part`` (a selector, or vectors combined) is asked to be ``op`` (``>``) ``value``; ``as_is``: nothing is computed with it."""

    part: VectorSelector | Binary
    op: str
    value: float
    as_is: bool


def asked(expr: Expr) -> Iterator[Asked]:
    """What each comparison with a number asks of the innermost parts that it is about."""
    for node in walk(expr):
        if isinstance(node, Binary) and node.op in COMPARISONS:
            left, right = fold(node.lhs), fold(node.rhs)
            if right is not None and left is None:
                yield from _inward(node.lhs, node.op, right, as_is=True)
            elif left is not None and right is None:
                yield from _inward(node.rhs, _FLIPPED.get(node.op, node.op), left, as_is=True)


def _inward(expr: Expr, op: str, value: float, *, as_is: bool) -> Iterator[Asked]:
    if not math.isfinite(value):
        return
    if isinstance(expr, VectorSelector):
        yield Asked(expr, op, value, as_is)
    elif isinstance(expr, MatrixSelector):
        yield Asked(expr.selector, op, value, as_is=False)
    elif isinstance(expr, Unary):
        yield from _inward(expr.expr, _FLIPPED.get(op, op), -value, as_is=False)
    elif isinstance(expr, Aggregate):
        if expr.op in _VALUES:
            yield from _inward(expr.expr, op, value, as_is=as_is)
    elif isinstance(expr, Call):
        yield from _through_call(expr, op, value, as_is=as_is)
    elif isinstance(expr, Binary):
        yield from _through_binary(expr, op, value, as_is=as_is)


def _through_call(expr: Call, op: str, value: float, *, as_is: bool) -> Iterator[Asked]:
    inner = expr.args[0] if expr.args else None
    if inner is None:
        return
    if expr.name == "increase" and isinstance(inner, MatrixSelector):
        yield Asked(inner.selector, op, value / inner.range, as_is=False)
    elif expr.name in _SAME:
        yield from _inward(inner, op, value, as_is=as_is)


def _through_binary(expr: Binary, op: str, value: float, *, as_is: bool) -> Iterator[Asked]:
    if expr.op in COMPARISONS or expr.op in ("and", "unless"):
        if not expr.bool:
            yield from _inward(expr.lhs, op, value, as_is=as_is)
    elif fold(expr.lhs) is None and fold(expr.rhs) is None:
        yield Asked(expr, op, value, as_is=False)
    elif found := undone(expr, value):
        part, inner, turned = found
        yield from _inward(part, _FLIPPED.get(op, op) if turned else op, inner, as_is=False)
