"""All checks of a page at once: severities as configured, suppressions applied, those that are not needed told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.suppressions import Suppression, suppressions
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.runbook_checks import IDS
from pytest_sre.sources.runbook_settings import Runbooks

UNUSED = "RB900"


def audit(case: PageCase, checks: tuple[ModuleType, ...]) -> tuple[Finding, ...]:
    """All findings on a page, by line."""
    said = suppressions(case.page.runbook)
    used: set[Suppression] = set()
    found = list(told(checks, case, said, used, case.page.path, case.settings.runbooks))
    ran = {check.ID for check in checks}
    for hit in _unneeded(said, used, ran):
        found += finding(UNUSED, hit, case.page.path, case.settings.runbooks)
    return tuple(sorted(found, key=lambda one: (one.location, one.check)))


def told(
    checks: Iterable[ModuleType],
    case: Any,
    said: Sequence[Suppression],
    used: set[Suppression],
    path: str,
    settings: Runbooks,
) -> Iterator[Finding]:
    """What checks find that is not suppressed; what suppresses something is added to ``used``."""
    for check in checks:
        for hit in check.judge(case):
            covering = [one for one in said if one.covers(check.ID, hit.line)]
            used.update(covering)
            if not covering:
                yield from finding(check.ID, hit, path, settings)


def finding(check: str, hit: Hit, path: str, settings: Runbooks) -> list[Finding]:
    """A hit as a finding, with the severity that is configured; none where it is off."""
    severity: Any = settings.severities.get(check) or hit.severity or IDS[check].severity
    if severity == "off":
        return []
    return [
        Finding(
            check,
            Location(path, hit.line),
            hit.message,
            expected=hit.expected,
            seen=hit.seen,
            next_step=hit.mend,
            severity=severity,
        )
    ]


def _unneeded(said: tuple[Suppression, ...], used: set[Suppression], ran: set[str]) -> Iterator[Hit]:
    for one in said:
        if one.wrong:
            yield Hit(one.line, f"a suppression that does nothing: {one.wrong}", "mend it, or delete it")
        elif one not in used and one.id in ran:
            yield Hit(one.line, f"{one.id} finds nothing here, so nothing is suppressed", "delete it")
