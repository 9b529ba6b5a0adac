"""Functions on metrics that they are not made for, where the metric's type is known beyond doubt."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.promql.ast import Call, Expr, MatrixSelector, VectorSelector, walk
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never.facts import Facts
from pytest_sre.synthesis.never.functions import COUNTER
from pytest_sre.synthesis.never.raw import is_gauge
from pytest_sre.synthesis.never.verdict import Misuse

_OF_GAUGES = frozenset({"delta", "idelta"})


def misused(expr: Expr, rules: RuleIndex, facts: Facts) -> Iterator[Misuse]:
    """Each function of an expression that does not fit its raw metric."""
    for node in walk(expr):
        if isinstance(node, Call) and node.args and isinstance(node.args[0], MatrixSelector):
            selector = node.args[0].selector
            if selector.name and not rules.recording(selector.name):
                yield from _one(node, selector, facts)


def _one(call: Call, selector: VectorSelector, facts: Facts) -> Iterator[Misuse]:
    name, kind = selector.name, facts.type(selector.name)
    if call.name in COUNTER and is_gauge(name, facts):
        why = "its snapshot says so" if kind else "its name says so"
        yield Misuse(
            to_text(call),
            f"{call.name}() of a gauge: {name} is a gauge ({why}), and each fall of it counts as a restart",
            "use delta() or deriv(), or compare the gauge itself",
        )
    if call.name in _OF_GAUGES and kind in ("counter", "histogram"):
        yield Misuse(
            to_text(call),
            f"{call.name}() of a counter: {name} falls to 0 at each restart",
            "use increase() or rate()",
        )
