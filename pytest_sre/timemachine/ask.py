"""Questions to passages: series into the past, rules over them, what the alerts did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_sre.model.timeline import Activity, AlertHistory, Passage, Stretch
from pytest_sre.timemachine import evidence, look, motion, spans, states
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.program import evaluate
from pytest_sre.timemachine.question import Question
from pytest_sre.timemachine.schedule import Schedule
from pytest_sre.timemachine.slots import slots
from pytest_sre.timemachine.task import Program

SAMPLES_AT_ONCE = 3_000_000
"""Samples that are written before their questions are evaluated: bounds our memory, not the engine's."""
_BEFORE = 0.001
"""Seconds by which a first look that others follow is early: what it records is not in the way of what they record."""


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """What all questions of a run share. ``lookback`` in seconds; ``plots`` are wanted of all passages."""

    engine: Engine
    schedule: Schedule
    labels: AlertLabels
    lookback: float
    plots: bool = False


def ask(
    machine: Machine, questions: Sequence[Question], tell: Callable[[int, int], None]
) -> list[Passage | None]:
    """What each alert did; None where the past is not long enough. Raises StackError.

    ``tell`` is given how many questions are answered, and how many there are.
    """
    onsets = slots([question.need for question in questions], machine.schedule.rules)
    passages: list[Passage | None] = [None] * len(questions)
    placed = [(number, onset) for number, onset in enumerate(onsets) if onset is not None]
    done = 0
    for some in _portions(questions, placed):
        mine = [questions[number] for number, _ in some]
        for (number, _), passage in zip(
            some, _answer(machine, mine, [onset for _, onset in some]), strict=True
        ):
            passages[number] = passage
        done += len(some)
        tell(done, len(placed))
    return passages


def _portions(
    questions: Sequence[Question], placed: Sequence[tuple[int, float]]
) -> Iterator[list[tuple[int, float]]]:
    some: list[tuple[int, float]] = []
    samples = 0.0
    for number, onset in placed:
        one = questions[number]
        samples += (len(one.behaviours) + len(one.real)) * (one.history + one.burn + one.recovery) / one.step
        some.append((number, onset))
        if samples > SAMPLES_AT_ONCE:
            yield some
            some, samples = [], 0.0
    if some:
        yield some


def _answer(machine: Machine, questions: Sequence[Question], onsets: Sequence[float]) -> list[Passage]:
    pairs = list(zip(questions, onsets, strict=True))
    machine.engine.write(
        (series.labels, series.samples) for question, onset in pairs for series in question.series(onset)
    )
    looks = [question.first_look(onset) for question, onset in pairs]
    first = _evaluate(machine, pairs, [[one] for one in looks], early=True)
    again = [
        _closer(question, onset, one, seen)
        for (question, onset), one, seen in zip(pairs, looks, first, strict=True)
    ]
    machine.engine.write(
        (series.labels, series.samples)
        for (question, onset), parts in zip(pairs, again, strict=True)
        for series in question.closer(onset, parts)
    )
    rest = [number for number, stretches in enumerate(again) if stretches]
    close = dict(
        zip(rest, _evaluate(machine, [pairs[i] for i in rest], [again[i] for i in rest]), strict=True)
    )
    activities = [
        look.together(first[i], close.get(i), looks[i], question.interval, question.lasting)
        for i, (question, _) in enumerate(pairs)
    ]
    machine.labels.prepare(
        (question.rule, seen) for question, seen in zip(questions, activities, strict=True)
    )
    passages = []
    for i, (question, onset) in enumerate(pairs):
        activity = activities[i]
        passage = _passage(machine, question, onset, activity)
        passages.append(
            evidence.told(
                machine.engine,
                question,
                onset,
                looks[i],
                activity,
                passage,
                machine.schedule.rules,
                machine.plots,
            )
        )
    return passages


def _closer(question: Question, onset: float, first: Stretch, seen: Activity) -> list[Stretch]:
    if first.step == question.interval:
        return []
    blur = question.step if question.fine < question.step else 0.0
    moments = [onset, onset + question.burn] if question.kind == "burn" else []
    return look.closer(seen, first, question.interval, blur, moments)


def _evaluate(
    machine: Machine,
    pairs: Sequence[tuple[Question, float]],
    stretches: Sequence[Sequence[Stretch]],
    early: bool = False,
) -> list[Activity]:
    programs = []
    for (question, onset), parts in zip(pairs, stretches, strict=True):
        tasks = spans.tasks(question.rule, parts, onset, machine.schedule, machine.lookback)
        if early and question.fine < question.step:
            tasks = tuple(replace(task, offset=task.offset + _BEFORE) for task in tasks)
        programs.append(Program(tasks))
    outcomes = evaluate(machine.engine, programs, machine.labels.of)
    return [outcome[question.rule] for (question, _), outcome in zip(pairs, outcomes, strict=True)]


def _passage(machine: Machine, question: Question, onset: float, activity: Activity) -> Passage:
    rule = question.rule
    labels = machine.labels.of(rule, activity)
    history = states.history(rule, activity, labels, limit=machine.schedule.limit(rule))
    if question.turns:
        return motion.read(question, onset, history, activity, labels)
    return read(question, onset, history, activity.ticks)


def read(question: Question, onset: float, history: AlertHistory, ticks: Sequence[float]) -> Passage:
    """What a history says of the question."""
    burning = question.kind == "burn"
    begun = onset if burning else ticks[-1] + question.interval
    firing = [(one.fired_at, one.ended) for one in history.periods if one.fired_at is not None]
    early = min((fired for fired, _ in firing if fired < begun), default=None)
    later = [(fired, ended) for fired, ended in firing if fired >= begun or ended is None or ended > begun]
    pending = [one.active_at for one in history.periods if one.active_at >= begun]
    ends = [ended for _, ended in later]
    return Passage(
        question.kind,
        question.name,
        ticks[0] - onset,
        ticks[-1] - onset,
        question.interval,
        question.burn if burning and question.recovery else None,
        None if early is None else early - onset,
        min((at - onset for at in pending), default=None),
        min((fired - onset for fired, _ in later if fired >= begun), default=None),
        None if None in ends or not ends else max(end for end in ends if end is not None) - onset,
        question.error_ratio,
        question.slo,
        question.factor,
        next(iter(history.errors.values()), ""),
    )
