"""Which expressions are by construction a part of a whole, so that their ratio lies within 0..1."""

from __future__ import annotations

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    VectorSelector,
)

_COUNTING = frozenset({"rate", "increase", "irate"})
_INFINITE = frozenset({"+Inf", "Inf"})


def is_share(ratio: Binary) -> bool:
    """Whether a division is of a part by its whole: errors by all, all but the good ones by all, bucket by count."""
    if ratio.matching.group:
        return False
    part, whole = ratio.lhs, ratio.rhs
    if isinstance(part, Binary) and part.op == "-" and not part.matching.group:
        return part.lhs == whole and is_part(part.rhs, whole)
    return is_part(part, whole)


def is_part(part: Expr, whole: Expr) -> bool:
    """Whether every element of ``part`` counts some of what the same element of ``whole`` counts."""
    if isinstance(part, Aggregate) and isinstance(whole, Aggregate):
        same = (part.op, frozenset(part.labels), part.without) == (
            whole.op,
            frozenset(whole.labels),
            whole.without,
        )
        if same and part.op == "sum":
            return is_part(part.expr, whole.expr)
        return same and part.op == "count" and _counts_part(part.expr, whole.expr)
    if isinstance(part, Call) and isinstance(whole, Call):
        if part.name != whole.name or part.name not in _COUNTING:
            return False
        one, other = part.args[0], whole.args[0]
        if not (isinstance(one, MatrixSelector) and isinstance(other, MatrixSelector)):
            return False
        return one.range == other.range and _selects_part(one.selector, other.selector)
    return False


def _counts_part(part: Expr, whole: Expr) -> bool:
    """``count(x{...} == 0)`` of ``count(x)``."""
    while isinstance(part, Binary) and part.op in ("==", "!=", ">", "<", ">=", "<=") and not part.bool:
        if not isinstance(part.rhs, Number):
            return False
        part = part.lhs
    if not (isinstance(part, VectorSelector) and isinstance(whole, VectorSelector)):
        return False
    return part.name == whole.name and _selects_part(part, whole)


def _selects_part(part: VectorSelector, whole: VectorSelector) -> bool:
    if (part.offset, part.at) != (whole.offset, whole.at) or not part.name:
        return False
    ours, theirs = list(part.matchers), list(whole.matchers)
    if part.name.endswith("_bucket"):
        bound = [matcher for matcher in ours if matcher.label == "le"]
        if len(bound) != 1 or bound[0].op != "=":
            return False
        if whole.name == part.name:
            top = [matcher for matcher in theirs if matcher.label == "le"]
            if len(top) != 1 or top[0].op != "=" or top[0].value not in (*_INFINITE, bound[0].value):
                return False
        elif whole.name != part.name.removesuffix("_bucket") + "_count":
            return False
        ours = [matcher for matcher in ours if matcher.label != "le"]
        theirs = [matcher for matcher in theirs if matcher.label != "le"]
    elif part.name != whole.name:
        return False
    return all(_implied(matcher, ours) for matcher in theirs)


def _implied(wanted: Matcher, given: list[Matcher]) -> bool:
    """Whether series that satisfy ``given`` satisfy ``wanted``."""
    return wanted in given or any(
        matcher.op == "=" and matcher.label == wanted.label and wanted.matches({matcher.label: matcher.value})
        for matcher in given
    )
