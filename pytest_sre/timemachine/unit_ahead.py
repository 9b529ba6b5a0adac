"""Tests whose rules look ahead: samples come evaluation by evaluation, as in promtool, so that nothing is there yet."""

from __future__ import annotations

from collections import defaultdict

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Value
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity
from pytest_sre.timemachine import rounds
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.records import Claims
from pytest_sre.timemachine.task import LabellerOf, Outcome
from pytest_sre.timemachine.unit_bench import Bench


def step_by_step(engine: Engine, bench: Bench, start: float, labeller: LabellerOf) -> Outcome:
    """Evaluate all rules round by round, each round on what is there by then. Raises StackError."""
    rest = sorted(
        ((at, labels, value) for labels, samples in bench.series(start) for at, value in samples),
        key=lambda one: one[0],
    )
    rest.reverse()

    def load(tick: float) -> None:
        due: dict[Labels, list[tuple[float, Value]]] = defaultdict(list)
        while rest and rest[-1][0] <= tick:
            at, labels, value = rest.pop()
            due[labels].append((at, value))
        engine.write(due.items())

    outcome: dict[Rule, Activity] = {}
    tasks = [task for task in bench.program(start).tasks if task.stretches]
    rounds.evaluate(engine, outcome, tasks, labeller, Claims(), load)
    return outcome
