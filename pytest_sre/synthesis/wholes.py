"""Which series are parts of others: errors of requests, what is free of what there is, idle time of all time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, MatrixSelector, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.thresholds import compared

_SUMS = frozenset({"sum", "avg", "max", "min"})


def parts_of_gauges(
    exprs: Iterable[Expr], rules: RuleIndex
) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """(part, whole) of plain gauges: an alert compares their ratio with something up to 1, or up to 100 %."""
    for expr in exprs:
        for ratio, limits in compared(expr):
            part, whole = _plain(ratio.lhs, rules), _plain(ratio.rhs, rules)
            if part and whole and not part & whole and all(0 < limit < 1 for limit in limits):
                yield part, whole


def shares_of_time(exprs: Iterable[Expr]) -> frozenset[str]:
    """Counters whose rate is subtracted from 1: they count seconds, one a second at most."""
    found: set[str] = set()
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Binary) and node.op == "-" and fold(node.lhs) == 1:
                found.update(_rated(node.rhs))
    return frozenset(found)


def _rated(expr: Expr) -> Iterator[str]:
    while isinstance(expr, Aggregate) and expr.op in ("avg", "min", "max"):
        expr = expr.expr
    if isinstance(expr, Call) and expr.name in ("rate", "irate") and isinstance(expr.args[0], MatrixSelector):
        yield expr.args[0].selector.name


def _plain(expr: Expr, rules: RuleIndex) -> frozenset[str]:
    """The raw gauges that an expression is the plain sum of, else nothing."""
    names = set()
    for node in walk(expr):
        if isinstance(node, (Call, MatrixSelector)) or (isinstance(node, Binary) and node.op != "+"):
            return frozenset()
        if isinstance(node, Aggregate) and node.op not in _SUMS:
            return frozenset()
        if isinstance(node, VectorSelector):
            if rules.records(node):
                return frozenset()
            names.add(node.name)
    return frozenset(names)
