"""Rules that read what later rules of the round record: evaluated round by round, as Prometheus does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, Row
from pytest_sre.timemachine import records, states
from pytest_sre.timemachine.engine import Engine, QueryError
from pytest_sre.timemachine.task import LabellerOf, Task


def evaluate(
    engine: Engine, outcome: dict[Rule, Activity], tasks: Sequence[Task], labeller: LabellerOf
) -> None:
    """Put what these rules give into ``outcome``; all that they record is written."""
    memories = [_Memory(task, set(task.ticks)) for task in tasks]
    for tick in sorted(set().union(*(memory.due for memory in memories))):
        for memory in memories:
            if tick in memory.due:
                _step(engine, memory, tick, labeller)
    for memory in memories:
        outcome[memory.task.rule] = Activity(memory.task.ticks, memory.rows, memory.errors)


@dataclass(slots=True)
class _Memory:
    """What one rule gave so far: values by series and time, errors by tick, and the series of its last round."""

    task: Task
    due: set[float]
    given: dict[Labels, dict[float, float]] = field(default_factory=dict)
    errors: dict[float, str] = field(default_factory=dict)
    last: set[Labels] = field(default_factory=set)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(labels, tuple(points), tuple(points.values())) for labels, points in self.given.items()
        )

    def add(self, vector: Mapping[Labels, float], at: float) -> None:
        for labels, value in vector.items():
            self.given.setdefault(labels, {})[at] = value


def _step(engine: Engine, memory: _Memory, tick: float, labeller: LabellerOf) -> None:
    task, at = memory.task, tick - memory.task.offset
    try:
        vector = engine.instant(task.rule.expr, at)
    except QueryError as error:
        memory.errors[tick] = str(error)
        return
    now = (
        _record(memory, vector, at, tick)
        if task.rule.kind == "record"
        else _alerts(memory, vector, tick, labeller)
    )
    if now is None:
        return
    ended = dict.fromkeys(memory.last - now.keys(), records.STALE)
    engine.write([(labels, [(at, value)]) for labels, value in {**now, **ended}.items()])
    memory.last = set(now)


def _record(
    memory: _Memory, vector: Sequence[tuple[Labels, float]], at: float, tick: float
) -> dict[Labels, float] | None:
    """The series that a recording rule writes in a round; None where it fails."""
    task = memory.task
    named, doubled = records.recorded(task.rule, [Row(labels, (at,), (value,)) for labels, value in vector])
    trouble = {**doubled, **records.over_limit(named, task.limit)}
    if trouble:
        memory.errors[tick] = next(iter(trouble.values()))
        return None
    now = {row.labels: row.values[0] for row in named}
    memory.add(now, at)
    return now


def _alerts(
    memory: _Memory, vector: Sequence[tuple[Labels, float]], tick: float, labeller: LabellerOf
) -> dict[Labels, float]:
    """``ALERTS`` and ``ALERTS_FOR_STATE`` as they are after a round, from all rounds so far."""
    task = memory.task
    memory.add(dict(vector), tick)
    ticks = tuple(one for one in task.ticks if one <= tick)
    activity = Activity(ticks, memory.rows, memory.errors)
    history = states.history(task.rule, activity, labeller(task.rule, activity), limit=task.limit)
    at = tick - task.offset
    last = {labels: samples[-1] for labels, samples in records.alert_series(history, ticks, task.offset)}
    return {labels: value for labels, (time, value) in last.items() if time == at and not math.isnan(value)}
