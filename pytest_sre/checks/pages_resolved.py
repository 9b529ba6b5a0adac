"""Do those who were paged hear that it is over? Part of `pages`.

Whom Alertmanager should tell is its own word: its configuration as it shows it, with all defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks.case import PAGING_KINDS, Case, calls_itself_a_page
from pytest_sre.checks.pages_texts import unrendered
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation
from pytest_sre.sources.alertmanager import written
from pytest_sre.sources.yamlfile import line_of


def ended(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    """Resolved notifications that did not come or did not render, and pages that nothing ever closes."""
    yield from _missing(case, alert, check)
    yield from unrendered(
        case,
        alert.resolved,
        check,
        "the resolved text",
        "mend what the template does when no alert fires any more",
    )
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


def _open(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    routing = case.inventory.routing
    assert routing is not None
    for one in sorted({note.integration for note in alert.notifications}, key=str):
        if one.kind not in PAGING_KINDS:
            continue
        entry = written(routing, one)
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
