"""How far back an expression looks: what it reads of raw series and of records, and when these must have been made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import Expr, MatrixSelector, Subquery, VectorSelector, children
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex

MAX_TICKS = 3000
"""Evaluations of a recording rule over a window that are made as they are in production; longer ones are thinned."""
_THIN_TICKS = 500
_FRESH = 120.0  # seconds: well below the lookback, after which a recorded value is no longer seen


@dataclass(frozen=True, slots=True)
class Read:
    """Reads of a raw metric: windows of ``range`` seconds (0: instant) that end ``lo`` to ``hi`` seconds ago.

    Where ``step`` is not 0, they end only at multiples of so many seconds before now.
    """

    name: str
    lo: float
    hi: float
    range: float
    step: float = 0.0

    @property
    def reach(self) -> float:
        """Seconds before now that the oldest sample read may have."""
        return self.hi + self.range


@dataclass(frozen=True, slots=True)
class RecordRead:
    """Reads of what ``rule`` records: windows of ``range`` seconds (0: instant) that end ``lo`` to ``hi`` seconds ago."""

    rule: Rule
    lo: float
    hi: float
    range: float

    @property
    def reach(self) -> float:
        """Seconds before now that the oldest sample read may have; an instant read looks back further."""
        return self.hi + self.range


@dataclass(frozen=True, slots=True)
class Past:
    """``rule`` must have been evaluated from ``hi`` to ``lo`` seconds ago, at multiples of ``step`` before now."""

    rule: Rule
    lo: float
    hi: float
    step: float


class _Moments(NamedTuple):
    """When something is evaluated: ``lo`` to ``hi`` seconds ago, at any time (step 0) or at multiples of ``step``."""

    lo: float
    hi: float
    step: float


@dataclass(slots=True)
class _Found:
    rules: RuleIndex
    reads: set[Read] = field(default_factory=set)
    pasts: set[Past] = field(default_factory=set)


def reads(expr: Expr, rules: RuleIndex) -> frozenset[Read]:
    """All reads of raw series that evaluating ``expr`` now needs. An ``@`` counts as now."""
    return frozenset(_all(expr, rules).reads)


def pasts(expr: Expr, rules: RuleIndex) -> frozenset[Past]:
    """When recording rules must have been evaluated, through all their chains, so that ``expr`` has its data now."""
    return frozenset(_all(expr, rules).pasts)


def record_reads(expr: Expr, rules: RuleIndex) -> tuple[RecordRead, ...]:
    """The reads of recorded series in ``expr`` itself, not through further rules. An ``@`` counts as now."""
    found = (
        RecordRead(rule, lo, hi, window)
        for selector, window, lo, hi in _selections(expr, 0.0, 0.0)
        for rule in rules.behind(selector)
    )
    return tuple(dict.fromkeys(found))


def record_step(interval: float, window: float, span: float) -> float:
    """Seconds between evaluations of a rule whose records are read in windows over a span of the past.

    It is the rule's own interval, or where that would be too many, a power of two of minutes, so that the moments of
    a longer span are also moments of a shorter one; at most a fifth of the window.
    """
    if span / interval <= MAX_TICKS:
        return interval
    wanted = min(span / _THIN_TICKS, window / 5)
    return max(interval, 60.0 * 2.0 ** math.floor(math.log2(max(wanted, 60.0) / 60.0)))


def _selections(expr: Expr, lo: float, hi: float) -> Iterator[tuple[VectorSelector, float, float, float]]:
    """(selector, range, lo, hi) of everything read, with its offsets, when ``expr`` is asked for lo to hi seconds ago."""
    if isinstance(expr, Subquery):
        yield from _selections(expr.expr, lo + expr.offset, hi + expr.offset + expr.range)
    elif isinstance(expr, MatrixSelector):
        yield expr.selector, expr.range, lo + expr.selector.offset, hi + expr.selector.offset
    elif isinstance(expr, VectorSelector):
        yield expr, 0.0, lo + expr.offset, hi + expr.offset
    else:
        for child in children(expr):
            yield from _selections(child, lo, hi)


def _all(expr: Expr, rules: RuleIndex) -> _Found:
    found = _Found(rules)
    _collect(expr, _Moments(0.0, 0.0, 0.0), found, frozenset())
    return found


def _collect(expr: Expr, when: _Moments, found: _Found, open_names: frozenset[str]) -> None:
    rules = found.rules
    for selector, window, lo, hi in _selections(expr, when.lo, when.hi):
        shifted = math.isclose(hi - lo, when.hi - when.lo) and (lo - when.lo) % (when.step or 1.0) == 0
        step = when.step if shifted and hi > lo else 0.0
        if not rules.records(selector) or selector.name in open_names:
            found.reads.add(Read(selector.name, lo, hi, window, step))
            continue
        for rule in rules.behind(selector):
            made = _made(rules.interval(rule), window, _Moments(lo, hi, step))
            if made.hi > 0:
                found.pasts.add(Past(rule, *made))
            try:
                inner = parse(rule.expr)
            except PromqlError:
                continue
            _collect(inner, made, found, open_names | {selector.name})


def _made(interval: float, window: float, read: _Moments) -> _Moments:
    """When a rule is to be evaluated whose records are read in such windows."""
    lo, hi, step = read
    if window:
        return _Moments(lo, hi + window, record_step(interval, window, hi + window - lo))
    if step or hi == 0:
        return read
    if (hi - lo) / interval <= MAX_TICKS:
        return _Moments(lo, hi, interval)
    return _Moments(lo, hi, max(interval, min(_FRESH, record_step(interval, hi - lo, hi - lo))))
