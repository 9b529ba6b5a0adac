"""Short names for an expression's legs: ``1h leg`` by their windows, else their own text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
    children,
    walk,
)
from pytest_sre.promql.condition import Leg
from pytest_sre.promql.parse import parse
from pytest_sre.promql.printer import duration, to_text

_RECORDED = re.compile(r"(?:[_:]|rate|increase|avg|ratio)(\d+(?:ms|[smhdw]))(?=$|[_:])")
_WIDTH = 40


def names_of(legs: Sequence[Leg]) -> dict[Leg, str]:
    """A name for each leg, no two alike: the shortest that tells it from the others."""
    ways = {leg: list(_ways(leg, alone=len(legs) == 1)) for leg in legs}
    depth = dict.fromkeys(legs, 0)
    while True:
        names = {leg: ways[leg][depth[leg]] for leg in legs}
        often = Counter(names.values())
        alike = [leg for leg in legs if often[names[leg]] > 1 and depth[leg] + 1 < len(ways[leg])]
        if not alike:
            return _numbered(names)
        for leg in alike:
            depth[leg] += 1


def _numbered(names: dict[Leg, str]) -> dict[Leg, str]:
    taken: Counter[str] = Counter()
    for leg, name in names.items():
        taken[name] += 1
        names[leg] = f"{name} #{taken[name]}" if taken[name] > 1 else name
    return names


def _ways(leg: Leg, alone: bool) -> Iterator[str]:
    """Names for a leg, from short to long; a window tells legs apart, or says which one of a burn rate's it is."""
    expr = parse(leg.text)
    windows = set(_windows(expr))
    if len(windows) == 1 and (leg.budget or not alone):
        yield f"{windows.pop()} leg"
    bare = to_text(_bare(expr))
    metrics = {node.name for node in walk(expr) if isinstance(node, VectorSelector)}
    if len(bare) > _WIDTH and len(metrics) == 1 and "" not in metrics:
        yield _cut(metrics.pop(), 2 * _WIDTH)
    yield _cut(bare, _WIDTH)
    yield _cut(leg.text, 2 * _WIDTH)
    if leg.op:
        limit = leg.other or to_text(Number(leg.threshold or 0.0))
        yield f"{_cut(leg.text, 2 * _WIDTH)} {leg.op} {_cut(limit, _WIDTH)}"


def _windows(expr: Expr) -> Iterator[str]:
    """The windows that a value is taken over, outermost ones only."""
    if isinstance(expr, (MatrixSelector, Subquery)):
        yield duration(expr.range)
    elif isinstance(expr, VectorSelector):
        yield from _RECORDED.findall(expr.name)[-1:]
    for child in () if isinstance(expr, (MatrixSelector, Subquery)) else children(expr):
        yield from _windows(child)


def _bare(expr: Expr) -> Expr:
    """The expression without label matchers, unless nothing else names the metric."""
    if isinstance(expr, VectorSelector):
        return replace(expr, matchers=()) if expr.name else expr
    if isinstance(expr, MatrixSelector):
        return replace(
            expr,
            selector=replace(expr.selector, matchers=() if expr.selector.name else expr.selector.matchers),
        )
    if isinstance(expr, (Subquery, Unary, Aggregate)):
        return replace(expr, expr=_bare(expr.expr))
    if isinstance(expr, Call):
        return replace(expr, args=tuple(map(_bare, expr.args)))
    return replace(expr, lhs=_bare(expr.lhs), rhs=_bare(expr.rhs)) if isinstance(expr, Binary) else expr


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
