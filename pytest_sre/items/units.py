"""promtool's unit tests → items: `<file>::<test>::<case>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks import unit, unit_names
from pytest_sre.items.item import SreItem, bracketed
from pytest_sre.items.target import Target
from pytest_sre.model.unittest import AlertCase, Case, UnitFile, UnitGroup


def unit_nodes(parent: pytest.Collector, scope: Sequence[Target], shown: str) -> Iterator[pytest.Collector]:
    """A node for each test of a file; ``shown`` is its path."""
    for file in scope[0].unit_files(shown):
        for name, group in zip(unit_names.group_names(file), file.groups, strict=True):
            yield UnitNode.from_parent(parent, name=name, scope=scope, file=file, group=group)


class UnitNode(pytest.Collector):
    """One test of a file: series, and what is asked about them."""

    def __init__(self, *, scope: Sequence[Target], file: UnitFile, group: UnitGroup, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scope, self.file, self.group = scope, file, group

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each case, on each version."""
        for name, case in unit_names.cases(self.group):
            for target in self.scope:
                yield UnitItem.from_parent(
                    self, name=_bracketed(name, target.label), target=target, node=self, case=case
                )


def _bracketed(name: str, label: str) -> str:
    """A case's name may end with a bracket already: ``alert A at 5m[2]``."""
    begin, _, number = name.rpartition("[")
    return bracketed(begin, number[:-1], label) if name.endswith("]") else bracketed(name, label)


class UnitItem(SreItem):
    """One case: what should fire, or what an expression should give."""

    def __init__(self, *, node: UnitNode, case: Case, **kwargs: Any) -> None:
        alert = case.alertname if isinstance(case, AlertCase) else ""
        super().__init__(place=case.location, check=unit.NAME, alert=alert, **kwargs)
        self.file, self.group, self.case = node.file, node.group, case
        self.user_properties.append(("sre_check", unit.NAME))
        self.user_properties += [("sre_alert", alert)] if alert else []

    def runtest(self) -> None:
        """Judge the case by what was seen of its test."""
        seen = self.seen.units.get((self.file.path, self.group.index)) if self.seen else None
        partial = self.target.settings.file.unit_tests.partial
        self.settle(unit.judge(self.file, self.group, self.case, seen, partial=partial))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The case's place in its file."""
        title = f"{self.parent.name if self.parent else ''}::{self.name}"
        return self.path, self.place.line - 1, title.replace(".", "·")
