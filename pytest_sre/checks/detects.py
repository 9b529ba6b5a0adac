"""Does the alert notice when the service is in trouble, and how soon?"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.report.figures import percent, span

NAME = "detects"
NEEDS = "time"


def judge(case: Case) -> Verdict:
    """Pass when it fires on data above its threshold, and where an SLO says what a burn is, at some error ratio."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    assert case.timed is not None
    burns = [one for one in case.timed.passages if one.kind == "burn"]
    asked = [one for one in burns if one.slo and one.factor is None]
    slos = {one.slo: [other for other in asked if other.slo == one.slo] for one in asked}
    deaf = {slo: some for slo, some in slos.items() if all(map(_silent, some))}
    missed = [one for one in timed.about_itself(case) if one in burns and one.slo not in deaf]
    return (
        *timed.failed(case, NAME, burns),
        *(_missed(case, one) for one in missed if _silent(one)),
        *(_never(case, slo, some) for slo, some in deaf.items()),
        *(_late_leg(case, one) for one in asked if one.never),
    )


def _silent(passage: Passage) -> bool:
    """Whether it never fired; where it did before the burn, that is what `quiet` finds."""
    return passage.fired is None and passage.early is None and not passage.error


def _missed(case: Case, passage: Passage) -> Finding:
    pending = "" if passage.pending is None else f", pending after {span(passage.pending)}"
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} does not notice a burn",
        expected=f"firing at {passage.name}"
        if passage.slo
        else "firing while its data are above the threshold",
        seen=f"no alert within {span(passage.recovery or passage.end)} of the onset{pending}",
        details=passage.why,
        next_step="see which leg did not hold, and when; what makes it hold must last longer than `for`",
    )


def _never(case: Case, slo: str, passages: Sequence[Passage]) -> Finding:
    ratios = [percent(one.error_ratio) for one in passages if one.error_ratio is not None]
    worst = passages[0]
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} reads the series of {slo}, but no burn of it makes it fire",
        expected=f"firing when {_listed(ratios)} of the requests fail",
        seen=f"no alert within {span(worst.end)}, not even when {ratios[0]} fail",
        details=worst.why,
        next_step="mend the leg that never holds: a lower threshold, or selectors that fit those of the SLO",
    )


def _late_leg(case: Case, passage: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} has a leg that no burn of {passage.slo} makes hold in time",
        expected=f"each leg about the error ratio to hold before half of the budget is spent when {passage.name}",
        seen=f"it fires, but without {'these legs' if len(passage.never) > 1 else 'this leg'}",
        details=passage.never,
        next_step="mend the leg: its threshold, or labels and recording rules that it reads; else remove it",
    )


def _listed(texts: Sequence[str]) -> str:
    return " or ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
