"""Alerts on the first of several series (``topk``): more series than are shown, which overtake each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.contrast import Behaviour

_LABEL = "instance"
_MOST = 10


def shown(expr: Expr) -> int:
    """How many series an alert shows of many, in the order of their values; 0 where it does not choose so.

    Where an aggregation or a join leaves none of the labels by which series were chosen, it makes no difference.
    """
    if isinstance(expr, Aggregate):
        count = fold(expr.param) if expr.op in ("topk", "bottomk") and expr.param is not None else None
        return int(count) if count and 1 <= count <= _MOST else 0
    if isinstance(expr, Call):
        return max(map(shown, expr.args), default=0)
    if isinstance(expr, Binary) and expr.matching.on is None and not expr.matching.ignoring:
        return max(shown(expr.lhs), shown(expr.rhs))
    return 0


def rivals(behaviours: Iterable[Behaviour], count: int) -> list[Behaviour]:
    """The series, and ``count`` copies of each on instances of their own; every other one is high while the rest is low."""
    found = {}
    for one in behaviours:
        found[one.labels] = one
        labels = dict(one.labels)
        for number in range(1, count + 1) if _LABEL in labels else ():
            own = tuple(sorted({**labels, _LABEL: f"{labels[_LABEL]}-{number}"}.items()))
            swapped = replace(one, near=one.over, over=one.near) if number % 2 else one
            found[own] = replace(swapped, labels=own)
    return list(found.values())
