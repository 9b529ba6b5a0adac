"""Does the alert end once the service has recovered, and how soon?"""

from __future__ import annotations

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Skipped, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.report.figures import span

NAME = "resolves"
NEEDS = "time"
_LONG = 86400.0
"""`keep_firing_for` bridges gaps; nothing that lasts longer than a day (seconds) is a gap."""


def judge(case: Case) -> Verdict:
    """Pass when every alert that fired in a burn ends after recovery, `keep_firing_for` included."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    burns = [one for one in timed.about_itself(case) if one.recovery is not None]
    if all(one.fired is None for one in burns):
        return Skipped("it did not fire on virtual time, so there is nothing to resolve (see detects)")
    lasting = [one for one in burns if one.fired is not None and one.ended is None and not one.error]
    return (
        *timed.failed(case, NAME, burns),
        *(_lasting(case, one) for one in lasting),
        *(_kept(case) for _ in burns[:1] if case.rule.keep_firing_for > _LONG and not lasting),
    )


def _lasting(case: Case, passage: Passage) -> Finding:
    assert passage.recovery is not None
    return Finding(
        NAME,
        timed.where(case),
        f"{case.rule.name} does not end after recovery",
        expected="no alert once healthy data fill all that it reads",
        seen=f"still firing {span(passage.end - passage.recovery)} after recovery",
        details=passage.why,
        next_step="the expression holds on data of a service that has recovered: compare what is new (`rate`, `increase`), "
        "not what adds up",
    )


def _kept(case: Case) -> Finding:
    keep = span(case.rule.keep_firing_for)
    return Finding(
        NAME,
        case.rule.location,
        f"{case.rule.name} goes on for {keep} after recovery",
        expected="an end within a day",
        seen=f"keep_firing_for: {keep}",
        next_step="lower `keep_firing_for`: while an alert fires nobody is told of the next burn",
        severity="warning",
    )
