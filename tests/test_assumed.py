"""Legs that hold by a level of our own choice are told as assumed."""

from __future__ import annotations

from test_contrast import contrasted
from test_explain import ONSET, TICKS, row
from test_synthesis import rule

from pytest_sre.promql.condition import leaves
from pytest_sre.promql.legs import conditions
from pytest_sre.promql.parse import parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.report.course import Measured
from pytest_sre.report.explain import ASSUMED, Goal, Question, explain
from pytest_sre.report.stays import Event
from pytest_sre.timemachine.assumed import assumed

RATIO = "sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05"


def assumed_of(expr: str) -> list[str]:
    """The legs of an alert that its burn leaves as they are."""
    recorded = rule("job:load:avg5m", "avg_over_time(load[5m])")
    legs = leaves(conditions(parse(expr)))
    found = assumed(legs, contrasted(expr, recorded).behaviours, RuleIndex([recorded]))
    return [leg.text for leg in legs if leg in found]


def test_what_a_burn_does_not_move_is_assumed() -> None:
    assert assumed_of(f"{RATIO} and on () queue > 50") == ["queue"]
    assert assumed_of(f"{RATIO} and on () sum(rate(requests_total[5m])) > 1") == [
        "sum(rate(requests_total[5m]))"
    ]
    assert assumed_of(f"{RATIO} and on () job:load:avg5m > 50") == ["job:load:avg5m"]


def test_what_burns_and_what_is_0_or_1_is_not() -> None:
    assert assumed_of(RATIO) == []
    assert assumed_of(f"{RATIO} and on () up == 1") == []
    assert assumed_of("queue > 5000") == []


def lines(goal: Goal, load: float) -> list[str]:
    tree = conditions(parse("errors > 5 and queue > 50 unless busy > 3"))
    legs = leaves(tree)
    rows = [row(lambda _: 9.0 if goal != "fires" else 1.0), row(lambda _: load), row(lambda _: 1.0)]
    measured = [Measured(leg, (one,)) for leg, one in zip(legs, rows, strict=True)]
    still = frozenset(legs[1:])
    return list(explain(tree, measured, Question(goal, TICKS, Event(ONSET), assumed=still)))


def test_an_assumed_leg_is_told_where_it_lets_the_alert_fire() -> None:
    for goal in ("fires", "quiet", "resolves"):
        errors, queue, busy, *_ = lines(goal, 100.0)  # type: ignore[arg-type]
        assert not errors.endswith(ASSUMED)
        assert queue.endswith(ASSUMED)
        assert busy.endswith(ASSUMED)
    assert not lines("fires", 10.0)[1].endswith(ASSUMED)
