"""What items belong to: a scope on one version of the servers, and the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_sre.baseline import Baseline
from pytest_sre.checks.runbooks.shelf import Shelf
from pytest_sre.errors import StackError
from pytest_sre.model.incident import Incident
from pytest_sre.model.observation import FileVerdict, Observations
from pytest_sre.model.routingtest import RoutingTest
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.unittest import UnitFile
from pytest_sre.own import Own
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What one stack is asked about: a scope's files, SLOs and routing tests, on one version of the servers."""

    settings: Settings
    inventory: Inventory
    slos: tuple[Slo, ...] = ()
    routing: tuple[RoutingTest, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def label(self) -> str:
        """What tells it apart from the other targets of the run."""
        return self.settings.label

    def has(self, path: str) -> bool:
        """Whether a file belongs to it; ``path`` as shown."""
        return path in self.paths

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that have items."""
        asked = [slo.location.path for slo in self.slos] + [test.location.path for test in self.routing]
        asked += [incident.location.path for incident in self.incidents]
        return tuple(dict.fromkeys([*self.inventory.paths, *asked]))

    @property
    def policy(self) -> tuple[PolicyEntry, ...]:
        """What must be told when."""
        return tuple(entry.as_model() for entry in self.settings.file.policy)

    def unit_files(self, path: str) -> list[UnitFile]:
        """The file's unit tests, if it has some; ``path`` as shown."""
        return [one for one in self.inventory.unit_files if one.path == path]

    def unread(self, path: str) -> FileVerdict | None:
        """The verdict on a file that we can't even read ourselves."""
        found = (one for one in self.inventory.broken if one.path == path)
        return next((FileVerdict(path, one.line, one.reason) for one in found), None)


class Run(Protocol):
    """What items ask of the run that they belong to."""

    scopes: Sequence[Sequence[Target]]
    strict: bool
    own: Own
    alerts: bool
    baseline: Baseline | None
    shelves: Sequence[Shelf]
    """Of each scope."""

    def shown(self, path: Path) -> str:
        """The path of a file that has items, as users see it; empty for other files."""
        ...

    def observations(self, target: Target) -> Observations | StackError | None:
        """What came out of a target's stack; None where none was needed."""

    def tell_broken(self, target: Target) -> bool:
        """Whether a broken stack's error is still to be told."""
        ...
