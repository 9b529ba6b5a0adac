"""Does the alert notice when the service is in trouble, and how soon?"""

from __future__ import annotations

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.report.figures import span

NAME = "detects"
NEEDS = "time"


def judge(case: Case) -> Verdict:
    """Pass when it fires on data above its threshold, and where an SLO says what a burn is, at some error ratio."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    assert case.timed is not None
    burns = [one for one in case.timed.passages if one.kind == "burn"]
    missed = [one for one in burns if not one.slo and one.fired is None and not one.error]
    slos = {one.slo: [other for other in burns if other.slo == one.slo] for one in burns if one.slo}
    return (
        *timed.failed(case, NAME, burns),
        *(_missed(case, one) for one in missed),
        *(_never(case, slo, some) for slo, some in slos.items() if all(one.fired is None for one in some)),
    )


def _missed(case: Case, passage: Passage) -> Finding:
    pending = "" if passage.pending is None else f", pending after {span(passage.pending)}"
    return Finding(
        NAME,
        timed.where(case),
        f"{case.rule.name} does not notice a burn",
        expected="firing while its data are above the threshold",
        seen=f"no alert within {span(passage.end)} of the onset{pending}",
        details=passage.why,
        next_step="see which leg did not hold, and when; `for` must be shorter than what it waits for lasts",
    )


def _never(case: Case, slo: str, passages: list[Passage]) -> Finding:
    return Finding(
        NAME,
        timed.where(case),
        f"{case.rule.name} notices no error ratio of {slo}",
        expected="firing at one of " + ", ".join(one.name for one in passages),
        seen="never",
        next_step="its threshold lies above what the SLO's own errors can reach: lower it, or mend its selectors",
    )
