"""How far back an expression looks: every read of raw series, recording rules resolved; and its reads of records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import Expr, MatrixSelector, Subquery, VectorSelector, children
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex


@dataclass(frozen=True, slots=True)
class Read:
    """Reads of a raw metric: windows of ``range`` seconds (0: instant) that end ``lo`` to ``hi`` seconds ago."""

    name: str
    lo: float
    hi: float
    range: float

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


def reads(expr: Expr, rules: RuleIndex) -> frozenset[Read]:
    """All reads of raw series that evaluating ``expr`` now needs. An ``@`` counts as now."""
    found: set[Read] = set()
    _collect(expr, 0.0, 0.0, rules, found, frozenset())
    return frozenset(found)


def record_reads(expr: Expr, rules: RuleIndex) -> tuple[RecordRead, ...]:
    """The reads of recorded series in ``expr`` itself, not through further rules. An ``@`` counts as now."""
    found = (
        RecordRead(rule, lo, hi, window)
        for selector, window, lo, hi in _selections(expr, 0.0, 0.0)
        for rule in rules.behind(selector)
    )
    return tuple(dict.fromkeys(found))


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


def _collect(
    expr: Expr, lo: float, hi: float, rules: RuleIndex, found: set[Read], open_names: frozenset[str]
) -> None:
    for selector, window, start, end in _selections(expr, lo, hi):
        if not rules.records(selector) or selector.name in open_names:
            found.add(Read(selector.name, start, end, window))
            continue
        for rule in rules.behind(selector):
            try:
                inner = parse(rule.expr)
            except PromqlError:
                continue
            _collect(inner, start, end + window, rules, found, open_names | {selector.name})
