"""Hooks that a project's conftest.py, or another plugin, may implement; see docs/python.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_sre.checks.case import Case
    from pytest_sre.model.finding import Finding

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_sre_checks() -> Sequence[ModuleType]:  # type: ignore[empty-body]
    """Own checks: modules (or objects) with ``NAME``, ``NEEDS`` and ``judge(case)``; each alert gets an item for each."""


@hookspec(firstresult=True)
def pytest_sre_decode(kind: str, payload: Any) -> Mapping[str, str] | None:
    """What a person reads in a payload sent by an integration of this kind, by field; None: as usual."""


@hookspec
def pytest_sre_expect(case: Case) -> Iterable[Finding | str] | None:
    """What is wrong with an alert that was delivered, in own words; it fails the alert's item `pages`."""
