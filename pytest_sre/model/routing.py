"""Alertmanager's configuration as far as we reason about it; the server itself does the routing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_sre.model.finding import Location

FILE_LINES = 1_000_000_000
"""Line n of the i-th file of a configuration made of several is known as i * FILE_LINES + n."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher; regular expressions are anchored, a missing label counts as empty."""

    label: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set satisfies this matcher."""
        seen = labels.get(self.label, "")
        if self.op in ("=", "!="):
            return (seen == self.value) == (self.op == "=")
        return (re.fullmatch(self.value, seen) is not None) == (self.op == "=~")

    def __str__(self) -> str:
        return f'{self.label}{self.op}"{self.value}"'


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree. ``receiver`` is inherited from the parent where not set."""

    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    routes: tuple[Route, ...]
    location: Location


def preorder(root: Route) -> Iterator[Route]:
    """All routes, each before its children; a route's number is its place in this order, counted from 0."""
    yield root
    for route in root.routes:
        yield from preorder(route)


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration of a receiver, for instance the second ``slack_configs`` entry: kind slack, index 1."""

    receiver: str
    kind: str
    index: int

    def __str__(self) -> str:
        return f"{self.receiver}/{self.kind}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Held:
    """A file of templates that an object of Kubernetes holds: its text, and where that is in the repository.

    ``lines`` are the lines of the file at ``path``, one for each line of the text.
    """

    text: str
    path: str
    lines: tuple[int, ...]

    def place(self, line: int) -> Location:
        """Where a line of the text is, counted from 1."""
        return Location(self.path, self.lines[min(max(line, 1), len(self.lines)) - 1])


@dataclass(frozen=True, slots=True, eq=False)
class Routing:
    """A user's Alertmanager configuration.

    ``document`` is the parsed mapping (`sources.yamlfile` types, which know their lines), ``path`` the file
    relative to the root, ``base`` the absolute folder that relative template globs start from. Lines of a part
    that came from a file of ``others`` are beyond FILE_LINES: `place` tells them apart. ``held`` are the template files that an object of Kubernetes
    holds in the repository, by the path that ``document`` names. ``operator``: prometheus-operator writes the configuration.
    """

    path: str
    base: str
    document: Mapping[str, Any]
    root: Route
    integrations: tuple[Integration, ...]
    receivers: tuple[str, ...]
    others: tuple[str, ...] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    operator: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that the configuration is made of."""
        return (self.path, *self.others)

    @property
    def by_receiver(self) -> dict[str, tuple[Integration, ...]]:
        """The integrations of each receiver that has some."""
        found: dict[str, tuple[Integration, ...]] = {}
        for one in self.integrations:
            found[one.receiver] = (*found.get(one.receiver, ()), one)
        return found

    def place(self, line: int) -> Location:
        """The file and its line that a line of ``document`` stands for."""
        file, own = divmod(line, FILE_LINES)
        return Location(self.paths[file], own)
