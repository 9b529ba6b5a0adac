"""One engine's tests of rules: series in, rules and expressions evaluated, what they gave out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sre.model.samples import Value
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Stretch
from pytest_sre.model.unittest import ExprCase, SeenSample
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources import duration
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.prometheus import with_histograms
from pytest_sre.timemachine.engine import Engine, QueryError, open_engine
from pytest_sre.timemachine.program import WORKERS, evaluate
from pytest_sre.timemachine.task import LabellerOf, Outcome
from pytest_sre.timemachine.unit_ahead import step_by_step
from pytest_sre.timemachine.unit_bench import LOOKBACK, Bench
from pytest_sre.timemachine.unit_lanes import Lane


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the engine gave for a test that began at ``start`` (seconds since the epoch).

    ``snapshots`` has, by evaluation, all series that templates with `query` may ask for; ``unsupported`` says why
    what it gave can't be relied on.
    """

    bench: Bench
    start: float
    outcome: Outcome
    results: tuple[tuple[SeenSample, ...] | str, ...]
    snapshots: Mapping[float, tuple[tuple[Labels, Value], ...]] = field(default_factory=dict)
    unsupported: str = ""


def run(
    stack: Stack, settings: PrometheusServer, folder: Path, lane: Lane, labeller: LabellerOf
) -> list[Given]:
    """Run a lane's tests on an engine of its own; raises StackError."""
    update = {"lookback_delta": duration.text(LOOKBACK), "external_url": None}
    mine = (with_histograms(settings) if lane.histograms else settings).model_copy(update=update)
    globals_ = {"evaluation_interval": duration.text(lane.interval)} if lane.interval else {}
    with open_engine(stack, mine, folder, folder.name, globals_, anchored=not lane.histograms) as engine:
        outcomes = _evaluate(engine, lane.places, labeller)
        with ThreadPoolExecutor(WORKERS, "sre-unit") as pool:
            jobs = [(*place, outcome) for place, outcome in zip(lane.places, outcomes, strict=True)]
            return list(pool.map(lambda job: _given(engine, *job), jobs))


def _evaluate(engine: Engine, places: Sequence[tuple[Bench, float]], labeller: LabellerOf) -> list[Outcome]:
    if len(places) == 1 and places[0][0].looks_ahead:
        return [step_by_step(engine, *places[0], labeller)]
    engine.write(one for bench, start in places for one in bench.series(start))
    return evaluate(engine, [bench.program(start) for bench, start in places], labeller)


def _given(engine: Engine, bench: Bench, start: float, outcome: Outcome) -> Given:
    unsupported = _histogram_rule(engine, bench, start) if bench.has_histograms else ""
    results = tuple(_result(engine, case, start) for case in bench.group.exprs)
    return Given(bench, start, outcome, results, dict(_snapshots(engine, bench, start)), unsupported)


def _result(engine: Engine, case: ExprCase, start: float) -> tuple[SeenSample, ...] | str:
    try:
        found = engine.vector(case.expr, start + case.eval_time)
    except QueryError as error:
        return str(error)
    return tuple(SeenSample(dict(labels), value) for labels, value in found)


def _histogram_rule(engine: Engine, bench: Bench, start: float) -> str:
    """A rule that gives native histograms: the API does not show them as they are, so they can't be written back."""
    span = Stretch(start, start + bench.last, bench.unit.evaluation_interval)
    for one in bench.alive:
        if engine.range(f"histogram_count({one.rule.expr}\n)", span).rows:
            return f"{one.rule.name} gives native histograms; only expressions may do so here"
    return ""


def _snapshots(
    engine: Engine, bench: Bench, start: float
) -> Iterator[tuple[float, tuple[tuple[Labels, Value], ...]]]:
    if not bench.asks_in_templates:
        return
    for moment in {bench.moment(start, case.eval_time) for case in bench.group.alerts}:
        yield moment, tuple(engine.instant('{__name__=~".+"}', moment))
