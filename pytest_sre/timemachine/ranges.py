"""One rule over its whole span, with range queries."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, Row, Stretch
from pytest_sre.timemachine import records, states
from pytest_sre.timemachine.engine import Answer, Engine
from pytest_sre.timemachine.records import Written
from pytest_sre.timemachine.task import LabellerOf, Task


def evaluate(engine: Engine, task: Task, read: bool, labeller: LabellerOf) -> tuple[Activity, list[Written]]:
    """What a rule gives, and the series that it writes (an alert's only where they are ``read``)."""
    answers = [engine.range(task.rule.expr, _earlier(stretch, task.offset)) for stretch in task.stretches]
    if task.rule.kind == "record":
        return _record(task, answers)
    rows = [row for answer in answers for row in answer.rows]
    activity = _activity(
        task, rows, {tick: text for answer in answers for tick, text in answer.errors.items()}
    )
    if not read:
        return activity, []
    history = states.history(task.rule, activity, labeller(task.rule, activity), limit=task.limit)
    return activity, list(records.alert_series(history, activity.ticks, task.offset))


def _earlier(stretch: Stretch, offset: float) -> Stretch:
    return Stretch(stretch.start - offset, stretch.end - offset, stretch.step)


def _record(task: Task, answers: list[Answer]) -> tuple[Activity, list[Written]]:
    rows: list[Row] = []
    failures: dict[float, str] = {}
    written: list[Written] = []
    for stretch, answer in zip(task.stretches, answers, strict=True):
        named, doubled = records.recorded(task.rule, (*answer.rows, *answer.histograms))
        errors = {**records.over_limit(named, task.limit), **doubled, **answer.errors}
        kept = records.without(named, errors) if errors else named
        following = records.next_ticks(_earlier(stretch, task.offset).ticks, errors)
        written += [(row.labels, records.with_ends(row, following)) for row in kept]
        rows += kept
        failures.update(errors)
    return _activity(task, rows, failures), written


def _activity(task: Task, rows: list[Row], errors: Mapping[float, str]) -> Activity:
    """What was asked `query_offset` seconds ago, by the times of the evaluations; each series is one row."""
    shift = task.offset
    if len(task.stretches) > 1:
        rows = _joined(rows)
    if not shift:
        return Activity(task.ticks, tuple(rows), errors)
    moved = [Row(row.labels, tuple(round(time + shift, 3) for time in row.times), row.values) for row in rows]
    return Activity(task.ticks, tuple(moved), {round(time + shift, 3): text for time, text in errors.items()})


def _joined(rows: list[Row]) -> list[Row]:
    alike: dict[Labels, list[Row]] = {}
    for row in rows:
        alike.setdefault(row.labels, []).append(row)
    return [
        Row(
            labels,
            tuple(time for row in same for time in row.times),
            tuple(value for row in same for value in row.values),
        )
        for labels, same in alike.items()
    ]
