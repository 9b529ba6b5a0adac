"""A scenario on promtool's clock: series in its notation, and the moments at which the alerts are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.promtool.grid import Grid, stretched
from pytest_sre.promtool.values import readable
from pytest_sre.sources.compression import write_values
from pytest_sre.timemachine.question import Question

MAX_TEXT = 200_000
"""Characters of one scenario's series: beyond that nobody could read the file, let alone keep it in a repository."""


class TooLong(Exception):
    """The series change so often that they would fill the file."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When the alerts are looked at (seconds), and whether the rule's own must fire (None: either)."""

    at: float
    fires: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """One test of the file; ``series`` are labels and values in promtool's notation."""

    rule: Rule
    name: str
    grid: Grid
    series: tuple[tuple[Labels, str], ...]
    moments: tuple[Moment, ...]


def scenario(question: Question, on: Grid, depth: int) -> Scenario:
    """Lay a question out from promtool's time 0 on; raises TooLong."""
    long = stretched(question, on, depth)
    series = tuple(_series(long))
    if sum(len(values) for _, values in series) > MAX_TEXT:
        raise TooLong("its series change too often to be written down")
    return Scenario(question.rule, question.name, on, series, tuple(_moments(long, on.evaluation)))


def _series(question: Question) -> Iterator[tuple[Labels, str]]:
    onset = question.history
    end = onset + question.burn + question.recovery
    for one in question.series(onset):
        values: list[float | None] = []
        for time, value in one.samples:
            if time > end:
                break
            place = round(time / question.step)
            values += [None] * (place - len(values))
            values.append(value if isinstance(value, float) else None)
        if values:
            yield one.labels, write_values(readable(values))


def _moments(question: Question, evaluation: float) -> Iterator[Moment]:
    """The last evaluations before something changes: all windows are full of what was before."""
    onset, recovery = question.history, question.history + question.burn
    if question.kind == "near":
        yield Moment(onset, False)
        return
    yield Moment(onset - evaluation, False)
    yield Moment(recovery - evaluation, True if question.recovery else None)
    if question.recovery:
        yield Moment(recovery + question.recovery, False)
