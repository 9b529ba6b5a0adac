"""All checks of an alert, in the order of their items. `loads` is asked of files, `policy` of SLOs, the others of alerts."""

from __future__ import annotations

from types import ModuleType

from pytest_sre.checks import detects, fires, known, pages, quiet, resolves, runbook, steady

CHECKS: tuple[ModuleType, ...] = (fires, pages, quiet, detects, resolves, steady, runbook, known)
