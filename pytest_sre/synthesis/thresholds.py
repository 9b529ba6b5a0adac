"""What an expression's thresholds ask of its series: ``rate(x) / 1024 / 1024 > 30`` asks for more than 31457280."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from pytest_sre.promql.ast import COMPARISONS, Aggregate, Binary, Call, Expr, Unary, walk
from pytest_sre.promql.fold import fold, undone

_SAME = frozenset({"abs", "ceil", "floor", "round", "clamp", "clamp_max", "clamp_min", "sort", "sort_desc"})
_SAME |= {"avg_over_time", "min_over_time", "max_over_time", "last_over_time", "label_replace", "label_join"}
_SAME |= {"rate", "irate", "increase", "delta", "idelta", "scalar"}
_INVERSE: dict[str, Callable[[float], float]] = {
    "exp": math.log,
    "ln": math.exp,
    "log2": lambda value: math.pow(2.0, value),
    "log10": lambda value: math.pow(10.0, value),
    "sqrt": lambda value: value * value,
}


def thresholds(expr: Expr) -> Iterator[float]:
    """Each constant that something is compared with, carried through the arithmetic on the other side."""
    for node in walk(expr):
        if isinstance(node, Binary) and node.op in COMPARISONS:
            for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
                value = fold(other)
                if value is not None and fold(side) is None:
                    yield from _inward(side, value)


def _inward(expr: Expr, value: float) -> Iterator[float]:
    """What the inside of ``expr`` is where ``expr`` itself has a value."""
    if not math.isfinite(value):
        return
    if isinstance(expr, Unary):
        yield from _inward(expr.expr, -value)
    elif isinstance(expr, Aggregate):
        yield from _inward(expr.expr, value)
    elif isinstance(expr, Call) and expr.args:
        yield from _through_call(expr, value)
    elif isinstance(expr, Binary) and expr.op not in COMPARISONS:
        yield from _through_binary(expr, value)
    else:
        yield value


def _through_call(expr: Call, value: float) -> Iterator[float]:
    if expr.name in _SAME:
        yield from _inward(expr.args[0], value)
    elif expr.name in _INVERSE:
        try:
            yield from _inward(expr.args[0], _INVERSE[expr.name](value))
        except (ValueError, OverflowError):
            return
    else:
        yield value


def _through_binary(expr: Binary, value: float) -> Iterator[float]:
    found = undone(expr, value)
    if found:
        yield from _inward(found[0], found[1])
    elif fold(expr.lhs) is None and fold(expr.rhs) is None:
        yield value
        if expr.op in ("and", "or", "unless", "*"):
            yield from _inward(expr.lhs, value)


def compared(expr: Expr) -> Iterator[tuple[Binary, tuple[float, ...]]]:
    """Each ratio of two vectors that is compared with constants, and what these ask of the ratio itself."""
    for node in walk(expr):
        if isinstance(node, Binary) and node.op in COMPARISONS:
            for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
                value = fold(other)
                ratios = [
                    one for one in walk(side)
                    if isinstance(one, Binary) and one.op == "/" and fold(one.lhs) is None and fold(one.rhs) is None
                ]  # fmt: skip
                if value is not None and len(ratios) == 1:
                    yield ratios[0], tuple(_inward(side, value))
