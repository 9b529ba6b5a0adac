"""Incident tests → items: `sre.yaml::incidents::<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks import incident
from pytest_sre.items.item import SreItem, bracketed, plain_name
from pytest_sre.items.target import Target
from pytest_sre.model.incident import Incident


def incident_nodes(
    parent: pytest.Collector, scopes: Sequence[Sequence[Target]], shown: str
) -> Iterator[pytest.Collector]:
    """A node for all incidents of a file; ``shown`` is its path."""
    mine = [scope for scope in scopes if any(one.location.path == shown for one in scope[0].incidents)]
    if mine:
        yield IncidentsNode.from_parent(parent, name="incidents", scopes=mine)


class IncidentsNode(pytest.Collector):
    """All incidents."""

    def __init__(self, *, scopes: Sequence[Sequence[Target]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes = scopes

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each incident, on each version."""
        for scope in self.scopes:
            for one in scope[0].incidents:
                for target in scope:
                    name = bracketed(plain_name(one.name), target.label)
                    yield IncidentItem.from_parent(self, name=name, target=target, incident=one)


class IncidentItem(SreItem):
    """Do exactly these notifications come when these alerts fire together?"""

    def __init__(self, *, incident: Incident, **kwargs: Any) -> None:
        super().__init__(place=incident.location, check="incident", **kwargs)
        self.incident = incident
        self.user_properties.append(("sre_check", "incident"))

    def runtest(self) -> None:
        """Judge by what the real Alertmanager sent, inhibited and silenced."""
        if self.seen:
            seen = self.seen.incidents.get(self.incident.name)
            self.settle(incident.judge(self.incident, seen, self.target.inventory, self.seen.files))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The incident's place in its file."""
        return self.path, self.place.line - 1, f"incidents::{self.name}".replace(".", "·")
