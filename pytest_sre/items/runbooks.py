"""Runbook pages → items: `<page>::<item>`, a few for each page; all checks of a page run together, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks.runbooks import PAGE_CHECKS
from pytest_sre.checks.runbooks.audit import audit
from pytest_sre.checks.runbooks.case import PageCase, parts_of
from pytest_sre.items.item import SreItem, bracketed
from pytest_sre.items.target import Target
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.runbook_checks import IDS, ITEMS
from pytest_sre.sources.runbook_library import Library, Unreadable, reached


class Shelf:
    """A target's runbook pages and what was found on each; nothing is read before it is asked."""

    def __init__(self, target: Target) -> None:
        """Raises UserError for a glob that matches nothing."""
        settings, inventory = target.settings, target.inventory
        self.target = target
        self.library = Library(settings.file.runbooks, settings.root.resolve(), settings.folder)
        self.reached = reached(self.library, inventory.rules)
        files = dict.fromkeys(path.resolve() for path in self.library.files(self.reached))
        self.files = {path: self.library.shown(path) for path in files}
        self._audits: dict[Path, tuple[Finding, ...]] = {}

    def findings(self, file: Path) -> tuple[Finding, ...]:
        """All that is wrong with a page, by line; what cannot be read has one finding."""
        if file not in self._audits:
            try:
                self._audits[file] = audit(self._case(file), PAGE_CHECKS)
            except Unreadable as error:
                place = Location(self.library.shown(file), 1)
                self._audits[file] = (
                    Finding(
                        ITEMS[0], place, f"this runbook cannot be read: {error}", next_step="mend the file"
                    ),
                )
        return self._audits[file]

    def _case(self, file: Path) -> PageCase:
        page = self.library.page(file)
        linking = ((rule, local.anchor) for rule, local in self.reached.items() if local.path == file)
        settings = self.target.settings.file
        return PageCase(page, parts_of(page, linking), self.library, settings, self.target.inventory)


def runbook_nodes(parent: pytest.File, shelves: Sequence[Shelf]) -> Iterator[pytest.Item]:
    """The items of a page, for each scope that has it."""
    for shelf in shelves:
        if parent.path.resolve() in shelf.files:
            for name in ITEMS:
                label = bracketed(name, shelf.target.settings.scope)
                yield RunbookItem.from_parent(parent, name=label, shelf=shelf, asks=name)


class RunbookItem(SreItem):
    """Some of the checks of a page."""

    def __init__(self, *, shelf: Shelf, asks: str, **kwargs: Any) -> None:
        file = kwargs["parent"].path.resolve()
        super().__init__(target=shelf.target, place=Location(shelf.files[file], 1), check=asks, **kwargs)
        self.shelf, self.asks, self.file = shelf, asks, file
        self.user_properties.append(("sre_check", asks))

    @property
    def needs_stack(self) -> bool:
        """Pages are read, nothing else."""
        return False

    def runtest(self) -> None:
        """Judge the page."""
        found = self.shelf.findings(self.file)
        self.settle(
            one for one in found if (IDS[one.check].item if one.check in IDS else one.check) == self.asks
        )

    def reportinfo(self) -> tuple[Path, int, str]:
        """The page."""
        return self.path, 0, f"{self.place.path}::{self.name}".replace(".", "·")
