"""Routing tests → items: `sre.yaml::routing::<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks import routing
from pytest_sre.collect import SreFile, SreItem, Target, bracketed, plain_name
from pytest_sre.model.routingtest import RoutingTest


def routing_nodes(
    parent: SreFile, scopes: Sequence[Sequence[Target]], shown: str
) -> Iterator[pytest.Collector]:
    """A node for all routing tests of a file; ``shown`` is its path."""
    mine = [scope for scope in scopes if any(test.location.path == shown for test in scope[0].routing)]
    if mine:
        yield RoutingNode.from_parent(parent, name=routing.NAME, scopes=mine)


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
