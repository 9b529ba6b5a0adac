"""What is asked of a run, and what it has found out so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sre.model.export import Export
from pytest_sre.model.incident import Incident, IncidentObservation
from pytest_sre.model.observation import AlertObservation, Change, FileVerdict, TimedObservation
from pytest_sre.model.routingtest import AlertKey, RoutingTest
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.unittest import UnitFile, UnitGroup, UnitKey, UnitObservation
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory

Asked = tuple[UnitFile, tuple[UnitGroup, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is asked of a run: which alerts, and whether anything must be fired or delivered for them.

    ``timed`` alerts go through their scenarios on virtual time, also at the error ratios of ``slos`` and ``policy``;
    ``plots`` says whether data for plots are wanted, ``export`` is a folder for promtool's unit tests. ``units`` are
    files of unit tests, with those tests that are asked. ``routing`` are the routing tests that are asked, ``coverage``
    whether it is asked where all fired alerts end. ``together`` are alerts that fire for ``incidents``
    or ``coverage`` only, ``known`` is what was observed of alerts that need not fire again. The queries of the
    ``runbooks`` of these are asked while they fire.
    """

    settings: Settings
    inventory: Inventory
    alerts: tuple[Rule, ...]
    fire: bool
    deliver: bool
    tell: Callable[[str], None]
    timed: tuple[Rule, ...] = ()
    slos: tuple[Slo, ...] = ()
    policy: tuple[PolicyEntry, ...] = ()
    plots: bool = False
    units: tuple[Asked, ...] = ()
    export: Path | None = None
    routing: tuple[RoutingTest, ...] = ()
    coverage: bool = False
    incidents: tuple[Incident, ...] = ()
    together: frozenset[Rule] = frozenset()
    runbooks: frozenset[Rule] = frozenset()
    known: Mapping[Rule, AlertObservation] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """What a run has found out so far."""

    files: dict[str, FileVerdict] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    alerts: dict[Rule, AlertObservation] = field(default_factory=dict)
    timed: dict[Rule, TimedObservation] = field(default_factory=dict)
    units: dict[UnitKey, UnitObservation] = field(default_factory=dict)
    exported: Export | None = None
    ends: dict[AlertKey, tuple[int, ...]] = field(default_factory=dict)
    sides: dict[AlertKey, tuple[int, ...]] = field(default_factory=dict)
    incidents: dict[str, IncidentObservation] = field(default_factory=dict)

    def broken(self, rule: Rule) -> bool:
        """Whether a rule's file does not load."""
        return self.refused(rule.location.path)

    def refused(self, path: str) -> bool:
        """Whether a file does not load, as far as is known by now."""
        verdict = self.files.get(path)
        return verdict is not None and bool(verdict.error)
