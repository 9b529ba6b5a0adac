"""Legs of no use: in an alert about an SLO, those that hold while it is met, and those that hold too late or never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_sre.model.timeline import Row
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.condition import Leg
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.report.course import Measured, course
from pytest_sre.report.legtext import fires_text, quiet_text
from pytest_sre.report.stays import Event
from pytest_sre.synthesis.aligned import selects
from pytest_sre.timemachine.question import Question

IN_TIME = 0.5
"""A leg that holds only once more than this share of the error budget is spent comes too late: the Workbook's hold by 10 %."""
_STILL = 0.05
"""A value that changes by less than this (relative) in a burn of all requests is about something else."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A line for each leg that held while the SLO was met, and for each that did not hold before half of the budget was gone."""

    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def idle(
    measured: Sequence[Measured], question: Question, onset: float, ticks: Sequence[float], rules: RuleIndex
) -> Idle:
    """What the legs about an SLO's error ratio did around its worst burn; ``ticks`` in seconds since the epoch.

    Not meant are alerts of one leg (such as one on the budget that is left), and guards: a leg on other series, or on traffic, which a burn leaves as it is; nor the upper end of a
    band, a leg ``< b`` beside one ``> a`` on the same value.
    """
    event = Event(onset)
    burnt = [dict(one.labels) for one in question.behaviours if one.healthy != one.burning]
    before = [tick for tick in ticks if tick < onset]
    always, never = [], []
    for one in measured:
        if (
            len(measured) < 2
            or not _is_ratio(one.leg)
            or one.leg.negated
            or not _about(one.leg, burnt, rules)
        ):
            continue
        well, whole = course(one, before), course(one, ticks)
        if any(well.held) and not _upper(one.leg, measured) and _moves(one, onset):
            always.append(f"{one.leg.name}  {quiet_text(well, event)}")
        elif one.leg.op in (">", ">=") and not any(
            held and tick - onset <= IN_TIME * question.gone
            for tick, held in zip(ticks, whole.held, strict=True)
        ):
            never.append(f"{one.leg.name}  {fires_text(whole, event)}")
    return Idle(tuple(always), tuple(never))


def _about(leg: Leg, burnt: Sequence[Mapping[str, str]], rules: RuleIndex) -> bool:
    """Whether a leg reads what burns, through recording rules too."""
    own = selectors(leg.text)
    texts = [leg.text, *(rule.expr for rule in rules.closure_of(leg.text))]
    raw = [one for text in texts for one in selectors(text) if not rules.records(one)]
    read = [labels for labels in burnt if any(selects(one, labels) for one in raw)]
    return any(all(_may_stem(one, labels) for one in own) for labels in read)


def _may_stem(selector: VectorSelector, labels: Mapping[str, str]) -> bool:
    """Whether what a selector takes may be made of a series: it asks for no other value of a label that this has."""
    return all(one.matches(labels) for one in selector.matchers if one.label in labels and one.label != "le")


def _is_ratio(leg: Leg) -> bool:
    """Whether a leg speaks of a share of the requests, or of a burn rate."""
    share = leg.threshold is not None and 0 < leg.threshold < 1
    return bool(leg.budget) or leg.unit == "ratio" or share


def _upper(leg: Leg, measured: Sequence[Measured]) -> bool:
    """Whether it is the upper end of a band."""
    lower = {one.leg.text for one in measured if one.leg.op in (">", ">=")}
    return leg.op in ("<", "<=") and leg.text in lower


def _moves(one: Measured, onset: float) -> bool:
    """Whether the burn changes its value."""
    return any(_changes(row, onset) for row in one.rows)


def _changes(row: Row, onset: float) -> bool:
    before = [value for time, value in zip(row.times, row.values, strict=True) if time < onset]
    after = [value for time, value in zip(row.times, row.values, strict=True) if time >= onset]
    if not before or not after:
        return True
    return abs(after[-1] - before[-1]) > _STILL * max(abs(after[-1]), abs(before[-1]))
