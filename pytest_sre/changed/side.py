"""One of the two states that are compared."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A revision, or the work tree, of one scope. ``unreadable`` says why a state can't be told as a whole."""

    settings: Settings
    inventory: Inventory
    unreadable: str = ""
