"""The natures of all metrics that an alert reads: which are parts of which, and which hold times."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from pytest_sre.promql.ast import COMPARISONS, Aggregate, Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.asked import Asked, asked
from pytest_sre.synthesis.nature import FREE, PART, WHOLE, Nature, named, rated
from pytest_sre.synthesis.shape import Shape

_CLOCK_OPS = COMPARISONS | {"-"}
_BETWEEN = COMPARISONS | {"+", "-", "*", "/"}


class Natures:
    """What the metrics of one alert may be, by name."""

    def __init__(self, shape: Shape) -> None:
        """Read an alert and its recording rules."""
        self._asked: dict[str, dict[tuple[str, float], bool]] = defaultdict(dict)
        self._shares: list[Asked] = []
        self._lone = len(shape.raw) == 1
        self._room: dict[str, float] = defaultdict(float)
        for found in (one for expr in shape.exprs for one in asked(expr)):
            if isinstance(found.part, VectorSelector):
                self._asked[found.part.name][(found.op, found.value)] = found.as_is
            elif found.part.op == "/":
                self._shares.append(found)
            elif found.part.op == "-":
                for name in _names(found.part):
                    self._room[name] = max(self._room[name], found.value)
        nodes = [node for expr in shape.exprs for node in walk(expr)]
        binaries = [node for node in nodes if isinstance(node, Binary)]
        self._timed = {name: unit for node in binaries for name, unit in _with_clock(node)}
        self._together = {name for node in binaries for name in _combined(node)}
        self._wholes = dict(self._of(shape, binaries))

    def _of(self, shape: Shape, binaries: list[Binary]) -> Iterator[tuple[str, str]]:
        """(part, whole): gauges of which one cannot be more than the other."""
        limits = {id(one.part): one.value for one in self._shares}
        for node in binaries:
            if node.op != "/" and node.op not in (*COMPARISONS, "-"):
                continue
            left, right = _names(node.lhs), _names(node.rhs)
            if not left or not right or fold(node.lhs) is not None or fold(node.rhs) is not None:
                continue
            parts, wholes = left - right, right
            if len(parts) != 1 or len(wholes) != 1:
                continue
            part, whole = next(iter(parts)), next(iter(wholes))
            if _says_whole(part) and not _says_whole(whole):
                part, whole = whole, part
            told = _says_whole(whole) and not _says_whole(part)
            share = node.op == "/" and 0 < limits.get(id(node), 0.0) < 1
            if (told or share) and limits.get(id(node), 0.0) <= 1 and not self._bound(whole):
                yield part, whole

    def _bound(self, name: str) -> bool:
        """Whether something else is asked of a metric than to be there (``> 0``)."""
        return any(value != 0 for _, value in self._asked.get(name, ()))

    def of(self, name: str, kind: str) -> Nature:
        """The nature of a metric; ``kind`` is what `Kinds` says of it."""
        wanted = self._asked.get(name, {})
        if kind == "counter":
            return rated(name, tuple(wanted))
        if kind != "gauge":
            return FREE
        apart = name not in self._together
        made = named(
            name, tuple(wanted), all(wanted.values()), timed=name in self._timed, apart=apart, lone=self._lone
        )
        if name in self._timed:
            return replace(made, unit=max(made.unit, self._timed[name]))
        return self._fitted(name, made)

    def _fitted(self, name: str, made: Nature) -> Nature:
        """A part at half of its whole at most, a whole that stands still."""
        if made.unit or made.kind:
            return made
        if name in self._wholes.values():
            return replace(made, fixed=True, level=self._size(name))
        whole = self._wholes.get(name)
        if whole is None:
            return made
        size = self._size(whole)
        return replace(
            made, high=min(made.high, size), level=min(size, made.level) if made.asked else size / 2
        )

    def _size(self, whole: str) -> float:
        """How large a whole is: as its unit has it, or that of its parts, and well above what is asked of them."""
        names = [whole, *(part for part, of in self._wholes.items() if of == whole)]
        sizes = [named(name, (), False, timed=False, apart=False) for name in names]
        asked_of = [value for name in names for _, value in self._asked.get(name, {}) if value > 0]
        usual = max(max(one.level if one.high == math.inf else one.high for one in sizes), 1.0)
        return max(
            [usual, *(4 * value for value in asked_of), *(10 * self._room.get(name, 0.0) for name in names)]
        )


def _says_whole(name: str) -> bool:
    return bool(WHOLE.search(name)) and not PART.search(name)


def _names(expr: Expr) -> set[str]:
    """The metrics whose values make up an expression; none where it counts or takes rates."""
    found = set()
    for node in walk(expr):
        if isinstance(node, Aggregate) and node.op not in ("sum", "avg", "min", "max"):
            return set()
        if isinstance(node, Call) and node.name not in ("max_over_time", "avg_over_time", "min_over_time"):
            return set()
        if isinstance(node, Binary) and node.op not in ("-", "+", "*", "/", "and", "unless", ">", "<", "!="):
            return set()
        if isinstance(node, VectorSelector):
            found.add(node.name)
    return found


def _combined(node: Binary) -> Iterator[str]:
    """Metrics that something computes with, or compares, other metrics."""
    if node.op in _BETWEEN and fold(node.lhs) is None and fold(node.rhs) is None:
        for side in (node.lhs, node.rhs):
            counted = any(
                isinstance(inner, Aggregate) and inner.op in ("count", "group") for inner in walk(side)
            )
            if not counted:
                yield from (inner.name for inner in walk(side) if isinstance(inner, VectorSelector))


def _with_clock(node: Binary) -> Iterator[tuple[str, float]]:
    """(metric, unit): what is compared with the clock, or taken from it."""
    if node.op not in _CLOCK_OPS:
        return
    for one, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
        if not any(isinstance(inner, Call) and inner.name == "time" for inner in walk(one)):
            continue
        if any(isinstance(inner, VectorSelector) for inner in walk(one)):
            continue
        unit = _factor(other, "/") * _factor(one, "*")
        for found in _plain(other):
            yield found, unit if unit in (1e3, 1e9) else 1.0


def _factor(expr: Expr, op: str) -> float:
    """What a time is multiplied with, or divided by."""
    found = [fold(node.rhs) for node in walk(expr) if isinstance(node, Binary) and node.op == op]
    return next((value for value in found if value in (1e3, 1e6, 1e9)), 1.0)


def _plain(expr: Expr) -> Iterator[str]:
    """The metric that an expression is, but for aggregation and units."""
    if isinstance(expr, VectorSelector):
        yield expr.name
    elif isinstance(expr, Aggregate):
        if expr.op in ("max", "min", "avg", "topk", "bottomk"):
            yield from _plain(expr.expr)
    elif isinstance(expr, Call):
        if expr.args and expr.name in (
            "max_over_time",
            "last_over_time",
            "min_over_time",
            "scalar",
            "label_replace",
        ):
            yield from (inner.name for inner in walk(expr.args[0]) if isinstance(inner, VectorSelector))
    elif isinstance(expr, Binary) and (
        fold(expr.rhs) is not None or expr.op in (*COMPARISONS, "and", "unless")
    ):
        yield from _plain(expr.lhs)


__all__ = ["Natures"]
