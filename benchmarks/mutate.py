"""Defects as people make them, put into PromQL expressions one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold

COMPARISONS = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


@dataclass(frozen=True)
class Defect:
    """A whole expression with one part replaced; ``what`` says what was changed to what."""

    kind: str
    what: str
    expr: Expr


def defects(expr: Expr) -> Iterator[Defect]:
    """Every defect of every kind that an expression can have."""
    for part, put in _places(expr):
        for kind, what, changed in _changed(part):
            yield Defect(kind, what, put(changed))


def _places(expr: Expr) -> Iterator[tuple[Expr, Callable[[Expr], Expr]]]:
    """Each part of an expression, and how to put another one there."""
    yield expr, lambda new: new
    for name in ("expr", "lhs", "rhs", "selector", "param"):
        inner = getattr(expr, name, None)
        if isinstance(expr, (Aggregate, Binary, Unary, Subquery, MatrixSelector)) and inner is not None:
            for part, put in _places(inner):
                yield part, lambda new, name=name, put=put: replace(expr, **{name: put(new)})
    if isinstance(expr, Call):
        for i, argument in enumerate(expr.args):
            for part, put in _places(argument):
                yield (
                    part,
                    lambda new, i=i, put=put: replace(
                        expr, args=(*expr.args[:i], put(new), *expr.args[i + 1 :])
                    ),
                )


def _changed(part: Expr) -> Iterator[tuple[str, str, Expr]]:
    if isinstance(part, VectorSelector):
        yield from _selector(part)
    elif isinstance(part, Aggregate):
        yield from _aggregate(part)
    elif isinstance(part, Binary):
        yield from _binary(part)


def _selector(part: VectorSelector) -> Iterator[tuple[str, str, Expr]]:
    if len(part.name) > 4:
        wrong = misspelt(part.name)
        yield "misspelt metric", f"{part.name} -> {wrong}", replace(part, name=wrong)
    for i, matcher in enumerate(part.matchers):
        wrong = misspelt(matcher.label)
        changed = (*part.matchers[:i], replace(matcher, label=wrong), *part.matchers[i + 1 :])
        yield "misspelt label", f"{matcher.label} -> {wrong} in {part.name}", replace(part, matchers=changed)


def _aggregate(part: Aggregate) -> Iterator[tuple[str, str, Expr]]:
    for i, label in enumerate(part.labels if not part.without else ()):
        rest = (*part.labels[:i], *part.labels[i + 1 :])
        yield "by label dropped", f"{part.op} by without {label}", replace(part, labels=rest)
        wrong = misspelt(label)
        changed = (*part.labels[:i], wrong, *part.labels[i + 1 :])
        yield "misspelt label", f"{label} -> {wrong} in {part.op} by", replace(part, labels=changed)


def _binary(part: Binary) -> Iterator[tuple[str, str, Expr]]:
    if part.op in ("and", "or"):
        other = "or" if part.op == "and" else "and"
        matching = part.matching if other == "and" else replace(part.matching, group="", include=())
        yield "and for or", f"{part.op} -> {other}", replace(part, op=other, matching=matching)
    if part.matching.on is not None and not part.matching.group:
        yield "on() missing", f"{part.op} without on", replace(part, matching=replace(part.matching, on=None))
    if part.op in ("/", "-") and fold(part.lhs) is None and fold(part.rhs) is None:
        turned = {"left": "right", "right": "left"}.get(part.matching.group, "")
        swapped = replace(part, lhs=part.rhs, rhs=part.lhs, matching=replace(part.matching, group=turned))
        yield "swapped operands", f"operands of {part.op}", swapped
    if part.op in COMPARISONS and not part.bool:
        yield "< for >", f"{part.op} -> {COMPARISONS[part.op]}", replace(part, op=COMPARISONS[part.op])
        yield from _threshold(part)


def _threshold(part: Binary) -> Iterator[tuple[str, str, Expr]]:
    value = fold(part.rhs)
    if not value:
        return
    for factor in (1000.0, 0.001):
        yield "wrong unit", f"threshold x {factor:g}", replace(part, rhs=Number(value * factor))
    if 0 < value < 1:
        yield "percent for ratio", f"{value:g} -> {100 * value:g}", replace(part, rhs=Number(100 * value))
    elif 1 <= value <= 100 and _percentage(part.lhs):
        yield "percent for ratio", f"{value:g} -> {value / 100:g}", replace(part, rhs=Number(value / 100))


def _percentage(expr: Expr) -> bool:
    return isinstance(expr, Binary) and expr.op == "*" and 100.0 in (fold(expr.lhs), fold(expr.rhs))


def misspelt(name: str) -> str:
    """The name with two letters in its middle exchanged; where they are the same, one is left out."""
    at = len(name) // 2
    if name[at - 1] == name[at]:
        return name[:at] + name[at + 1 :]
    return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
