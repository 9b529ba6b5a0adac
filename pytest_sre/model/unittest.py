"""Unit tests of rules as promtool knows them. All times in seconds; those of cases count from the test's start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.samples import ShownHistogram, Value
from pytest_sre.model.scenario import Labels

EVALUATION_INTERVAL = 60.0


@dataclass(frozen=True, slots=True)
class InputSeries:
    """A series with its values, None for a gap; ``labels`` may lack ``__name__``."""

    labels: Labels
    values: tuple[Value | None, ...]
    location: Location

    def samples(self, interval: float) -> Iterator[tuple[float, Value]]:
        """(Seconds from the test's start, value); with an interval of 0 the first value alone remains."""
        for i, value in enumerate(self.values):
            if value is not None:
                yield i * interval, value
                if not interval:
                    return


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert that should be firing; ``labels`` have ``alertname`` too."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    location: Location


@dataclass(frozen=True, slots=True)
class AlertCase:
    """All alerts of a name that should be firing at a time."""

    alertname: str
    eval_time: float
    expected: tuple[ExpectedAlert, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedSample:
    """One sample of an expression's result; ``labels`` sorted, empty values kept as promtool does."""

    labels: Labels
    value: Value
    location: Location


@dataclass(frozen=True, slots=True)
class ExprCase:
    """What an expression should give at a time."""

    expr: str
    eval_time: float
    expected: tuple[ExpectedSample, ...]
    location: Location


Case = AlertCase | ExprCase


@dataclass(frozen=True, slots=True, eq=False)
class UnitGroup:
    """Series and the questions asked about them; ``index`` counts from 0, ``name`` may be empty.

    ``interval`` is 0 where the file has none (see ``spacing``); ``start`` is in seconds since the epoch.
    """

    index: int
    name: str
    interval: float
    series: tuple[InputSeries, ...]
    alerts: tuple[AlertCase, ...]
    exprs: tuple[ExprCase, ...]
    location: Location
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    start: float = 0.0

    @property
    def until(self) -> float:
        """The largest ``eval_time``: rules are evaluated up to then."""
        cases: tuple[Case, ...] = (*self.alerts, *self.exprs)
        return max((case.eval_time for case in cases), default=0.0)

    def spacing(self, evaluation_interval: float, prometheus: tuple[int, int] = (3, 0)) -> float:
        """Seconds between two samples. Before Prometheus 2.49 a missing interval puts all of them at 0."""
        return self.interval or (evaluation_interval if prometheus >= (2, 49) else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class UnitFile:
    """A file of unit tests. ``rule_files`` are the paths that its patterns match, relative to the root.

    ``notes`` are warnings: what promtool passes over in silence.
    """

    path: str
    rule_files: tuple[str, ...]
    groups: tuple[UnitGroup, ...]
    evaluation_interval: float = EVALUATION_INTERVAL
    group_eval_order: tuple[str, ...] = ()
    fuzzy_compare: bool = False
    notes: tuple[Finding, ...] = ()

    def tick(self, eval_time: float) -> float:
        """The evaluation that an alert's ``eval_time`` looks at: the last one not after it."""
        return (eval_time + 1e-6) // self.evaluation_interval * self.evaluation_interval


@dataclass(frozen=True, slots=True)
class SeenAlert:
    """An active alert at a case's time; ``labels`` have ``alertname``. Only firing ones count."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    state: str = "firing"


@dataclass(frozen=True, slots=True)
class SeenSample:
    """One sample of an expression's result."""

    labels: Mapping[str, str]
    value: float | ShownHistogram


@dataclass(frozen=True, slots=True)
class UnitObservation:
    """What the engine gave for one test of a file.

    ``alerts`` has all active alerts by ``eval_time``, those not asked about without annotations; ``results`` one entry
    for each of the test's expressions, a text where the engine refused it. ``known`` are the alert names of all rule
    files. ``error`` is what a rule failed with, ``error_at`` its evaluation's time: promtool stops there.
    ``unsupported`` says why the test could not be run, ``unloaded`` why promtool would not run it.
    """

    known: frozenset[str] = frozenset()
    alerts: Mapping[float, tuple[SeenAlert, ...]] = field(default_factory=dict)
    results: tuple[tuple[SeenSample, ...] | str, ...] = ()
    error: str = ""
    error_at: float = 0.0
    unsupported: str = ""
    unloaded: str = ""


UnitKey = tuple[str, int]
"""A test: its file's path, as shown, and its place in it."""
