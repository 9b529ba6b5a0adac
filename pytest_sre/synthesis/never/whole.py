"""Ratios that lie within 0..1 by construction, and those that are always the same."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.never.functions import ELEMENTWISE, PER_SERIES
from pytest_sre.synthesis.never.span import SHARE, Span, combined, only
from pytest_sre.synthesis.parts import is_part, is_share

COMPARISONS = frozenset({">", "<", ">=", "<=", "==", "!="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
_PLAIN = Matching()
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_PART = frozenset({"avail", "available", "free"})
_WHOLE = frozenset({"size", "total", "capacity"})
_FUZZ = 1e-9


def ratio(expr: Binary, span: Callable[[Expr], Span]) -> Span | None:
    """The span of a product or division where it is certain; ``span`` tells that of a part."""
    fixed = cancelled(expr)
    if fixed is not None:
        low, high = sorted((fixed * (1 - _FUZZ), fixed * (1 + _FUZZ)))
        return Span(low, high)
    if expr.op != "/" or expr.matching.group:
        return None
    factor, part = _factored(_unfiltered(expr.lhs))
    below, whole = _factored(_unfiltered(expr.rhs))
    if not (factor > 0 and below > 0):
        return None
    plain = replace(expr, lhs=part, rhs=whole)
    if is_share(plain) or _in_sum(plain, span):
        return combined("*", SHARE, only(factor / below))
    return combined("*", Span(high=1.0), only(factor / below)) if _by_name(part, whole) else None


def key_of(expr: Expr) -> Expr:
    """An expression without the matchers that choose some of its series: elements with equal labels are the same."""
    if isinstance(expr, VectorSelector):
        return replace(expr, matchers=()) if expr.name else expr
    if isinstance(expr, MatrixSelector):
        return replace(expr, selector=replace(expr.selector, matchers=())) if expr.selector.name else expr
    if isinstance(expr, Subquery):
        return replace(expr, expr=key_of(expr.expr))
    if isinstance(expr, Unary):
        return Unary(key_of(expr.expr))
    if isinstance(expr, Call) and (expr.name in PER_SERIES or expr.name in ELEMENTWISE):
        return replace(expr, args=tuple(map(key_of, expr.args)))
    if isinstance(expr, Binary) and expr.op in ARITHMETIC and expr.matching == _PLAIN:
        return replace(expr, lhs=key_of(expr.lhs), rhs=key_of(expr.rhs))
    return expr


def _unfiltered(expr: Expr) -> Expr:
    """What a comparison with a number looks at: it leaves values as they are."""
    while (
        isinstance(expr, Binary) and expr.op in COMPARISONS and not expr.bool and fold(expr.rhs) is not None
    ):
        expr = expr.lhs
    return expr


def _factored(expr: Expr) -> tuple[float, Expr]:
    """A number and what it is multiplied with."""
    if isinstance(expr, Binary) and expr.op in ("*", "/"):
        left, right = fold(expr.lhs), fold(expr.rhs)
        if expr.op == "*" and left is not None:
            factor, rest = _factored(expr.rhs)
            return factor * left, rest
        if right:
            factor, rest = _factored(expr.lhs)
            return (factor * right if expr.op == "*" else factor / right), rest
    return 1.0, expr


def _in_sum(division: Binary, span: Callable[[Expr], Span]) -> bool:
    """Whether the whole is a sum that the part is a term of, such as ``bad / (bad + good)``."""
    terms, ours = _terms(division.rhs, division.matching), _terms(division.lhs, division.matching)
    if not terms or not ours or not all(span(term).low >= 0 for term in terms):
        return False
    if _padded(division.lhs):
        return False
    left = list(terms)
    for term in ours:
        found = next((one for one in left if one == term or is_part(term, one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _padded(expr: Expr) -> bool:
    """Whether more than its terms is in a sum."""
    if isinstance(expr, Call) and expr.name == "clamp_min":
        return True
    if isinstance(expr, Binary) and expr.op == "+":
        return _padded(expr.lhs) or _padded(expr.rhs)
    return fold(expr) is not None


def _terms(expr: Expr, matching: Matching) -> list[Expr] | None:
    """The terms of a sum, without those that only make it larger; None where its parts match in other ways."""
    if isinstance(expr, Call) and expr.name == "clamp_min":
        return _terms(expr.args[0], matching)
    if fold(expr) is not None:
        return [] if (fold(expr) or 0.0) >= 0 else None
    if isinstance(expr, Binary) and expr.op == "+":
        if expr.matching.group or (matching != _PLAIN and expr.matching not in (_PLAIN, matching)):
            return None
        left, right = _terms(expr.lhs, matching), _terms(expr.rhs, matching)
        return None if left is None or right is None else [*left, *right]
    return [expr]


def _by_name(part: Expr, whole: Expr) -> bool:
    """``x_avail_bytes / x_size_bytes``: what is free of one thing, whose names differ in nothing else."""
    if isinstance(part, Aggregate) and isinstance(whole, Aggregate):
        same = part.op == whole.op == "sum" and (part.labels, part.without) == (whole.labels, whole.without)
        return same and _by_name(part.expr, whole.expr)
    if not (isinstance(part, VectorSelector) and isinstance(whole, VectorSelector)):
        return False
    if (part.offset, part.at, part.matchers) != (whole.offset, whole.at, whole.matchers):
        return False
    ours, theirs = _words(part.name), _words(whole.name)
    free, all_ = [w for w in ours if w in _PART], [w for w in theirs if w in _WHOLE]
    if len(free) != 1 or len(all_) != 1:
        return False
    return [w for w in ours if w not in _PART] == [w for w in theirs if w not in _WHOLE]


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def cancelled(expr: Binary) -> float | None:
    """The constant that is left where all series of a product are divided by themselves."""
    if expr.op not in ("*", "/"):
        return None
    above: list[Expr] = []
    below: list[Expr] = []
    factor = _flatten(expr, above, below, 1.0)
    if factor is None or not above or len(above) != len(below):
        return None
    for one in above:
        if one not in below:
            return None
        below.remove(one)
    return factor if math.isfinite(factor) and factor else None


def _flatten(expr: Expr, above: list[Expr], below: list[Expr], factor: float) -> float | None:
    value = fold(expr)
    if value is not None:
        return factor * value
    if isinstance(expr, Binary) and expr.op in ("*", "/"):
        if expr.matching != _PLAIN:
            return None
        left = _flatten(expr.lhs, above, below, factor)
        if left is None:
            return None
        swapped = (above, below) if expr.op == "*" else (below, above)
        if expr.op == "/" and (number := fold(expr.rhs)) is not None:
            return left / number if number else None
        return _flatten(expr.rhs, *swapped, left)
    above.append(key_of(_unfiltered(expr)))
    return factor
