"""Alerts that ask for the hour or the weekday."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from servers import Pair
from shop import run
from test_contrast import contrasted
from test_synthesis import NOW, planned, rule

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import NotSynthesised
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis import moments
from pytest_sre.synthesis.shape import Shape, shape_of
from pytest_sre.timemachine.slots import WEEK, Need, slots

DAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
DAY = 86400.0


def shaped(expr: str, *others: Rule) -> tuple[Shape, RuleIndex]:
    alert = rule("Alert", expr)
    index = RuleIndex([*others, alert])
    return shape_of(alert, index), index


@pytest.mark.parametrize(
    ("expr", "first"),
    [
        ("queue > 5 and on () hour() >= 8 and on () hour() < 18", "Thursday 08:01 UTC"),
        ("queue > 5 and on () day_of_week() == 6", "Saturday 00:01 UTC"),
        ("queue > 5 and on () business and on () (day_of_week() > 0 < 6)", "Thursday 07:01 UTC"),
        ("queue > 5 and on () minute() >= 45", "Thursday 00:46 UTC"),
        ("queue * on () (hour() > bool 21) > 5", "Thursday 22:01 UTC"),
    ],
)
def test_the_likeliest_moment_is_the_beginning_of_the_longest_time(expr: str, first: str) -> None:
    business = rule("business", "vector(1) and on () (hour() >= 7 < 17)")
    shape, index = shaped(expr, business)
    assert moments.told(moments.moments(shape, index, NOW)[0]) == first


def test_what_the_clock_says_decides_only_where_no_series_is_asked() -> None:
    assert moments.asks_the_clock(shaped("hour() > 22")[0])
    assert not moments.asks_the_clock(shaped("hour(backup_time) > 22")[0])
    assert not moments.asks_the_clock(shaped("time() - backup_time > 60")[0])
    assert moments.asks_a_date(shaped("queue > 5 and on () month() == 12")[0])
    assert not moments.asks_a_date(shaped("queue > 5 and on () hour() > 22")[0])


def test_how_long_it_stays_so() -> None:
    shape, index = shaped("queue > 5 and on () hour() == 3")
    midnight = NOW // DAY * DAY
    assert moments.stays(shape, index, midnight + 3 * 3600, 600)
    assert not moments.stays(shape, index, midnight + 4 * 3600 - 60, 600)


@pytest.mark.parametrize("ahead", range(7))
def test_the_live_stack_is_asked_only_if_now_is_the_time(ahead: int) -> None:
    made = planned(rule("Alert", f"queue > 5 and on () day_of_week() == {(int(NOW // DAY) + 4 + ahead) % 7}"))
    if not ahead:
        assert [len(batch.scenarios) for batch in made.batches] == [1]
        return
    (unproven,) = made.unproven
    assert isinstance(unproven, NotSynthesised)
    assert unproven.elsewhen == f"{DAYS[int(NOW // DAY + ahead) % 7]} 00:01 UTC"


def test_dates_are_not_supported_and_say_so() -> None:
    (unproven,) = planned(rule("Alert", "queue > 5 and on () day_of_month() == 1")).unproven
    assert "date" in unproven.reason


def test_onsets_lie_in_the_week_as_they_are_asked_for() -> None:
    shape, index = shaped("queue > 5")
    need = Need(shape, (), 1000.0, 1000.0)
    found = slots([need, replace(need, phase=3600.0), replace(need, phase=3600.0), need], index)
    assert [onset is not None and onset % WEEK for onset in found] == [0.0, 3600.0, 3600.0, 0.0]


def test_healthy_and_burning_data_of_the_same_moment() -> None:
    made = contrasted("queue > 30 and on () day_of_week() == 6")
    assert moments.told(made.moment) == "Saturday 00:01 UTC"
    assert made.near == 0.9


def test_verdicts_do_not_depend_on_the_weekday_on_real_servers(pair: Pair, tmp_path: Path) -> None:
    today = (int(time.time() // DAY) + 4) % 7
    rules = "".join(
        f"""
  - alert: On{day}
    expr: queue > 30 and on () day_of_week() == {day}
    for: 30m"""
        for day in {today, (today + 2) % 7, (today + 4) % 7}
    )
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "rules.yml").write_text(f"groups:\n- name: g\n  rules:{rules}\n")
    result = run(folder, pair)
    checks = ("fires", "quiet", "detects", "resolves")
    seen = {
        node: outcome
        for node, outcome in result.outcomes.items()
        if node.rpartition("::")[2] in checks and "On" in node
    }
    assert len(seen) == 12
    assert set(seen.values()) == {"PASSED"}, result.output
