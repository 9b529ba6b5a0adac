"""Runbook pages → items: `<page>::<item>`, a few for each page; all checks of a page run together, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks.case import Skipped
from pytest_sre.checks.runbooks.shelf import UNREADABLE, Shelf
from pytest_sre.items.item import SreItem, bracketed, run_of
from pytest_sre.model.finding import Location
from pytest_sre.model.runbook_checks import IDS, ITEMS


def runbook_nodes(parent: pytest.File) -> Iterator[pytest.Item]:
    """The items of a page, for each scope that has it."""
    for scope, shelf in zip(run_of(parent).scopes, run_of(parent).shelves, strict=True):
        if parent.path.resolve() in shelf.files:
            for name in ITEMS:
                label = bracketed(name, scope[0].settings.scope)
                yield RunbookItem.from_parent(parent, name=label, target=scope[0], shelf=shelf, asks=name)


class RunbookItem(SreItem):
    """Some of the checks of a page."""

    def __init__(self, *, shelf: Shelf, asks: str, **kwargs: Any) -> None:
        file = kwargs["parent"].path.resolve()
        super().__init__(place=Location(shelf.files[file], 1), check=asks, **kwargs)
        self.shelf, self.asks, self.file = shelf, asks, file
        self.user_properties.append(("sre_check", asks))

    @property
    def needs_stack(self) -> bool:
        """Pages are read, nothing else."""
        return False

    def runtest(self) -> None:
        """Judge the page."""
        found = self.shelf.findings(self.file)
        mine = [one for one in found if IDS[one.check].item == self.asks]
        if not mine and any(one.check == UNREADABLE for one in found):
            self.settle(Skipped("the page cannot be read; see its item executable-steps"))
        else:
            self.settle(mine)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The page."""
        return self.path, 0, f"{self.place.path}::{self.name}".replace(".", "·")
