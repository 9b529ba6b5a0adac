"""Why an alert did what it did: the legs of its expression over the time of a question."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.model.timeline import Activity, Passage, Row, Stretch
from pytest_sre.promql.condition import Leg, leaves
from pytest_sre.promql.legs import conditions
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.report.course import Measured
from pytest_sre.report.explain import Goal, Question, explain
from pytest_sre.report.plot import POINTS, plot
from pytest_sre.report.stays import Event
from pytest_sre.timemachine import question as asked
from pytest_sre.timemachine.assumed import assumed
from pytest_sre.timemachine.engine import Engine
from pytest_sre.timemachine.idle import Idle, idle
from pytest_sre.timemachine.question import LOOKS


def told(
    engine: Engine,
    question: asked.Question,
    onset: float,
    look: Stretch,
    activity: Activity,
    passage: Passage,
    rules: RuleIndex,
    plots: bool,
) -> Passage:
    """The passage with what explains it, where something is not as it should be, and with plots, where wanted.

    Of an SLO's worst burn also with the legs that are of no use.
    """
    goal = _missed(passage, question.worst)
    if question.turns or (not goal and not plots and not question.worst):
        return passage
    try:
        tree = conditions(parse(question.rule.expr))
    except PromqlError:
        return passage
    ticks = _some(look)
    measured = [_measured(engine, leg, ticks) for leg in leaves(tree)]
    # An SLO has many, which are much alike.
    points = POINTS // 4 if passage.slo else POINTS
    still = assumed(leaves(tree), question.behaviours, rules) if question.kind == "burn" else frozenset()
    useless = Idle()
    if question.worst and not goal and not passage.error:
        useless = idle(measured, question, onset, _rounded(ticks), rules)
    return replace(
        passage,
        always=useless.always,
        never=useless.never,
        why=explain(tree, measured, _asked(goal, question, onset, ticks, activity, still)) if goal else (),
        plot=tuple(plot(measured, onset, points)) if plots else (),
    )


def _asked(
    goal: Goal,
    question: asked.Question,
    onset: float,
    ticks: Stretch,
    activity: Activity,
    still: frozenset[Leg],
) -> Question:
    """What is to be explained. A burn that comes later is no reason for firing while all was well."""
    event = Event(onset + question.burn, "recovery") if goal == "resolves" else Event(onset)
    whole = tuple(_at(row, ticks) for row in activity.rows)
    every = _rounded(ticks)
    if goal == "quiet" and question.kind == "burn":
        every = tuple(tick for tick in every if tick < onset or tick == every[0])
    return Question(goal, every, event, hold=question.rule.hold, whole=whole, assumed=still)


def _missed(passage: Passage, worst: bool) -> Goal | None:
    """What was expected and did not come. Of an SLO's error ratios, only the worst one is for every alert."""
    if passage.error or (passage.slo and passage.factor is None and not worst):
        return None
    if passage.early is not None:
        return "quiet"
    if passage.kind != "burn":
        return None
    if passage.fired is None:
        return "fires"
    return "resolves" if passage.ended is None and passage.recovery is not None else None


def _some(look: Stretch) -> Stretch:
    """At most some hundred of a look's ticks: recorded series exist at these."""
    every = max(1, round(len(look.ticks) / LOOKS))
    return Stretch(look.start, look.end, look.step * every)


def _measured(engine: Engine, leg: Leg, ticks: Stretch) -> Measured:
    others = engine.range(leg.other, ticks).rows if leg.other else ()
    return Measured(leg, engine.range(leg.text, ticks).rows, others)


def _rounded(ticks: Stretch) -> tuple[float, ...]:
    return tuple(round(tick, 3) for tick in ticks.ticks)


def _at(row: Row, ticks: Stretch) -> Row:
    wanted = set(_rounded(ticks))
    kept = [(time, value) for time, value in zip(row.times, row.values, strict=True) if time in wanted]
    return Row(row.labels, tuple(time for time, _ in kept), tuple(value for _, value in kept))
