"""Rules that read what later rules of the round record: evaluated round by round, as Prometheus does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import STALE
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, Row
from pytest_sre.timemachine import records, states
from pytest_sre.timemachine.engine import Engine, QueryError
from pytest_sre.timemachine.task import LabellerOf, Task


def evaluate(
    engine: Engine,
    outcome: dict[Rule, Activity],
    tasks: Sequence[Task],
    labeller: LabellerOf,
    claims: records.Claims | None = None,
    before: Callable[[float], None] = lambda tick: None,
) -> None:
    """Put what these rules give into ``outcome``; all that they record is written, as far as no rival claims it.

    ``before`` is called at the beginning of each round, with its time.
    """
    memories = [_Memory(task, set(task.ticks), states.Memory(task.rule, task.limit)) for task in tasks]
    for tick in sorted(set().union(*(memory.due for memory in memories))):
        before(tick)
        for memory in memories:
            if tick in memory.due:
                written = _step(engine, memory, tick, labeller)
                engine.write(written if claims is None else claims.fresh(written))
    for memory in memories:
        outcome[memory.task.rule] = Activity(memory.task.ticks, memory.rows, memory.errors)


@dataclass(slots=True)
class _Memory:
    """What one rule gave so far: values by series and tick, errors by tick, its alerts, the series of its last round."""

    task: Task
    due: set[float]
    alerts: states.Memory
    given: dict[Labels, dict[float, float]] = field(default_factory=dict)
    errors: dict[float, str] = field(default_factory=dict)
    last: set[Labels] = field(default_factory=set)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(labels, tuple(points), tuple(points.values())) for labels, points in self.given.items()
        )

    def add(self, vector: Iterable[tuple[Labels, float]], tick: float) -> None:
        for labels, value in vector:
            self.given.setdefault(labels, {})[tick] = value


def _step(engine: Engine, memory: _Memory, tick: float, labeller: LabellerOf) -> list[records.Written]:
    task, at = memory.task, round(tick - memory.task.offset, 3)
    try:
        vector = engine.instant(task.rule.expr, at)
    except QueryError as error:
        memory.errors[tick] = str(error)
        return []
    now = (
        _record(memory, vector, tick)
        if task.rule.kind == "record"
        else _alerts(memory, vector, tick, labeller)
    )
    if now is None:
        return []
    ended = dict.fromkeys(memory.last - now.keys(), STALE)
    memory.last = set(now)
    return [(labels, [(at, value)]) for labels, value in {**now, **ended}.items()]


def _record(
    memory: _Memory, vector: Sequence[tuple[Labels, float]], tick: float
) -> dict[Labels, float] | None:
    """The series that a recording rule writes in a round; None where it fails."""
    task = memory.task
    named, doubled = records.recorded(task.rule, _rows(vector, tick))
    trouble = {**records.over_limit(named, task.limit), **doubled}
    if trouble:
        memory.errors[tick] = trouble[tick]
        return None
    now = {row.labels: row.values[0] for row in named}
    memory.add(now.items(), tick)
    return now


def _alerts(
    memory: _Memory, vector: Sequence[tuple[Labels, float]], tick: float, labeller: LabellerOf
) -> dict[Labels, float] | None:
    """``ALERTS`` and ``ALERTS_FOR_STATE`` as an alerting rule writes them in a round; None where it fails."""
    rule = memory.task.rule
    memory.add(vector, tick)
    labels = labeller(rule, Activity((tick,), tuple(_rows(vector, tick))))
    if memory.alerts.step(tick, vector, labels):
        return None
    now: dict[Labels, float] = {}
    for alert in memory.alerts.shown():
        now[records.state_labels(rule, alert.labels, alert.state)] = 1.0
        now[records.since_labels(rule, alert.labels)] = float(int(alert.active_at))
    return now


def _rows(vector: Iterable[tuple[Labels, float]], tick: float) -> list[Row]:
    return [Row(labels, (tick,), (value,)) for labels, value in vector]
