"""Expressions as comparable texts, and which labels their results can have."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from pytest_sre.promql.ast import (
    CHOOSING,
    SETS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    String,
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
