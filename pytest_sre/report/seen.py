"""What reports are made from."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sre.model.observation import Observations
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One stack that did its work: what it was asked about, and what was observed."""

    settings: Settings
    inventory: Inventory
    slos: tuple[Slo, ...]
    policy: tuple[PolicyEntry, ...]
    observations: Observations

    @property
    def label(self) -> str:
        """What tells it apart from the other stacks of the run."""
        return self.settings.label
