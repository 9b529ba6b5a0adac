"""Our own tree of a PromQL expression: immutable, comparable, picklable; parentheses are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_sre.model.routing import Matcher

__all__ = [
    "Aggregate", "Binary", "Call", "Expr", "Matcher", "Matching", "MatrixSelector", "Number", "String",
    "Subquery", "Unary", "VectorSelector", "children", "walk",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """An instant selector; ``offset`` in seconds, ``at`` in seconds since the epoch or ``start``/``end``."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    offset: float = 0.0
    at: float | Literal["start", "end"] | None = None


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """A range selector: ``range`` in seconds, offset and ``@`` are the selector's."""

    selector: VectorSelector
    range: float


@dataclass(frozen=True, slots=True)
class Subquery:
    """``expr[range:step]``, in seconds; a step of None is the global evaluation interval."""

    expr: Expr
    range: float
    step: float | None = None
    offset: float = 0.0
    at: float | Literal["start", "end"] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation; ``without`` tells which way ``labels`` are meant."""

    op: str
    expr: Expr
    param: Expr | None = None
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """How vectors match: ``on`` (None: all labels but ``ignoring``); ``group`` is the side with many series."""

    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = ()
    group: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary operation."""

    op: str
    lhs: Expr
    rhs: Expr
    bool: bool = False
    matching: Matching = Matching()


@dataclass(frozen=True, slots=True)
class Unary:
    """A negation."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class String:
    """A string."""

    value: str


Expr = (
    VectorSelector | MatrixSelector | Subquery | Call | Aggregate | Binary | Unary | Number | String
)  # fmt: skip


COMPARISONS = frozenset({">", "<", ">=", "<=", "==", "!="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
SETS = frozenset({"and", "or", "unless"})
CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that give some of their elements, as they are."""


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, from left to right."""
    if isinstance(expr, Binary):
        return (expr.lhs, expr.rhs)
    if isinstance(expr, Call):
        return expr.args
    if isinstance(expr, Aggregate):
        return (expr.expr,) if expr.param is None else (expr.param, expr.expr)
    if isinstance(expr, (Unary, Subquery)):
        return (expr.expr,)
    if isinstance(expr, MatrixSelector):
        return (expr.selector,)
    return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts, parents first, from left to right."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (VectorSelector, Number, String)):
            stack.extend(reversed(children(node)))
