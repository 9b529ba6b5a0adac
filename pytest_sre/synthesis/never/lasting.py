"""Conditions that cannot last as long as the alert's ``for``: now so, and some time ago otherwise."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.model.rules import Rule
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
from pytest_sre.promql.printer import duration, to_text
from pytest_sre.synthesis.never.analysis import Analysis
from pytest_sre.synthesis.never.claims import Claim, claims
from pytest_sre.synthesis.never.verdict import Never


def too_short(rule: Rule, expr: Expr, analysis: Analysis) -> Never | None:
    """Why an alert is never pending for as long as it must be; ``rule.hold`` in seconds."""
    if not rule.hold:
        return None
    moved = [found for claim in claims(expr, analysis) if (found := _moved(claim)) is not None]
    for i, (key, ago, one) in enumerate(moved):
        for other_key, other_ago, other in moved[i + 1 :]:
            if key != other_key or not one.span.meet(other.span).empty:
                continue
            lasts = abs(ago - other_ago)
            if 0 < lasts <= rule.hold and lasts % analysis.rules.interval(rule) == 0:
                return _told(rule, expr, one, other, lasts)
    return None


def _told(rule: Rule, expr: Expr, one: Claim, other: Claim, lasts: float) -> Never:
    return Never(
        f"{to_text(one.part)} and {to_text(other.part)} hold together for less than {duration(lasts)}: after that "
        f"the one is what the other looks back at; for: {duration(rule.hold)} is never reached",
        to_text(expr),
        f"make for shorter than {duration(lasts)}, or look further back",
    )


def _moved(claim: Claim) -> tuple[Expr, float, Claim] | None:
    """A claim's part without its offset, and that offset in seconds; None where its parts have different ones."""
    offsets = {node.offset for node in walk(claim.key) if isinstance(node, VectorSelector)}
    fixed = any(map(_fixed, walk(claim.key)))
    return (_unmoved(claim.key), offsets.pop(), claim) if len(offsets) == 1 and not fixed else None


def _fixed(expr: Expr) -> bool:
    """Whether a part does not move with an offset: a moment, the time itself, a subquery's steps."""
    if isinstance(expr, VectorSelector):
        return expr.at is not None
    return isinstance(expr, Subquery) or (isinstance(expr, Call) and not expr.args)


def _unmoved(expr: Expr) -> Expr:
    if isinstance(expr, VectorSelector):
        return replace(expr, offset=0.0)
    if isinstance(expr, MatrixSelector):
        return replace(expr, selector=replace(expr.selector, offset=0.0))
    if isinstance(expr, (Aggregate, Unary)):
        return replace(expr, expr=_unmoved(expr.expr))
    if isinstance(expr, Call):
        return replace(expr, args=tuple(map(_unmoved, expr.args)))
    if isinstance(expr, Binary):
        return replace(expr, lhs=_unmoved(expr.lhs), rhs=_unmoved(expr.rhs))
    return expr
