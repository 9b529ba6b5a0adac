"""A whole run against a base revision: each scope's old side and what differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.changed.base import Tree, read_base
from pytest_sre.changed.compare import Comparison, compare
from pytest_sre.changed.export import export
from pytest_sre.changed.git import Revision, base_revision
from pytest_sre.changed.side import Side
from pytest_sre.model.rules import Rule
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.routing import RoutingSpec


@dataclass(frozen=True, slots=True, eq=False)
class Against:
    """The base revision; for each scope, in the run's order, its old side and the comparison.

    ``inventories`` are the new sides', in the same order.
    """

    revision: Revision
    scopes: tuple[tuple[Side, Comparison], ...]
    inventories: tuple[Inventory, ...]

    def of(self, inventory: Inventory) -> Comparison:
        """The comparison of the scope with this inventory."""
        return next(c for one, (_, c) in zip(self.inventories, self.scopes, strict=True) if one is inventory)

    def routing_before(self, inventory: Inventory) -> tuple[RoutingSpec, ...]:
        """The routing tests of the old side of the scope with this inventory."""
        sides = zip(self.inventories, self.scopes, strict=True)
        return next(old.settings.file.routing for one, (old, _) in sides if one is inventory)

    @property
    def nothing(self) -> bool:
        """Whether nothing is selected in any scope."""
        return not any(
            one.reasons or one.files or one.slos or one.incidents or one.coverage for _, one in self.scopes
        )


def read_against(
    given: str,
    scopes: Sequence[tuple[Settings, Inventory]],
    into: Path,
    config: Path | None,
    named: Collection[Path],
) -> Against:
    """Export the base to ``into`` (unless another process of this run did) and compare; raises UserError."""
    revision = base_revision(scopes[0][0].root, given)
    done = into / "exported"
    if not done.exists():
        export(revision, into / "base")
        done.touch()
    tree = Tree(revision.top, into / "base")
    found = []
    for settings, inventory in scopes:
        old = read_base(settings, tree, config, named)
        found.append((old, compare(old, Side(settings, inventory))))
    return Against(revision, tuple(found), tuple(inventory for _, inventory in scopes))


def before(old: Side, comparison: Comparison, selected: Collection[Rule]) -> tuple[Rule, ...]:
    """The old alerts to fire on the base's stack, so that the report can tell what is different for people."""
    if old.unreadable:
        return ()
    was = [comparison.previous[rule] for rule in selected if rule in comparison.previous]
    return (*was, *comparison.removed)
