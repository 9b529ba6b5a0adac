"""Which metrics are 0 or 1, as far as names and their use tell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_sre.promql.ast import Binary, Expr, VectorSelector, children, walk
from pytest_sre.promql.fold import fold

_FROM_ZERO = re.compile(
    r"_(bytes|total|count|sum|bucket|seconds|ratio|percent|percentage|replicas|size|length|limit)$"
)
_FLAG = re.compile(r"(^|_)up$|_info$|^probe_success$|^ALERTS$")


def is_flag(name: str) -> bool:
    """Whether a metric is 0 or 1: ``up``, what ends so, and infos."""
    return bool(_FLAG.search(name))


def never_negative(name: str) -> bool:
    """Whether a metric's unit has nothing below 0: bytes, counts, durations, ratios."""
    return bool(_FROM_ZERO.search(name))


def compared_as_flags(exprs: Iterable[Expr]) -> frozenset[str]:
    """Metrics that are only ever asked whether they are 0, or 1 (``x == 1``)."""
    asked: set[str] = set()
    other: set[str] = set()
    for expr in exprs:
        for node in walk(expr):
            inner = [child for child in children(node) if isinstance(child, VectorSelector)]
            flag = (
                isinstance(node, Binary) and node.op == "==" and {fold(node.lhs), fold(node.rhs)} & {0.0, 1.0}
            )
            (asked if flag else other).update(one.name for one in inner)
    return frozenset(asked - other)
