"""Alerts that hold on all data: a comparison that no value of its series can fail."""

from __future__ import annotations

from pytest_sre.promql.ast import (
    ARITHMETIC,
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never import reasons
from pytest_sre.synthesis.never.analysis import Analysis
from pytest_sre.synthesis.never.functions import ELEMENTWISE, PER_SERIES
from pytest_sre.synthesis.never.kinds import hull
from pytest_sre.synthesis.never.operators import MIRRORED
from pytest_sre.synthesis.never.span import Span, surely
from pytest_sre.synthesis.never.sure import may_be_nan
from pytest_sre.synthesis.never.verdict import Always, Never

_SHAPING = frozenset({"label_replace", "label_join", "histogram_quantile", "quantile_over_time"})


def holding(expr: Expr, analysis: Analysis) -> Always | None:
    """The comparison because of which an alert holds wherever its series are; None where a value may fail it."""
    if not isinstance(expr, Binary):
        return None
    if expr.op == "and":
        left, right = holding(expr.lhs, analysis), holding(expr.rhs, analysis)
        return left if left and right else None
    if expr.op == "or":
        return holding(expr.lhs, analysis) or holding(expr.rhs, analysis)
    if expr.op not in COMPARISONS or expr.bool:
        return None
    return _compared(expr, analysis)


def _compared(expr: Binary, analysis: Analysis) -> Always | None:
    left, right = analysis.scalar(expr.lhs), analysis.scalar(expr.rhs)
    if left is not None and right is not None:
        return None
    vector, op, number = expr.lhs, expr.op, right
    if left is not None:
        vector, op, number = expr.rhs, MIRRORED.get(expr.op, expr.op), left
    if not (
        unconditional(vector, analysis.rules)
        and (number is not None or unconditional(expr.rhs, analysis.rules))
    ):
        return None
    if may_be_nan(expr) or not any(isinstance(node, VectorSelector) for node in walk(vector)):
        return None
    other = number if number is not None else analysis.span(expr.rhs)
    kinds = analysis.kinds(vector)
    if isinstance(kinds, Never) or not all(surely(op, kind.span, other) for kind in kinds):
        return None
    return _told(expr, vector, hull(kinds).span, op, other)


def _told(expr: Binary, vector: Expr, seen: Span, op: str, other: Span) -> Always:
    side = "left" if vector is expr.lhs else "right"
    step = (
        "if the threshold is in percent, multiply the ratio by 100 or divide the threshold"
        if seen.high <= 1 < other.high and op in ("<", "<=")
        else "mend the threshold or the comparison: as it is, it asks nothing"
    )
    return Always(
        to_text(expr),
        f"the value on the {side} is {seen}, so that {op} {reasons.threshold(op, other)} holds whatever the data",
        step,
        existence=_counts(vector),
    )


def _counts(expr: Expr) -> bool:
    """Whether a value says no more than that there are series."""
    while isinstance(expr, Binary) and expr.op in ARITHMETIC:
        expr = expr.lhs
    if isinstance(expr, Aggregate) and expr.op in ("sum", "min", "max", "avg"):
        return _counts(expr.expr)
    if isinstance(expr, Aggregate):
        return expr.op in ("count", "group", "count_values")
    return isinstance(expr, Call) and expr.name in ("count_over_time", "present_over_time")


def unconditional(expr: Expr, rules: RuleIndex) -> bool:
    """Whether an expression has a result wherever its raw series are: nothing in it asks for a value.

    Series that are there only in trouble (``ALERTS``) are a condition themselves.
    """
    behind = rules.closure_of(to_text(expr))
    try:
        return all(_unconditional(one) for one in (expr, *(parse(rule.expr) for rule in behind)))
    except PromqlError:
        return False


def _unconditional(expr: Expr) -> bool:
    if isinstance(expr, (Unary, Subquery, Aggregate)):
        return _unconditional(expr.expr)
    if isinstance(expr, Call):
        known = expr.name in PER_SERIES or expr.name in ELEMENTWISE or expr.name in _SHAPING
        return known and all(_unconditional(argument) for argument in expr.args)
    if isinstance(expr, Binary):
        plain = expr.op in ARITHMETIC or expr.bool
        return plain and _unconditional(expr.lhs) and _unconditional(expr.rhs)
    return not (isinstance(expr, VectorSelector) and expr.name == "ALERTS")
