"""One rule over its whole span, with range queries."""

from __future__ import annotations

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
    activity = _activity(task, answers)
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
        named, doubled = records.recorded(task.rule, answer.rows)
        errors = {**answer.errors, **doubled, **records.over_limit(named, task.limit)}
        kept = records.without(named, errors) if errors else named
        span = _earlier(stretch, task.offset)
        written += [(row.labels, records.with_ends(row, span, errors)) for row in kept]
        rows += kept
        failures.update(errors)
    return Activity(task.ticks, tuple(rows), failures), written


def _activity(task: Task, answers: list[Answer]) -> Activity:
    shift = task.offset
    rows = [
        Row(
            row.labels,
            tuple(round(time + shift, 3) for time in row.times) if shift else row.times,
            row.values,
        )
        for answer in answers
        for row in answer.rows
    ]
    errors = {round(time + shift, 3): text for answer in answers for time, text in answer.errors.items()}
    return Activity(task.ticks, tuple(rows), errors)
