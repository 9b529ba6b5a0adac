"""Programs of rules over virtual time: in which order they are evaluated, and what they give.

A rule whose readers all come after it is evaluated over its whole span with range queries, and what it records is
written back before they are. Rules that read what a later rule of the same round records (or themselves) only see its
last round: those few are evaluated together, round by round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter

from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Activity
from pytest_sre.timemachine import order, ranges, rounds
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.records import Claims, Written
from pytest_sre.timemachine.task import LabellerOf, Outcome, Program, Task

WORKERS = 4
"""Queries at the same time: more gain nothing on few cores."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A block of one program; ``outcome`` is what that program has given so far, ``claims`` what rivals have written."""

    outcome: dict[Rule, Activity]
    claims: Claims | None
    tasks: tuple[Task, ...]
    block: order.Block


def evaluate(engine: Engine, programs: Sequence[Program], labeller: LabellerOf) -> list[Outcome]:
    """Evaluate programs side by side; their slots must lie so far apart that none sees another's series.

    ``labeller`` says how a rule's alerts are labelled; it is asked where rules read ``ALERTS``. Raises StackError.
    """
    outcomes: list[dict[Rule, Activity]] = [{} for _ in programs]
    jobs: dict[tuple[int, int], _Job] = {}
    graph: TopologicalSorter[tuple[int, int]] = TopologicalSorter()
    for number, program in enumerate(programs):
        claims = Claims()
        for place, block in enumerate(_blocks(program)):
            tasks = tuple(program.tasks[member] for member in block.members)
            jobs[number, place] = _Job(outcomes[number], claims if block.rivals else None, tasks, block)
            graph.add((number, place), *((number, other) for other in block.after))
    graph.prepare()
    with ThreadPoolExecutor(WORKERS, "sre-time") as pool:
        while graph.is_active():
            ready = graph.get_ready()
            done = pool.map(lambda job: list(_run(engine, job, labeller)), [jobs[key] for key in ready])
            engine.write(series for written in done for series in written)
            graph.done(*ready)
    return list(outcomes)


def _blocks(program: Program) -> list[order.Block]:
    tasks = program.tasks
    return order.blocks(
        [task.rule for task in tasks], [task.group for task in tasks], [task.offset for task in tasks]
    )


def _run(engine: Engine, job: _Job, labeller: LabellerOf) -> Iterator[Written]:
    """Evaluate a block; what it yields is still to be written."""
    if job.block.together:
        rounds.evaluate(engine, job.outcome, job.tasks, labeller, job.claims)
        return
    for task in job.tasks:
        job.outcome[task.rule], written = ranges.evaluate(engine, task, job.block.read, labeller)
        yield from written if job.claims is None else job.claims.fresh(written)
