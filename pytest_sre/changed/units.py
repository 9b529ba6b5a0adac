"""Which files of unit tests ask something else, or of other rules, than before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_sre.changed.facts import canonical
from pytest_sre.changed.side import Side
from pytest_sre.model.unittest import UnitFile
from pytest_sre.sources import yamlfile

Contents = Mapping[str, str]
"""What each rule file of the inventory says, by path as shown."""


def changed_units(old: Side, before: Contents, new: Side, after: Contents) -> Iterator[str]:
    """The paths, as shown, of files that say something else or whose rule files do. Comments and layout say nothing."""
    known = {unit.path: unit for unit in old.inventory.unit_files}
    for unit in new.inventory.unit_files:
        was = known.get(unit.path)
        if old.unreadable or was is None or _said(old, was, before) != _said(new, unit, after):
            yield unit.path


def _said(side: Side, unit: UnitFile, contents: Contents) -> dict[str, str]:
    paths = (unit.path, *unit.rule_files)
    return {path: contents.get(path) or _read(side.inventory.root / path) for path in paths}


def _read(path: Path) -> str:
    """A file's values, or its text where it is not YAML; empty where it can't be read."""
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return ""
    try:
        return canonical([document.value for document in yamlfile.load_all(text)])
    except yamlfile.YamlError:
        return text
