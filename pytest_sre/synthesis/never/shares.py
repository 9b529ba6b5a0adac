"""Divisions of a part by its whole, whose values lie within 0..1 by construction."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, Matching, VectorSelector
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.never.span import SHARE, Span
from pytest_sre.synthesis.parts import is_part, is_share

Written = Callable[[Expr, Expr], tuple[Expr, Expr] | None]
_PLAIN = Matching()
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_PART = frozenset({"avail", "available", "free"})
_WHOLE = frozenset({"size", "total", "capacity"})


def share(division: Binary, span: Callable[[Expr], Span], written: Written, depth: int = 8) -> Span | None:
    """The span of a division, where its left side is a part of its right side; None where that is not certain.

    Records are followed ``depth`` times.
    """
    part, whole = division.lhs, division.rhs
    inside = written(part, whole)
    if inside is not None and depth:
        return share(replace(division, lhs=inside[0], rhs=inside[1]), span, written, depth - 1)
    if division.matching.group:
        return SHARE if division.matching.group == "left" and _finer(part, whole, division.matching) else None
    if is_share(division) or _in_sum(division, span):
        return SHARE
    if _average(part, whole):
        assert isinstance(part, Aggregate)
        return span(part.expr)
    return Span(high=1.0) if _by_name(part, whole) else None


def _finer(part: Expr, whole: Expr, matching: Matching) -> bool:
    """Whether the whole sums what the part has by more labels: ``sum by (a, b) (x{...}) / on (a) sum by (a) (x)``."""
    if not (isinstance(whole, Aggregate) and whole.op == "sum"):
        return False
    summed = isinstance(part, Aggregate) and part.op == "sum"
    inner = part.expr if isinstance(part, Aggregate) and summed else part
    if not is_part(inner, whole.expr):
        return False
    left = frozenset(part.labels) if isinstance(part, Aggregate) else frozenset[str]()
    right = frozenset(whole.labels)
    if whole.without:
        fits = not summed or (isinstance(part, Aggregate) and part.without and left <= right)
        return matching.on is None and frozenset(matching.ignoring) == right and fits
    if isinstance(part, Aggregate) and (part.without or not right <= left):
        return False
    if matching.on is not None:
        return frozenset(matching.on) == right
    return summed and left - frozenset(matching.ignoring) == right


def _average(part: Expr, whole: Expr) -> bool:
    """``sum(x) / count(x)``."""
    if not (isinstance(part, Aggregate) and isinstance(whole, Aggregate)):
        return False
    same = (part.labels, part.without, part.expr) == (whole.labels, whole.without, whole.expr)
    return same and part.op == "sum" and whole.op == "count"


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
