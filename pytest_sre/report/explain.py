"""Why an expression had a result, or none, when something else was expected: each leg in a line, then all together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pytest_sre.model.timeline import Row
from pytest_sre.promql.condition import Condition, Joined, Leg, holds, leaves
from pytest_sre.report.course import Course, Measured, course, present
from pytest_sre.report.figures import span
from pytest_sre.report.legtext import fires_text, quiet_text, resolves_text, where
from pytest_sre.report.stays import Event, Stay, stays, until, when

Goal = Literal["fires", "quiet", "resolves"]
_TEXTS: Mapping[Goal, Callable[[Course, Event], str]] = {
    "fires": fires_text,
    "quiet": quiet_text,
    "resolves": resolves_text,
}
ASSUMED = "; assumed: its series stayed as they are while all is well"
_WIDTH = 40
_LINE = 160


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained.

    ``goal`` is what was expected of the alert: that it ``fires``, stays ``quiet``, ``resolves``. ``ticks`` are the
    evaluations to look at, in seconds since the epoch; ``event`` is what times are told from: the onset of a burn, or
    with ``resolves`` its end. ``hold`` is the alert's ``for`` in seconds. ``whole`` are the rows of the expression
    itself, the engine's word on when it held; None if it wasn't asked. ``assumed`` are the legs that nothing moved.
    """

    goal: Goal
    ticks: tuple[float, ...]
    event: Event
    hold: float = 0.0
    whole: tuple[Row, ...] | None = None
    assumed: frozenset[Leg] = frozenset()


def explain(tree: Condition, measured: Iterable[Measured], question: Question) -> tuple[str, ...]:
    """The lines, without indentation. A leg that wasn't measured counts as one without result."""
    ticks = _looked_at(question)
    by_leg = {one.leg: one for one in measured}
    found = {leg: course(by_leg.get(leg, Measured(leg, ())), ticks) for leg in leaves(tree)}
    return (*_legs(tree, found, question, ticks), *_together(tree, found, question, ticks))


def _looked_at(question: Question) -> tuple[float, ...]:
    """After an end of trouble only what comes then matters."""
    if question.goal != "resolves":
        return question.ticks
    return tuple(tick for tick in question.ticks if tick >= question.event.time)


def _legs(
    tree: Condition, found: Mapping[Leg, Course], question: Question, ticks: Sequence[float]
) -> Iterator[str]:
    """A line for each leg; the branches of an ``or`` apart, each with its own summary."""
    branches = tree.parts if isinstance(tree, Joined) and tree.op == "or" else ()
    if not any(isinstance(branch, Joined) for branch in branches):
        yield from _table(leaves(tree), found, question)
        return
    for index, branch in enumerate(branches):
        yield "or" if index else "either"
        yield from (f"  {line}" for line in _table(leaves(branch), found, question))
        if question.goal == "fires" and isinstance(branch, Joined) and not any(_held(branch, found, ticks)):
            yield f"  {_never(branch)}"


def _table(legs: Sequence[Leg], found: Mapping[Leg, Course], question: Question) -> Iterator[str]:
    width = min(_WIDTH, max(len(leg.name) for leg in legs))
    for leg in legs:
        held = bool(found[leg].stays) != leg.negated
        beside = ASSUMED if held and leg in question.assumed else ""
        yield f"{leg.name:<{width}}  {_TEXTS[question.goal](found[leg], question.event)}{beside}"


def _held(tree: Condition, found: Mapping[Leg, Course], ticks: Sequence[float]) -> list[bool]:
    """Whether the conditions held at each tick, whatever the labels."""
    return [holds(tree, partial(_held_at, found, index)) for index in range(len(ticks))]


def _held_at(found: Mapping[Leg, Course], index: int, leg: Leg) -> bool:
    return found[leg].held[index]


def _together(
    tree: Condition, found: Mapping[Leg, Course], question: Question, ticks: Sequence[float]
) -> Iterator[str]:
    """What became of the whole."""
    by_legs = _held(tree, found, ticks)
    held = by_legs if question.whole is None else present(question.whole, ticks)
    runs = stays(held, ticks)
    several = isinstance(tree, Joined)
    if runs and (several or question.goal == "fires"):
        yield from _expression(runs, question, several)
    elif question.goal == "fires" and any(by_legs):
        yield f"all of it held {when(stays(by_legs, ticks), question.event)}, but never with labels that match:"
        held_by = [(leg, one.best) for leg, one in found.items() if one.stays and not leg.negated]
        yield from (f"  {leg.name} has {where(best)}" for leg, best in held_by if best)
    elif several:
        yield _never(tree) if question.goal == "fires" else "the expression did not hold"


def _expression(runs: Sequence[Stay], question: Question, several: bool) -> Iterator[str]:
    if question.goal == "resolves":
        yield f"the expression held {until(runs, question.event)}"
        return
    longest = max(run.end - run.start for run in runs)
    short = f", {span(longest)} at a stretch; for: {span(question.hold)}" if longest < question.hold else ""
    if several or short:
        yield f"the expression held {when(runs, question.event)}{short}"


def _never(tree: Condition) -> str:
    """That conditions were never met, by how they are joined."""
    legs = leaves(tree)
    flat = isinstance(tree, Joined) and all(isinstance(part, Leg) for part in tree.parts)
    if not isinstance(tree, Joined) or not flat:
        parts = structure(tree)
        return f"never held together: {parts}" if len(parts) <= _LINE else "never held together"
    if tree.op == "or":
        return "none of them ever held"
    return f"{'both legs' if len(legs) == 2 else f'all {len(legs)} legs'} never held together"


def structure(tree: Condition) -> str:
    """How the legs are joined, by their names: ``1h leg and not (a or b)``."""
    if isinstance(tree, Leg):
        return tree.name
    inner = [
        structure(part) if isinstance(part, Leg) or _tight(part) else f"({structure(part)})"
        for part in tree.parts
    ]
    if tree.op == "unless":
        return f"not {inner[0]}" if len(inner) == 1 else f"not ({' or '.join(inner)})"
    return f" {tree.op} ".join(inner)


def _tight(tree: Condition) -> bool:
    return isinstance(tree, Joined) and tree.op == "unless"
