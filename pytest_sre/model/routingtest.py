"""Routing tests: label sets, and the receivers that they must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pytest_sre.model.finding import Location

AlertKey = frozenset[tuple[str, str]]
"""An alert's labels without the empty ones."""
Ends = Mapping[AlertKey, tuple[int, ...]]
"""At which routes alerts end: their numbers in preorder, in increasing order."""


@dataclass(frozen=True, slots=True)
class RoutingTest:
    """An alert with these labels must reach exactly these receivers; with ``at``, at that time."""

    name: str
    labels: Mapping[str, str]
    receivers: tuple[str, ...]
    location: Location
    at: datetime | None = None


def alert_key(labels: Mapping[str, str]) -> AlertKey:
    """What tells one alert from another in Alertmanager, which takes an empty label for none."""
    return frozenset((name, value) for name, value in labels.items() if value)
