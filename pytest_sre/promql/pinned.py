"""Labels that have one value in all that an expression reads, and so in its results."""

from __future__ import annotations

from functools import lru_cache

from pytest_sre.promql.ast import Aggregate, Call, VectorSelector, walk
from pytest_sre.promql.parse import PromqlError, parse

_MAKING = frozenset({"label_replace", "label_join", "vector", "info"})
"""Functions that give labels, or results without any."""


@lru_cache(maxsize=20_000)
def pinned(text: str) -> dict[str, str]:
    """The labels, with their values, that every selector asks for: results that have them have these values."""
    try:
        nodes = list(walk(parse(text)))
    except (PromqlError, RecursionError):
        return {}
    if any(_makes_labels(node) for node in nodes):
        return {}
    asked = [
        {matcher.label: matcher.value for matcher in node.matchers if matcher.op == "=" and matcher.value}
        for node in nodes
        if isinstance(node, VectorSelector)
    ]
    first, *others = asked or [{}]
    return {
        label: value
        for label, value in first.items()
        if label != "__name__" and all(one.get(label) == value for one in others)
    }


def _makes_labels(node: object) -> bool:
    if isinstance(node, Aggregate):
        return node.op == "count_values"
    return isinstance(node, Call) and node.name in _MAKING
