"""Does the alert stay quiet while the service is healthy, and just below its threshold?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Verdict, calls_itself_a_page, index_of
from pytest_sre.model.finding import Finding
from pytest_sre.model.slo import Slo
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.ast import Aggregate, walk
from pytest_sre.promql.claimed import claimed
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import selectors
from pytest_sre.report.figures import percent, span
from pytest_sre.sources.fields import share
from pytest_sre.sources.slos import SloSpec
from pytest_sre.synthesis.never import always
from pytest_sre.synthesis.slo import HEALTHY as SPENT

NAME = "quiet"
NEEDS = "time"


def judge(case: Case) -> Verdict:
    """Pass when it fires neither on healthy history of its full reach, nor just below its threshold, nor on real pages."""
    unasked = timed.unasked(case, NAME)
    if case.broken_file or case.timed is None:
        return unasked or ()
    real = tuple(_real(case, one) for one in case.timed.snapshots if one.early is not None and not one.error)
    standing = tuple(_standing(case))
    if unasked is not None:
        return (*standing, *real) or unasked
    passages = case.timed.passages
    return (
        *standing,
        *timed.failed(case, NAME, timed.about_itself(case)),
        *_early(case, passages),
        *(_standing_leg(case, one) for one in passages if one.always),
        *_cheap(case, passages),
        *real,
    )


def _standing(case: Case) -> Iterator[Finding]:
    """A comparison that holds whatever the data; those that ask whether there are series at all may be meant."""
    try:
        found = always(parse(case.rule.expr), index_of(case.inventory), case.inventory.snapshots)
    except PromqlError:
        return
    if found is not None and not found.existence:
        yield Finding(
            NAME,
            case.rule.expression,
            f"{case.rule.name} fires on all data",
            expected="no alert on healthy data",
            seen=found.reason,
            details=(f"in        {found.part}",),
            next_step=found.next_step,
        )


def _real(case: Case, one: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} fires on the snapshot of a healthy service",
        expected=f"no alert on what {one.name} shows",
        seen=_seen(one),
        details=one.why,
        next_step="compare the values with the threshold: its unit, its direction, what is divided by what; "
        "if the page was taken in trouble, say `healthy: false` for it in `metrics` of sre.yaml",
    )


def _early(case: Case, passages: Sequence[Passage]) -> Iterator[Finding]:
    """One finding for each thing that it should be quiet on: an SLO's passages all begin alike."""
    told = set()
    for one in sorted(passages, key=lambda one: one.kind):
        if one.early is not None and not one.error and one.slo not in told:
            told.add(one.slo)
            yield _near(case, one) if one.kind == "near" else _healthy(case, one)


def _near(case: Case, one: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} fires just below its threshold",
        expected=f"no alert at {one.name}",
        seen=_seen(one),
        details=one.why,
        next_step="ask Prometheus for the expression: what it compares is not what its threshold says",
    )


def _healthy(case: Case, one: Passage) -> Finding:
    slo = next((slo for slo in case.settings.slos if slo.name == one.slo), None)
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} fires while {f'{one.slo} is met' if one.slo else 'the service is healthy'}",
        expected=f"no alert while {percent(SPENT)} of the error budget is used up, {_allowed(slo)}"
        if slo
        else "no alert on healthy data",
        seen=_seen(one),
        details=one.why,
        next_step="raise the threshold, or mend what the expression selects: as it is, on-call learns to ignore it",
    )


def _standing_leg(case: Case, one: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} has a leg that holds while {one.slo} is met",
        expected="each leg about the error ratio to hold in trouble only",
        seen=f"{len(one.always)} held while {percent(SPENT)} of the error budget was used up: what is beside it decides alone",
        details=one.always,
        next_step="mend the leg: its threshold, its comparison, or the ratio that it reads",
    )


def _cheap(case: Case, passages: Sequence[Passage]) -> Iterator[Finding]:
    """Pages that cost next to nothing of the error budget: what the Workbook calls low precision."""
    worth = share(case.settings.page_worth)
    slos = {slo.name: slo.as_model("") for slo in case.settings.slos}
    spent = [
        (slos[one.slo].spent(one.error_ratio, one.fired), one)
        for one in passages
        if one.slo in slos
        and one.error_ratio is not None
        and one.fired is not None
        and _whole(case, slos[one.slo])
    ]
    if spent and calls_itself_a_page(case.rule, case.settings.severities):
        least, passage = min(spent, key=lambda pair: pair[0])
        if least < worth:
            yield _too_soon(case, passage, least)


def _whole(case: Case, slo: Slo) -> bool:
    """Whether an alert compares the error ratio of the SLO itself, not that of one path or pod, nor a quantile."""
    if claimed(case.rule.expr) is None:
        return False
    texts = index_of(case.inventory).texts(case.rule)
    known = {m.label for m in (*slo.part.matchers, *slo.total.matchers)}
    read = {slo.part.name, slo.total.name}
    matched = {m.label for text in texts for one in selectors(text) if one.name in read for m in one.matchers}
    nodes = [node for text in texts for node in walk(parse(text))]
    grouped = {
        label for node in nodes if isinstance(node, Aggregate) for label in node.labels if not node.without
    }
    return matched | grouped <= known | {"le"}


def _too_soon(case: Case, one: Passage, spent: float) -> Finding:
    assert one.fired is not None
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} pages for {percent(spent)} of the error budget of {one.slo}",
        expected=f"a page when at least {case.settings.page_worth} of it is spent (`page_worth`)",
        seen=f"at {one.name} it fires after {span(one.fired)}; {math.floor(1 / spent)} such bursts fit into the budget",
        next_step="look at a longer window too (both must hold: `and`), raise the threshold, or make it a ticket",
    )


def _allowed(slo: SloSpec) -> str:
    share = SPENT * (1 - slo.objective / 100)
    return f"that is, {percent(share)} of the requests fail"


def _seen(one: Passage) -> str:
    looked = (0.0 if one.kind == "burn" else one.end) - one.start
    assert one.early is not None
    after = one.early - one.start
    return f"firing {f'after {span(after)}' if after else 'from the start'}; {span(looked)} were looked at"
