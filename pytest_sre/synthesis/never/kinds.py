"""Sorts of elements that an expression can have: their labels and their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pytest_sre.promql.ast import CHOOSING, Aggregate, String
from pytest_sre.synthesis.never.labels import Labels
from pytest_sre.synthesis.never.matchers import ANY
from pytest_sre.synthesis.never.span import ANYTHING, Span

_MOST = 12


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of elements that an expression can have."""

    labels: Labels
    span: Span


Kinds = tuple[Kind, ...]
UNKNOWN: Kinds = (Kind(Labels(), ANYTHING),)


def grouped(expr: Aggregate, found: Labels) -> Labels:
    """The labels that an aggregation leaves."""
    if expr.op in CHOOSING:
        return found
    if expr.without:
        clause = f"{expr.op} without ({', '.join(expr.labels)}) drops it"
        kept_labels = found.without(expr.labels, clause).nameless()
    else:
        keeps = f"keeps only {', '.join(expr.labels)}" if expr.labels else "keeps no labels"
        kept_labels = found.only(
            expr.labels,
            f"{expr.op} by ({', '.join(expr.labels)}) {keeps}" if expr.labels else f"{expr.op}() {keeps}",
        )
    if expr.op == "count_values" and isinstance(expr.param, String):
        return kept_labels.having({expr.param.value: ANY})
    return kept_labels


def hull(kinds: Kinds) -> Kind:
    """One kind that stands for all."""
    return reduce(lambda a, b: Kind(a.labels.hull(b.labels), a.span.hull(b.span)), kinds)


def few(kinds: list[Kind]) -> Kinds:
    """The kinds, as one where they are too many."""
    return tuple(kinds) if len(kinds) <= _MOST else (hull(tuple(kinds)),)
