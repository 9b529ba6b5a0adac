"""Expressions as comparable texts."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

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
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text

_LOOSE = re.compile(r'("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`)|#[^\n]*|\s+', re.S)


@lru_cache(maxsize=20_000)
def normal(text: str) -> str:
    """An expression with its layout, comments, parentheses and the order of matchers and labels made uniform.

    What is not PromQL to our parser keeps its words; only white space and comments are made uniform.
    """
    try:
        return to_text(_sorted(parse(text)))
    except (PromqlError, RecursionError):
        return "not parsed: " + _LOOSE.sub(lambda found: found[1] or " ", text).strip()


def _sorted(expr: Expr) -> Expr:
    if isinstance(expr, VectorSelector):
        return replace(expr, matchers=tuple(sorted(set(expr.matchers), key=str)))
    if isinstance(expr, MatrixSelector):
        return replace(
            expr,
            selector=replace(expr.selector, matchers=tuple(sorted(set(expr.selector.matchers), key=str))),
        )
    if isinstance(expr, Call):
        return replace(expr, args=tuple(map(_sorted, expr.args)))
    if isinstance(expr, Aggregate):
        param = _sorted(expr.param) if expr.param is not None else None
        return replace(expr, expr=_sorted(expr.expr), param=param, labels=tuple(sorted(set(expr.labels))))
    if isinstance(expr, Binary):
        matching = expr.matching
        uniform = replace(
            matching,
            on=None if matching.on is None else tuple(sorted(set(matching.on))),
            ignoring=tuple(sorted(set(matching.ignoring))),
            include=tuple(sorted(set(matching.include))),
        )
        return replace(expr, lhs=_sorted(expr.lhs), rhs=_sorted(expr.rhs), matching=uniform)
    if isinstance(expr, (Unary, Subquery)):
        return replace(expr, expr=_sorted(expr.expr))
    return expr


@lru_cache(maxsize=20_000)
def uses_default_step(text: str) -> bool:
    """Whether a subquery without a step makes the global evaluation interval part of the meaning."""
    try:
        return any(isinstance(node, Subquery) and node.step is None for node in walk(parse(text)))
    except PromqlError:
        return "[" in text and ":]" in text
