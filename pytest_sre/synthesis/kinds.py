"""What kind of thing a metric is: by the type that a snapshot tells, else by how expressions use it, else by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pytest_sre.promql.ast import (
    ARITHMETIC,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    VectorSelector,
    walk,
)
from pytest_sre.promql.fold import is_scalar
from pytest_sre.synthesis.flags import is_flag

Kind = Literal["flag", "counter", "gauge"]
_RATES = frozenset({"rate", "irate", "increase", "resets"})
_LEVELS = frozenset({
    "delta", "idelta", "deriv", "predict_linear", "avg_over_time", "min_over_time", "max_over_time",
    "sum_over_time", "quantile_over_time", "stddev_over_time", "stdvar_over_time", "holt_winters",
    "double_exponential_smoothing",
})  # fmt: skip
"""Functions that make sense of what goes up and down only."""
_BELOW = frozenset({"<", "<=", "==", "!="})
_COUNTER = re.compile(r"_(total|bucket)$")
_COUNTED = re.compile(r"_(count|sum|bucket)$")


class Kinds:
    """The kinds of the metrics that some expressions read."""

    def __init__(self, exprs: Iterable[Expr], types: Mapping[str, str]) -> None:
        """``types`` are metric types by sample name, as snapshots tell them."""
        every = list(exprs)
        self._types = types
        self._rated = {name for expr in every for name in _rated(expr)}
        self._level = {name for expr in every for name in _levels(expr)}

    def of(self, name: str) -> Kind:
        """``flag`` is 0 or 1, ``counter`` rises (the parts of histograms and summaries do), ``gauge`` is all else."""
        known = _of_type(name, self._types.get(name, ""))
        if known:
            return known
        if is_flag(name):
            return "flag"
        if name in self._rated or (_COUNTER.search(name) and name not in self._level):
            return "counter"
        return "gauge"

    def only_named(self, name: str) -> bool:
        """Whether nothing but its name would make a metric a counter: no type, and nobody takes its rate."""
        known = _of_type(name, self._types.get(name, ""))
        return known is None and name not in self._rated and bool(_COUNTER.search(name))


def _of_type(name: str, known: str) -> Kind | None:
    """What a type tells; None for types that tell nothing."""
    if known in ("info", "stateset"):
        return "flag"
    if known == "counter":
        return "gauge" if name.endswith("_created") else "counter"
    if known in ("histogram", "summary"):
        return "counter" if _COUNTED.search(name) else "gauge"  # quantiles, and when it was created
    if known in ("gauge", "gaugehistogram"):
        return "flag" if is_flag(name) else "gauge"
    return None


def _rated(expr: Expr) -> Iterator[str]:
    """Names that something takes the rate of."""
    for node in walk(expr):
        if isinstance(node, Call) and node.name in _RATES:
            for inner in walk(node.args[0]):
                if isinstance(inner, MatrixSelector):
                    yield inner.selector.name
                elif isinstance(inner, VectorSelector) and isinstance(node.args[0], Subquery):
                    yield inner.name


def _levels(expr: Expr) -> Iterator[str]:
    """Names that something treats as a level: a counter is not averaged, subtracted, or feared to be low."""
    for node in walk(expr):
        if isinstance(node, Call) and node.name in _LEVELS:
            yield from _names(node)
        elif isinstance(node, Binary):
            if node.op in ARITHMETIC and not (is_scalar(node.lhs) or is_scalar(node.rhs)):
                yield from _names(node)
            elif node.op in _BELOW:
                yield from _names(node.lhs)
            elif node.op in (">", ">="):
                yield from _names(node.rhs)


def _names(expr: Expr) -> Iterator[str]:
    return (node.name for node in walk(expr) if isinstance(node, VectorSelector))
