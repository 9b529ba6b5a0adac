"""What operators make of the elements of their sides."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.promql.ast import ARITHMETIC, COMPARISONS, Binary, Expr
from pytest_sre.synthesis.never import labels, reasons
from pytest_sre.synthesis.never.kinds import Kind, Kinds, few, hull
from pytest_sre.synthesis.never.span import SHARE, Span, combined, kept, only
from pytest_sre.synthesis.never.verdict import Never

MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
"""The comparison seen from its other side."""


def with_scalar(expr: Binary, vector: Expr, kinds: Kinds, other: Span, fixed: Span | None) -> Kinds | Never:
    """A vector and a scalar, whose span is ``other``; ``fixed`` is the span of the result where it is known."""
    first = vector is expr.lhs
    if expr.op not in COMPARISONS:
        return tuple(
            Kind(
                kind.labels.nameless(),
                fixed or combined(expr.op, *((kind.span, other) if first else (other, kind.span))),
            )
            for kind in kinds
        )
    op = expr.op if first else MIRRORED.get(expr.op, expr.op)
    if expr.bool:
        return tuple(Kind(kind.labels.nameless(), _decided(op, kind.span, other)) for kind in kinds)
    spans = [(kind, kept(op, kind.span, other)) for kind in kinds]
    found = tuple(replace(kind, span=span) for kind, span in spans if not span.empty)
    return found or reasons.out_of_reach(expr, vector, op, hull(kinds).span, other)


def joined(expr: Binary, left: Kinds, right: Kinds, fixed: Span | None) -> Kinds | Never:
    """The elements of two vectors that can meet, and what becomes of them."""
    found: list[Kind] = []
    apart: Never | None = None
    match = labels.joined if expr.op == "and" else labels.paired
    for one in left:
        for other in right:
            together, bad = match(one.labels, other.labels, expr.matching)
            if bad:
                apart = apart or reasons.apart(expr, bad, one.labels.of(bad), other.labels.of(bad))
                continue
            span = fixed or _result(expr, one.span, other.span)
            if not span.empty:
                found.append(Kind(together, span))
    if found:
        return few(found)
    return apart or reasons.out_of_reach(expr, expr.lhs, expr.op, hull(left).span, hull(right).span)


def _result(expr: Binary, left: Span, right: Span) -> Span:
    if expr.op == "and":
        return left
    if expr.op in ARITHMETIC:
        return combined(expr.op, left, right)
    return _decided(expr.op, left, right) if expr.bool else kept(expr.op, left, right)


def _decided(op: str, left: Span, right: Span) -> Span:
    """The value of a comparison with ``bool``: 0 where it never holds (NaN may hide where it always does)."""
    return only(0.0) if op != "!=" and kept(op, left, right).empty else SHARE
