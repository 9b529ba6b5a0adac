"""Which files of unit tests ask something else, or of other rules, than before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_sre.changed.side import Side
from pytest_sre.model.unittest import UnitFile


def changed_units(old: Side, new: Side) -> Iterator[str]:
    """The paths, as shown, of files that changed themselves or whose rule files did."""
    before = {unit.path: unit for unit in old.inventory.unit_files}
    for unit in new.inventory.unit_files:
        was = before.get(unit.path)
        if old.unreadable or was is None or _texts(old, was) != _texts(new, unit):
            yield unit.path


def _texts(side: Side, unit: UnitFile) -> dict[str, bytes]:
    return {path: _bytes(side.inventory.root / path) for path in (unit.path, *unit.rule_files)}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
