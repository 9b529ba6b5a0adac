"""Functions on metrics that they are not made for, where the metric's type is known beyond doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.promql.ast import Call, Expr, MatrixSelector, VectorSelector, walk
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never.facts import Facts
from pytest_sre.synthesis.never.verdict import Misuse

_OF_COUNTERS = frozenset({"rate", "irate", "increase"})
_OF_GAUGES = frozenset({"delta", "idelta"})
_COUNTED = re.compile(r"_(total|count|sum|bucket)$")
_GAUGE = re.compile(r"(^up|_info|_ratio|_percent|_celsius)$")


def misused(expr: Expr, rules: RuleIndex, facts: Facts) -> Iterator[Misuse]:
    """Each function of an expression that does not fit its raw metric."""
    for node in walk(expr):
        if isinstance(node, Call) and node.args and isinstance(node.args[0], MatrixSelector):
            selector = node.args[0].selector
            if selector.name and not rules.recording(selector.name):
                yield from _one(node, selector, facts)


def _one(call: Call, selector: VectorSelector, facts: Facts) -> Iterator[Misuse]:
    name, kind = selector.name, facts.type(selector.name)
    # many exporters call counters gauges; a name that ends as counters' do is believed more
    gauge = (kind == "gauge" or (not kind and _GAUGE.search(name))) and not _COUNTED.search(name)
    if call.name in _OF_COUNTERS and gauge:
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
