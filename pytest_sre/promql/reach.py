"""How far back an expression looks: every read of raw series, recording rules resolved."""

from __future__ import annotations

from dataclasses import dataclass

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


def reads(expr: Expr, rules: RuleIndex) -> frozenset[Read]:
    """All reads of raw series that evaluating ``expr`` now needs. An ``@`` counts as now."""
    found: set[Read] = set()
    _collect(expr, 0.0, 0.0, rules, found, frozenset())
    return frozenset(found)


def _collect(
    expr: Expr, lo: float, hi: float, rules: RuleIndex, found: set[Read], open_names: frozenset[str]
) -> None:
    if isinstance(expr, Subquery):
        start, end = lo + expr.offset, hi + expr.offset + expr.range
        _collect(expr.expr, start, end, rules, found, open_names)
    elif isinstance(expr, MatrixSelector):
        _selector(expr.selector, expr.range, lo, hi, rules, found, open_names)
    elif isinstance(expr, VectorSelector):
        _selector(expr, 0.0, lo, hi, rules, found, open_names)
    else:
        for child in children(expr):
            _collect(child, lo, hi, rules, found, open_names)


def _selector(
    selector: VectorSelector,
    window: float,
    lo: float,
    hi: float,
    rules: RuleIndex,
    found: set[Read],
    open_names: frozenset[str],
) -> None:
    lo, hi = lo + selector.offset, hi + selector.offset
    if not rules.records(selector) or selector.name in open_names:
        found.add(Read(selector.name, lo, hi, window))
        return
    for rule in rules.behind(selector):
        try:
            inner = parse(rule.expr)
        except PromqlError:
            continue
        _collect(inner, lo, hi + window, rules, found, open_names | {selector.name})
