"""An alert and its runbook together: all checks of its queries and placeholders, suppressions and severities applied."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from pytest_sre.checks.case import Case
from pytest_sre.checks.runbooks import (
    rb401_query_invalid,
    rb402_query_empty,
    rb403_metric_unknown,
    rb404_placeholder_unfilled,
)
from pytest_sre.checks.runbooks.alert_case import Together
from pytest_sre.checks.runbooks.audit import told
from pytest_sre.checks.runbooks.suppressions import suppressions
from pytest_sre.model.finding import Finding
from pytest_sre.model.runbook import Runbook, Section

ALERT_CHECKS: tuple[ModuleType, ...] = (
    rb401_query_invalid,
    rb402_query_empty,
    rb403_metric_unknown,
    rb404_placeholder_unfilled,
)


def findings(case: Case, runbook: Runbook, section: Section, path: str) -> Iterator[Finding]:
    """What is wrong with the part of a page that an alert links to; ``path`` as shown."""
    together = Together(case, runbook, section)
    return told(ALERT_CHECKS, together, suppressions(runbook), set(), path, case.settings.runbooks)
