"""A file of the repository → its items, each kind from a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pytest_sre.checks import loads
from pytest_sre.items.alerts import AlertNode, alerts_in
from pytest_sre.items.files import FileItem
from pytest_sre.items.incidents import incident_nodes
from pytest_sre.items.item import bracketed
from pytest_sre.items.routing import routing_nodes
from pytest_sre.items.runbooks import runbook_nodes
from pytest_sre.items.slos import SloNode
from pytest_sre.items.target import Run, Target
from pytest_sre.items.units import unit_nodes


class SreFile(pytest.File):
    """A rule file, an Alertmanager configuration, the file that has SLOs, one of unit tests, or a runbook."""

    def __init__(self, *, run: Run, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.add_marker("sre")

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """A runbook's items, or the file's own, its SLOs, its unit tests, then its alerts by name."""
        shown = self.run.shown(self.path)
        scopes = [scope for scope in self.run.scopes if scope[0].has(shown)]
        yield from runbook_nodes(self)
        if self.run.alerts:
            yield from self._beside_alerts(scopes, shown)
        names = dict.fromkeys(rule.name for scope in scopes for rule in alerts_in(scope[0], shown))
        for name in names:
            yield AlertNode.from_parent(self, name=name, scopes=scopes, shown=shown)

    def _beside_alerts(
        self, scopes: Sequence[Sequence[Target]], shown: str
    ) -> Iterator[pytest.Item | pytest.Collector]:
        for scope in scopes:
            for target in scope if shown in scope[0].inventory.paths else ():
                name = bracketed(loads.NAME, target.label)
                yield FileItem.from_parent(self, name=name, target=target, shown=shown)
            for slo in scope[0].slos:
                if slo.location.path == shown:
                    yield SloNode.from_parent(self, name=slo.name, scope=scope, slo=slo)
        yield from routing_nodes(self, scopes, shown)
        yield from incident_nodes(self, scopes, shown)
        for scope in scopes:
            yield from unit_nodes(self, scope, shown)
