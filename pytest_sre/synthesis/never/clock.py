"""Times of samples: never ahead of the evaluation, and never older than the lookback."""

from __future__ import annotations

from pytest_sre.promql.ast import Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.promql.printer import duration, to_text
from pytest_sre.synthesis.never.span import Span, combined, kept, only
from pytest_sre.synthesis.never.verdict import Never


def ahead(expr: Expr, lookback: float) -> Span | None:
    """How far (seconds) a time is ahead of ``time()``; None for what is no time that we know.

    ``timestamp()`` of anything but a selector is the time of the evaluation (Prometheus' `funcTimestamp`).
    ``lookback`` is after how many seconds a sample is no longer seen.
    """
    if isinstance(expr, Call) and expr.name == "time":
        return only(0.0)
    if isinstance(expr, Call) and expr.name == "timestamp":
        inner = expr.args[0]
        if not isinstance(inner, VectorSelector):
            return only(0.0)
        return None if inner.at is not None else Span(-inner.offset - lookback, -inner.offset)
    if isinstance(expr, Binary) and expr.op in ("+", "-"):
        left, right = fold(expr.lhs), fold(expr.rhs)
        if right is not None and (known := ahead(expr.lhs, lookback)) is not None:
            return combined(expr.op, known, only(right))
        if left is not None and expr.op == "+" and (known := ahead(expr.rhs, lookback)) is not None:
            return combined("+", known, only(left))
    if isinstance(expr, Binary) and expr.op in (">", "<", ">=", "<=", "==", "!=") and not expr.bool:
        return ahead(expr.lhs, lookback) if fold(expr.lhs) is None else None
    return None


def between(expr: Binary, lookback: float) -> Span | None:
    """The span of a difference of two times."""
    if expr.op != "-":
        return None
    left, right = ahead(expr.lhs, lookback), ahead(expr.rhs, lookback)
    return None if left is None or right is None else combined("-", left, right)


def never(expr: Binary, lookback: float) -> Never | None:
    """Why a comparison of two times never holds."""
    left, right = ahead(expr.lhs, lookback), ahead(expr.rhs, lookback)
    if left is None or right is None or not kept(expr.op, left, right).empty:
        return None
    if _of_evaluation(expr.lhs) or _of_evaluation(expr.rhs):
        why = "timestamp() of anything but a selector is the time of the evaluation, not that of a sample"
    else:
        why = f"no sample is seen after {duration(lookback)} (the lookback), and none is ahead of the evaluation"
    return Never(
        why, to_text(expr), "take timestamp() of the plain selector, or max_over_time(timestamp(x)[1d:])"
    )


def _of_evaluation(expr: Expr) -> bool:
    return any(
        isinstance(node, Call) and node.name == "timestamp" and not isinstance(node.args[0], VectorSelector)
        for node in walk(expr)
    )
