"""Legs of no use, from what range queries gave for them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pytest_sre.model.timeline import Row
from pytest_sre.promql.condition import leaves
from pytest_sre.promql.legs import conditions
from pytest_sre.promql.parse import parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.report.course import Measured
from pytest_sre.timemachine.idle import Idle, idle

ONSET = 1_600_000_000.0
TICKS = tuple(ONSET + 60 * minute for minute in range(-10, 61))
ERRORS = (("__name__", "errors"), ("job", "shop"))
QUESTION = SimpleNamespace(
    behaviours=[
        SimpleNamespace(labels=ERRORS, healthy=0.0001, burning=1.0),
        SimpleNamespace(labels=(("__name__", "hits"), ("job", "shop")), healthy=50.0, burning=50.0),
    ],
    gone=1800.0,
)


def looked(expr: str, *courses: tuple[float, float, float]) -> Idle:
    """Each leg's value before the onset, from the onset on, and from which minute the latter is reached."""
    measured = []
    for leg, (before, after, minute) in zip(leaves(conditions(parse(expr))), courses, strict=True):
        values = tuple(after if tick - ONSET >= 60 * minute else before for tick in TICKS)
        measured.append(Measured(leg, (Row((), TICKS, values),)))
    return idle(measured, QUESTION, ONSET, TICKS, RuleIndex(()))  # type: ignore[arg-type]


def test_legs_that_hold_in_trouble_only_are_fine() -> None:
    expr = "rate(errors[1h]) > (14.4 * 0.001) and rate(errors[5m]) > (14.4 * 0.001)"
    assert looked(expr, (0.0001, 1.0, 2), (0.0001, 1.0, 1)) == Idle()


def test_a_leg_that_holds_while_all_is_well_is_told() -> None:
    found = looked(
        "rate(errors[1h]) > 0.00001 and rate(errors[5m]) > 0.01", (0.0001, 1.0, 0), (0.0001, 1.0, 0)
    )
    (line,) = found.always
    assert line.startswith("1h leg  held all the time")
    assert not found.never


@pytest.mark.parametrize("minute", [61, 45], ids=["never", "after the budget is gone"])
def test_a_leg_that_holds_too_late_is_told(minute: int) -> None:
    found = looked(
        "rate(errors[1h]) > 0.5 or rate(errors[5m]) > 0.01", (0.0001, 1.0, minute), (0.0001, 1.0, 0)
    )
    (line,) = found.never
    assert line.startswith("1h leg")
    assert not found.always


@pytest.mark.parametrize(
    ("expr", "courses"),
    [
        ("rate(errors[5m]) > 0.01 and rate(errors[5m]) < 0.5", ((0.0001, 0.2, 0), (0.0001, 0.2, 0))),
        ("rate(errors[5m]) > 0.01 and rate(hits[5m]) > 0.5", ((0.0001, 1.0, 0), (50.0, 50.0, 0))),
        (
            'rate(errors[5m]) > 0.01 or rate(errors{job="other"}[5m]) > 0.01',
            ((0.0001, 1.0, 0), (0.0, 0.0, 0)),
        ),
        ("rate(errors[5m]) > 0.01 and (1 - rate(errors[5m])) > 0", ((0.0001, 1.0, 0), (0.9999, 0.0, 0))),
    ],
    ids=["upper end of a band", "a guard", "another job", "not a share"],
)
def test_what_may_hold_all_the_time(expr: str, courses: tuple[tuple[float, float, float], ...]) -> None:
    assert looked(expr, *courses) == Idle()


def test_an_alert_of_one_leg_is_about_the_budget_that_is_left() -> None:
    assert looked("rate(errors[30d]) > 0.75", (0.0001, 1.0, 61)) == Idle()
