"""Do those who were paged hear that it is over? Part of `pages`.

Whom Alertmanager should tell is its own word: its configuration as it shows it, with all defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.checks.case import PAGING_KINDS, Case, calls_itself_a_page
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation
from pytest_sre.model.routing import Integration
from pytest_sre.sources.yamlfile import line_of


def ended(case: Case, alert: AlertObservation, check: str, unrendered: re.Pattern[str]) -> Iterator[Finding]:
    """Resolved notifications that did not come or did not render, and pages that nothing ever closes."""
    yield from _missing(case, alert, check)
    yield from _texts(case, alert, check, unrendered)
    if calls_itself_a_page(case.rule, case.settings.severities):
        yield from _open(case, alert, check)


def _missing(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    for one in dict.fromkeys(alert.unresolved):
        yield Finding(
            check,
            case.rule.location,
            f"{one.integration} is not told that {case.rule.name} is over",
            expected=f"a resolved notification through {one.integration}, which has `send_resolved: true`",
            seen=one.why or "it got the firing notification, and nothing when the alert had ended",
            next_step=f"mend what {one.integration} sends once the alert is resolved, or set `send_resolved: false`",
        )


def _texts(case: Case, alert: AlertObservation, check: str, unrendered: re.Pattern[str]) -> Iterator[Finding]:
    told: set[tuple[Integration, str]] = set()
    for one in alert.resolved:
        for name, text in one.texts.items():
            found = unrendered.search(text)
            if found is None or (one.integration, name) in told:
                continue
            told.add((one.integration, name))
            around = text[max(0, found.start() - 60) : found.end() + 60].replace("\n", " ⏎ ")
            yield Finding(
                check,
                case.rule.location,
                f"the resolved text that {one.integration} gets for {case.rule.name} did not render",
                expected=f"{name} without {found[0][:60]!r}",
                seen=around,
                next_step="mend what the template does when no alert fires any more",
            )


def _open(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    routing = case.inventory.routing
    assert routing is not None
    for one in sorted({note.integration for note in alert.notifications}, key=str):
        if one.kind not in PAGING_KINDS:
            continue
        entry = _entry(routing.document, one)
        if str(entry.get("send_resolved")).lower() == "false":
            place = routing.place(line_of(entry, "send_resolved"))
            yield Finding(
                check,
                place,
                f"{one} pages for {case.rule.name} and is never told that it is over, so the incident stays open",
                expected="`send_resolved: true`",
                seen=f"`send_resolved: false` in {place}",
                next_step="remove `send_resolved: false`, or close these incidents in another way",
                severity="warning",
            )


def _entry(document: Mapping[str, Any], one: Integration) -> Mapping[str, Any]:
    """The configuration of an integration that has sent."""
    receiver = next(item for item in document["receivers"] if item["name"] == one.receiver)
    entry: Mapping[str, Any] = receiver[f"{one.kind}_configs"][one.index]
    return entry
