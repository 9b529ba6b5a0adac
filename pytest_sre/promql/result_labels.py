"""Which labels the results of an expression can have, and which it names."""

from __future__ import annotations

from functools import lru_cache

from pytest_sre.promql.ast import (
    CHOOSING,
    SETS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.parse import PromqlError, parse


@lru_cache(maxsize=20_000)
def result_labels(text: str) -> frozenset[str] | None:
    """At most these labels are on the results; None: any may be."""
    try:
        return _labels(parse(text))
    except (PromqlError, RecursionError):
        return None


@lru_cache(maxsize=20_000)
def mentioned_labels(text: str) -> frozenset[str] | None:
    """The labels that an expression names anywhere; None: it can't be told."""
    try:
        tree = parse(text)
    except PromqlError:
        return None
    found: set[str] = set()
    for node in walk(tree):
        if isinstance(node, VectorSelector):
            found.update(matcher.label for matcher in node.matchers)
        elif isinstance(node, Aggregate):
            found.update(node.labels)
        elif isinstance(node, Binary):
            found.update(node.matching.on or ())
            found.update(node.matching.include)
        elif isinstance(node, Call):
            found.update(arg.value for arg in node.args if isinstance(arg, String))
    return frozenset(found)


def _labels(expr: Expr) -> frozenset[str] | None:
    if isinstance(expr, (Number, String)):
        return frozenset()
    if isinstance(expr, Aggregate):
        return _aggregated(expr)
    if isinstance(expr, Binary):
        return _binary(expr)
    if isinstance(expr, Call):
        return _called(expr)
    if isinstance(expr, (Unary, Subquery)):
        return _labels(expr.expr)
    return None


def _aggregated(expr: Aggregate) -> frozenset[str] | None:
    if expr.op in CHOOSING:
        return _labels(expr.expr)
    if expr.without:
        inner = _labels(expr.expr)
        return None if inner is None else inner - set(expr.labels)
    counted = [expr.param.value] if expr.op == "count_values" and isinstance(expr.param, String) else []
    return frozenset([*expr.labels, *counted])


def _binary(expr: Binary) -> frozenset[str] | None:
    if expr.op in ("and", "unless"):
        return _labels(expr.lhs)
    matching = expr.matching
    if expr.op not in SETS and matching.on is not None and not matching.group:
        return frozenset(matching.on)
    sides = [_labels(side) for side in (expr.lhs, expr.rhs)]
    known = [side for side in sides if side is not None]
    return frozenset(matching.include).union(*known) if len(known) == 2 else None


def _called(expr: Call) -> frozenset[str] | None:
    if expr.name in ("vector", "scalar", "time", "pi"):
        return frozenset()
    if expr.name.startswith("absent"):
        found = {m.label for node in walk(expr) if isinstance(node, VectorSelector) for m in node.matchers}
        return frozenset(found)
    if expr.name == "info":
        return None
    inner = [_labels(arg) for arg in expr.args]
    added = [arg.value for arg in expr.args[1:2] if isinstance(arg, String)]
    added = added if expr.name in ("label_replace", "label_join") else []
    known = [labels for labels in inner if labels is not None]
    return frozenset(added).union(*known) if len(known) == len(inner) else None
