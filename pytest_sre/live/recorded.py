"""The history of the recorded series that alerts range over, made on virtual time before Prometheus starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_sre.model.observation import Change
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Batch, Series
from pytest_sre.model.timeline import Activity, Stretch
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.reach import Past, pasts, reads, record_reads
from pytest_sre.promql.resolve import ALERTS, RuleIndex
from pytest_sre.synthesis.grid import AHEAD
from pytest_sre.timemachine import program, records, states
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.task import Program, Task


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded series as the history has them, and where they are thinner than in production."""

    series: tuple[Series, ...] = ()
    changes: tuple[Change, ...] = ()


def history(
    batch: Batch, index: RuleIndex, began: float, open_engine: Callable[[], AbstractContextManager[Engine]]
) -> Recorded:
    """What recording rules would have written before ``began`` (seconds since the epoch); raises StackError.

    No engine is opened where no alert of the batch looks into the past of a recorded series.
    """
    wanted = _wanted(batch, index)
    if not wanted:
        return Recorded()
    tasks = tuple(Task(rule, stretches(found, began)) for rule, found in wanted.items())
    names = _names(wanted, index)
    with open_engine() as engine:
        engine.write(
            (one.labels, [(began + when, value) for when, value in one.samples if when <= 0])
            for one in batch.series
            if "" in names or dict(one.labels)["__name__"] in names
        )
        (outcome,) = program.evaluate(engine, [Program(tasks)], lambda rule, _: states.alert_labels(rule))
    made = tuple(one for rule, found in outcome.items() for one in _series(rule, found, began))
    return Recorded(made, tuple(_changes(wanted, index)))


def _wanted(batch: Batch, index: RuleIndex) -> dict[Rule, list[Past]]:
    """The rules that must have been evaluated, those that others read first, and when.

    Rules whose records are given, as users may do by hand, are left out.
    """
    given: dict[str, list[dict[str, str]]] = {}
    for one in batch.series:
        labels = dict(one.labels)
        given.setdefault(labels["__name__"], []).append(labels)
    every: dict[Rule, list[Past]] = {}
    for past in sorted({past for one in batch.scenarios for past in _pasts(one.alert, index)}, key=_span):
        if not any(past.rule.labels.items() <= labels.items() for labels in given.get(past.rule.name, ())):
            every.setdefault(past.rule, []).append(past)
    ordered: dict[Rule, list[Past]] = {}
    for rule in every:
        _visit(rule, index, every, ordered, set())
    return ordered


def _pasts(rule: Rule, index: RuleIndex) -> frozenset[Past]:
    try:
        return pasts(parse(rule.expr), index)
    except PromqlError:
        return frozenset()


def _span(past: Past) -> tuple[str, int, float, float, float]:
    location = past.rule.location
    return location.path, location.line, past.lo, past.hi, past.step


def _visit(
    rule: Rule,
    index: RuleIndex,
    every: Mapping[Rule, list[Past]],
    ordered: dict[Rule, list[Past]],
    open_rules: set[Rule],
) -> None:
    if rule in ordered or rule in open_rules:
        return
    open_rules.add(rule)
    for read in record_reads(parse(rule.expr), index):
        _visit(read.rule, index, every, ordered, open_rules)
    if rule in every:
        ordered[rule] = every[rule]


def _names(rules: Collection[Rule], index: RuleIndex) -> set[str]:
    """Metric names that these rules read or record; "" where a selector has none."""
    return {rule.name for rule in rules} | {
        read.name for rule in rules for read in reads(parse(rule.expr), index)
    }


def stretches(wanted: Collection[Past], began: float) -> tuple[Stretch, ...]:
    """When a rule is evaluated: at each time with the smallest step that anything needs there.

    What is read at an offset is needed for as long again as the run may last.
    """
    spans = [(max(0.0, past.lo - AHEAD), past.hi, past.step) for past in wanted]
    edges = sorted({edge for near, far, _ in spans for edge in (near, far)}, reverse=True)
    found = []
    for far, near in pairwise(edges):
        steps = [step for start, end, step in spans if start <= near and far <= end]
        if not steps:
            continue
        step = min(steps)
        first = math.floor(far / step)
        last = math.ceil(near / step) if near == edges[-1] else math.floor(near / step) + 1
        if first >= last:
            found.append(Stretch(began - first * step, began - last * step, step))
    return tuple(found)


def _series(rule: Rule, activity: Activity, began: float) -> Iterator[Series]:
    if rule.kind == "alert":  # its ALERTS; a `for` is not waited for in the live stack
        told = states.history(replace(rule, hold=0.0), activity, states.alert_labels(rule))
        for labels, samples in records.alert_series(told, activity.ticks, 0.0):
            if dict(labels)["__name__"] == ALERTS:
                yield Series(labels, tuple((round(time - began, 3), value) for time, value in samples))
        return
    for row in activity.rows:
        times = (round(time - began, 3) for time in row.times)
        yield Series(row.labels, tuple(zip(times, row.values, strict=True)))


def _changes(wanted: Mapping[Rule, list[Past]], index: RuleIndex) -> Iterator[Change]:
    for rule, found in wanted.items():
        interval, step = index.interval(rule), max(past.step for past in found)
        if step > interval:
            what = f"its history has a sample every {step:g}s instead of every {interval:g}s"
            yield Change(rule.location.path, f"record {rule.name}", what)
