"""Scenarios as promtool's unit tests: what is to be written, and what could not be expressed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A scenario (or, with an empty name, all of an alert) that has no unit test, and why; ``path`` is the rule file's."""

    path: str
    alert: str
    scenario: str
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """Files by name, the number of scenarios in them, and those left out."""

    files: tuple[tuple[str, str], ...] = ()
    scenarios: int = 0
    left_out: tuple[LeftOut, ...] = ()
