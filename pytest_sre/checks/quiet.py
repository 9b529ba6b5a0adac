"""Does the alert stay quiet while the service is healthy, and just below its threshold?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.report.figures import span

NAME = "quiet"
NEEDS = "time"


def judge(case: Case) -> Verdict:
    """Pass when it fires neither on healthy history of its full reach nor just below its threshold."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    passages = timed.plain_passages(case)
    return (*timed.failed(case, NAME, passages), *_early(case, passages))


def _early(case: Case, passages: tuple[Passage, ...]) -> Iterator[Finding]:
    for one in passages:
        if one.early is None or one.error:
            continue
        near = one.kind == "near"
        yield Finding(
            NAME,
            timed.where(case),
            f"{case.rule.name} fires {'just below its threshold' if near else 'on healthy data'}",
            expected=f"no alert at {one.name}" if near else "no alert while the service is healthy",
            seen=f"firing after {span(one.early - one.start)} of {span(-one.start)} looked at before a burn"
            if not near
            else f"firing after {span(one.early - one.start)}",
            details=one.why,
            next_step="raise the threshold, or mend what the expression selects: on-call would be woken for nothing",
        )
