"""What is said where Alertmanager does not run with the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict
from pytest_sre.sources.discover import Inventory


def unusable(inventory: Inventory, files: Mapping[str, FileVerdict]) -> FileVerdict | None:
    """The verdict on an Alertmanager configuration that can't be used."""
    if inventory.routing is not None:
        verdict = files.get(inventory.routing.path)
        return verdict if verdict is not None and verdict.error else None
    named = (one for one in inventory.broken if "alertmanager" in one.path.rpartition("/")[2].lower())
    return next((FileVerdict(one.path, one.line, one.reason) for one in named), None)


def nobody(check: str, where: Location, whom: str, verdict: FileVerdict, expected: str = "") -> Finding:
    """The finding for what is asked elsewhere in sre.yaml; ``whom`` says "… reaches nobody"."""
    return Finding(
        check,
        where,
        f"{whom}, as Alertmanager does not run with this configuration",
        expected=expected,
        seen=f"{Location(verdict.path, verdict.line)}: {verdict.error}",
        next_step=f"mend {verdict.path} (see {verdict.path}::loads)",
    )
