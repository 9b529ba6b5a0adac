"""Routing tests → items: `sre.yaml::routing::<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks import coverage, routing
from pytest_sre.items.item import SreItem, bracketed, plain_name
from pytest_sre.items.target import Target
from pytest_sre.model.routingtest import RoutingTest


def routing_nodes(
    parent: pytest.Collector, scopes: Sequence[Sequence[Target]], shown: str
) -> Iterator[pytest.Item | pytest.Collector]:
    """A configuration's coverage, and a node for all routing tests of a file; ``shown`` is its path."""
    for scope in scopes:
        yield from _coverage(parent, scope, shown)
    mine = [scope for scope in scopes if any(test.location.path == shown for test in scope[0].routing)]
    if mine:
        yield RoutingNode.from_parent(parent, name=routing.NAME, scopes=mine)


def _coverage(parent: pytest.Collector, scope: Sequence[Target], shown: str) -> Iterator[pytest.Item]:
    """An item on each version, where the file is the configuration that the scope's alerts go through."""
    known = scope[0].inventory.routing
    used = scope[0].routing or any(rule.kind == "alert" for rule in scope[0].inventory.rules)
    if known is None or known.path != shown or not used:
        return
    for target in scope:
        name = bracketed(coverage.NAME, target.label)
        yield CoverageItem.from_parent(parent, name=name, target=target, place=known.root.location)


class CoverageItem(SreItem):
    """Is there something in the configuration that no alert uses?"""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(check=coverage.NAME, **kwargs)
        self.user_properties.append(("sre_check", coverage.NAME))

    def runtest(self) -> None:
        """Judge by where all alerts ended."""
        if self.seen:
            self.settle(coverage.judge(self.target.inventory, self.seen, self.target.routing))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The root route's place in its file."""
        return self.path, self.place.line - 1, f"{self.name} {self.place.path}"


class RoutingNode(pytest.Collector):
    """All routing tests."""

    def __init__(self, *, scopes: Sequence[Sequence[Target]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes = scopes

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each test, on each version."""
        for scope in self.scopes:
            for number, test in enumerate(scope[0].routing):
                for target in scope:
                    name = bracketed(plain_name(test.name), target.label)
                    yield RoutingItem.from_parent(self, name=name, target=target, test=target.routing[number])


class RoutingItem(SreItem):
    """Do these labels reach exactly these receivers?"""

    def __init__(self, *, test: RoutingTest, **kwargs: Any) -> None:
        super().__init__(place=test.location, check=routing.NAME, **kwargs)
        self.test = test
        self.user_properties.append(("sre_check", routing.NAME))

    def runtest(self) -> None:
        """Judge by where Alertmanager said that the label set ends."""
        if self.seen:
            self.settle(routing.judge(self.test, self.target.inventory, self.seen.files, self.seen.ends))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The test's place in its file."""
        return self.path, self.place.line - 1, f"{routing.NAME}::{self.name}".replace(".", "·")
