"""What an expression asks: conditions, and how they are joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_sre.promql.ast import Matching
from pytest_sre.promql.units import Unit

Compare = Literal["==", "!=", ">", "<", ">=", "<="]
_PLAIN = Matching()


@dataclass(frozen=True, slots=True)
class Leg:
    """One condition. ``text`` is the PromQL of the value that it looks at, to be queried over time.

    It holds while the value stands in relation ``op`` to ``threshold``, or, where that is None, to the series of
    the PromQL ``other`` that ``matching`` pairs with it. Without ``op`` it holds while ``text`` has a result.
    ``budget`` is the value of 1x where the threshold is a burn rate, such as 0.001 of ``14.4 * 0.001``.
    A ``negated`` leg stands on the right of ``unless``: while it holds there is no result.
    """

    name: str
    text: str
    op: Compare | Literal[""] = ""
    threshold: float | None = None
    other: str = ""
    matching: Matching = _PLAIN
    budget: float | None = None
    unit: Unit = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """Holds while all parts do (``and``), any does (``or``), none does (``unless``, its right side alone)."""

    op: Literal["and", "or", "unless"]
    parts: tuple[Condition, ...]


Condition = Leg | Joined


def leaves(tree: Condition) -> tuple[Leg, ...]:
    """The distinct legs of a tree, from left to right."""
    return tuple(dict.fromkeys(_leaves(tree)))


def _leaves(tree: Condition) -> Iterator[Leg]:
    if isinstance(tree, Leg):
        yield tree
    else:
        for part in tree.parts:
            yield from _leaves(part)


def mapped(tree: Condition, change: Callable[[Leg], Leg]) -> Condition:
    """The tree with each leg changed."""
    if isinstance(tree, Leg):
        return change(tree)
    return Joined(tree.op, tuple(mapped(part, change) for part in tree.parts))


def join(op: Literal["and", "or"], parts: list[Condition | None]) -> Condition | None:
    """The parts that are there, joined; parts joined in the same way are taken apart."""
    flat: list[Condition] = []
    for part in parts:
        if isinstance(part, Joined) and part.op == op:
            flat += part.parts
        elif part is not None:
            flat.append(part)
    return Joined(op, tuple(flat)) if len(flat) > 1 else next(iter(flat), None)


def holds(tree: Condition, does: Callable[[Leg], bool]) -> bool:
    """Whether a tree holds, by its legs; labels are not looked at."""
    if isinstance(tree, Leg):
        return does(tree)
    found = (holds(part, does) for part in tree.parts)
    if tree.op == "and":
        return all(found)
    return any(found) if tree.op == "or" else not any(found)
