"""Which series, over which time, make an alert fire."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Value

Labels = tuple[tuple[str, str], ...]
"""A label set: pairs sorted by label name; a series' set has ``__name__``."""


@dataclass(frozen=True, slots=True)
class Series:
    """A series: samples are (seconds relative to the start of the run, value), oldest first.

    Samples at or before 0 become history, later ones (at most 540 s ahead) keep the series alive in the run.
    """

    labels: Labels
    samples: tuple[tuple[float, Value], ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Series that make ``alert`` fire, and the label sets of the alerts expected then (without templates)."""

    alert: Rule
    series: tuple[Series, ...]
    expected: tuple[Labels, ...]
    source: str = "synthesised"


@dataclass(frozen=True, slots=True)
class NotSynthesised:
    """No series were found (yet): the test is skipped. ``part`` is the sub-expression to blame.

    ``unlike`` says what real series lack, where snapshots have all that the alert reads and series with other labels
    would fire it: then the test fails. ``elsewhen`` names another time of the week at which series that were found
    fire it: only virtual time can show that.
    """

    alert: Rule
    reason: str
    part: str = ""
    unlike: str = ""
    elsewhen: str = ""


@dataclass(frozen=True, slots=True)
class Impossible:
    """No realistic data can ever fire the alert: the test fails. ``part`` is the sub-expression to blame.

    ``next_step`` is what to change.
    """

    alert: Rule
    reason: str
    part: str = ""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Scenarios whose series can live in one Prometheus without spoiling each other; ``series`` is their union."""

    scenarios: tuple[Scenario, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to inject, and what could not be made."""

    batches: tuple[Batch, ...]
    unproven: tuple[NotSynthesised | Impossible, ...]
