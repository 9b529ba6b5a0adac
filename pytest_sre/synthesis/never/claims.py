"""What an expression says of its parts: the values that they have wherever it has a result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_sre.promql.ast import COMPARISONS, Aggregate, Binary, Call, Expr, Matching, Unary
from pytest_sre.promql.fold import fold
from pytest_sre.promql.printer import to_text
from pytest_sre.synthesis.never.analysis import Analysis
from pytest_sre.synthesis.never.functions import ELEMENTWISE
from pytest_sre.synthesis.never.labels import NAME, Labels
from pytest_sre.synthesis.never.operators import MIRRORED
from pytest_sre.synthesis.never.span import Span, accepted, only
from pytest_sre.synthesis.never.verdict import Never
from pytest_sre.synthesis.never.whole import key_of

_PLAIN = Matching()
_VALUE_OF_LEFT = frozenset({*COMPARISONS, "and", "unless"})
_FUZZ = 1e-9


@dataclass(frozen=True, slots=True)
class Claim:
    """For each result there is an element of ``key`` with the same labels, and its value lies in ``span``.

    ``part`` is where that is said.
    """

    key: Expr
    span: Span
    part: Expr


def claims(expr: Expr, analysis: Analysis) -> tuple[Claim, ...]:
    """All that is said about parts which keep their labels."""
    return tuple(_claims(expr, analysis))


def _claims(expr: Expr, analysis: Analysis) -> Iterator[Claim]:
    if isinstance(expr, Unary):
        yield from _claims(expr.expr, analysis)
    elif isinstance(expr, Call) and expr.name in ELEMENTWISE and expr.args:
        yield from _claims(expr.args[0], analysis)
    elif isinstance(expr, Aggregate) and expr.op in ("topk", "bottomk", "limitk"):
        yield from _claims(expr.expr, analysis)
    elif isinstance(expr, Binary) and expr.op != "or":
        yield from _of_binary(expr, analysis)


def _of_binary(expr: Binary, analysis: Analysis) -> Iterator[Claim]:
    left, right = analysis.scalar(expr.lhs), analysis.scalar(expr.rhs)
    compares = expr.op in COMPARISONS and not expr.bool
    if right is not None and left is None:
        yield from _claims(expr.lhs, analysis)
        if compares and (value := fold(expr.rhs)) is not None:
            yield from _solved(expr.lhs, accepted(expr.op, only(value)), expr)
    elif left is not None and right is None:
        yield from _claims(expr.rhs, analysis)
        if compares and (value := fold(expr.lhs)) is not None:
            yield from _solved(expr.rhs, accepted(MIRRORED.get(expr.op, expr.op), only(value)), expr)
    elif left is None and right is None:
        yield from _of_vectors(expr, compares, analysis)


def _of_vectors(expr: Binary, compares: bool, analysis: Analysis) -> Iterator[Claim]:
    matching = expr.matching
    if expr.op in ("and", "unless"):
        yield from _claims(expr.lhs, analysis)
    elif not matching.group:
        yield from (c for c in _claims(expr.lhs, analysis) if carried(c.key, matching, analysis))
    if expr.op != "unless" and not matching.group:
        yield from (c for c in _claims(expr.rhs, analysis) if carried(c.key, matching, analysis))
    if compares and matching == _PLAIN and expr.op != "!=":
        one, other = key_of(expr.lhs), key_of(expr.rhs)
        span = accepted(expr.op, only(0.0))
        if to_text(one) > to_text(other):
            one, other, span = other, one, span.negated()
        yield Claim(Binary("-", one, other), span, expr)


def _solved(expr: Expr, span: Span, part: Expr) -> Iterator[Claim]:
    """What a condition on an expression says of it, and of what it was computed from with numbers."""
    if span == Span():
        return
    yield Claim(key_of(expr), span, part)
    if isinstance(expr, Unary):
        yield from _solved(expr.expr, span.negated(), part)
    if isinstance(expr, Binary) and not expr.bool and expr.op in _VALUE_OF_LEFT:
        if fold(expr.lhs) is not None:
            yield from _solved(expr.rhs, span, part)
        elif expr.op not in COMPARISONS or expr.matching == _PLAIN:
            yield from _solved(expr.lhs, span, part)
    if not (isinstance(expr, Binary) and expr.op in ("+", "-", "*", "/")):
        return
    left, right = fold(expr.lhs), fold(expr.rhs)
    if right is not None and math.isfinite(right):
        if expr.op in ("+", "-"):
            shift = -right if expr.op == "+" else right
            yield from _solved(expr.lhs, _wider(span, lambda v: v + shift), part)
        elif right:
            factor = 1 / right if expr.op == "*" else right
            scaled = _wider(span if factor > 0 else span.negated(), lambda v: v * abs(factor))
            yield from _solved(expr.lhs, scaled, part)
    elif left is not None and math.isfinite(left):
        if expr.op == "+":
            yield from _solved(expr.rhs, _wider(span, lambda v: v - left), part)
        elif expr.op == "-":
            yield from _solved(expr.rhs, _wider(span.negated(), lambda v: v + left), part)
        elif expr.op == "*" and left:
            scaled = _wider(span if left > 0 else span.negated(), lambda v: v / abs(left))
            yield from _solved(expr.rhs, scaled, part)


def _wider(span: Span, change: Callable[[float], float]) -> Span:
    """A span computed backwards, a little wider than the last digits of floats."""
    low, high = change(span.low), change(span.high)
    low -= abs(low) * _FUZZ if math.isfinite(low) else 0.0
    high += abs(high) * _FUZZ if math.isfinite(high) else 0.0
    return Span(low, high)


def carried(key: Expr, matching: Matching, analysis: Analysis) -> bool:
    """Whether elements of ``key`` that match are equal in all their labels, not only in those looked at."""
    if matching == _PLAIN or (matching.on is None and not matching.ignoring):
        return True
    kinds = analysis.kinds(key)
    if isinstance(kinds, Never):
        return False
    return all(_covers(kind.labels, matching) for kind in kinds)


def _covers(labels: Labels, matching: Matching) -> bool:
    empty = frozenset({""})
    if matching.on is None:
        return all(labels.of(label).listed == empty for label in matching.ignoring)
    others = [label for label in labels.known if label not in (*matching.on, NAME)]
    return not labels.more and all(labels.of(label).listed == empty for label in others)


def excluding(expr: Binary, analysis: Analysis) -> Never | None:
    """Why both sides can never hold for the same labels: they want different values of one part."""
    left = claims(expr.lhs, analysis)
    if not left:
        return None
    by_key: dict[Expr, list[Claim]] = {}
    for claim in left:
        by_key.setdefault(claim.key, []).append(claim)
    for claim in claims(expr.rhs, analysis):
        for other in by_key.get(claim.key, []):
            if other.span.meet(claim.span).empty and carried(claim.key, expr.matching, analysis):
                return Never(
                    f"{to_text(other.part)} and {to_text(claim.part)} exclude each other: "
                    "the same series would need two values at once",
                    to_text(expr),
                    "write or instead of and, or mend one of the thresholds",
                )
    return None


def merged(found: tuple[Claim, ...]) -> dict[Expr, Span]:
    """What is said of each part, all together."""
    spans: dict[Expr, Span] = {}
    for claim in found:
        spans[claim.key] = spans.get(claim.key, Span()).meet(claim.span)
    return spans


def weaker(condition: Binary, analysis: Analysis, given: dict[Expr, Span]) -> bool:
    """Whether a comparison with a number holds wherever ``given`` does."""
    value = fold(condition.rhs)
    if value is None or condition.bool or condition.op not in (">", "<", ">=", "<=", "=="):
        return False
    known = given.get(key_of(condition.lhs))
    return known is not None and known.within(accepted(condition.op, only(value)))
