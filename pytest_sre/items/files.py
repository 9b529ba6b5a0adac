"""A file's own item: `<file>::loads`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_sre.checks import loads, unit
from pytest_sre.items.item import SreItem
from pytest_sre.model.finding import Location
from pytest_sre.model.observation import FileVerdict


class FileItem(SreItem):
    """Does the file load?"""

    def __init__(self, *, shown: str, **kwargs: Any) -> None:
        super().__init__(place=Location(shown, 1), check=loads.NAME, **kwargs)
        self.shown = shown
        self.user_properties.append(("sre_check", loads.NAME))

    @property
    def needs_stack(self) -> bool:
        """A file that can't be read needs no server to say so."""
        return self.target.unread(self.shown) is None

    def runtest(self) -> None:
        """Judge the file."""
        verdict = self.target.unread(self.shown)
        if verdict is None and self.seen:
            verdict = self.seen.files.get(self.shown)
        notes = [note for file in self.target.unit_files(self.shown) for note in unit.notes(file)]
        twins = loads.twins(self.shown, self.target.inventory)
        self.settle([*loads.judge(verdict or FileVerdict(self.shown)), *twins, *notes])

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file itself."""
        return self.path, 0, f"{self.name} {self.shown}"
