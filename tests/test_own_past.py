"""Alerts on a series that leaves its own past."""

from __future__ import annotations

from itertools import pairwise

import pytest
from test_contrast import contrasted
from test_synthesis import rule

from pytest_sre.model.rules import Rule
from pytest_sre.synthesis import grid
from pytest_sre.synthesis.mixture import mix
from pytest_sre.synthesis.signals import Counter, Gauge, Step
from pytest_sre.synthesis.vectors import variance

MEAN = rule("load:avg", "avg by (job) (load)")


@pytest.mark.parametrize(
    ("expr", "records"),
    [
        ("load > avg_over_time(load[1h]) + 3 * stddev_over_time(load[1h])", []),
        ("abs(load - avg_over_time(load[1h])) / stddev_over_time(load[1h]) > 3", []),
        ("load > avg_over_time(load[1h]) * 1.5 + 3", []),
        ("load > 1.2 * quantile_over_time(0.95, load[1d])", []),
        ("load < 0.5 * avg_over_time(load[1d])", []),
        ("load:avg > avg_over_time(load:avg[1h]) + 3 * stddev_over_time(load:avg[1h])", [MEAN]),
        ("(load:avg - avg_over_time(load:avg[1w])) / stddev_over_time(load:avg[1w]) > 3", [MEAN]),
    ],
)
def test_what_is_unusual_began_a_short_while_ago(expr: str, records: list[Rule]) -> None:
    (series,) = contrasted(expr, *records).behaviours
    assert isinstance(series.burning, Step)
    assert min(series.burning.before, series.burning.after) >= 0
    assert series.burning.since < 3600


def test_between_a_level_and_a_step_lies_a_smaller_step() -> None:
    assert mix(Gauge(100.0), Step(100.0, 300.0, 60.0), 0.25) == Step(100.0, 150.0, 60.0)
    made = contrasted("load > 1.5 * avg_over_time(load[1h] offset 1w)")
    (series,) = made.behaviours
    assert made.near == 0.9
    assert isinstance(series.near, Step)
    assert series.near.after / series.near.before == pytest.approx(1.45, abs=0.01)


SLOW = "histogram_quantile(0.9, sum by (job, le) (rate(seconds_bucket[5m]{})))"
P90 = rule("seconds:p90", SLOW.format(""))


@pytest.mark.parametrize(
    "expr",
    [
        f"{SLOW.format('')} > 2 * {SLOW.format(' offset 1d')}",
        "seconds:p90 > 2 * seconds:p90 offset 1w",
        "seconds:p90 > 2 * avg_over_time(seconds:p90[1d])",
    ],
)
def test_a_histogram_that_became_slower(expr: str) -> None:
    made = contrasted(expr, P90)
    faster = [one.burning for one in made.behaviours if isinstance(one.burning, Counter)]
    assert min(one.surge for one in faster) < 0 < min(one.rate + one.surge for one in faster)
    assert made.near == 0.9


def test_a_steady_rate_differs_from_its_own_past_in_no_digit() -> None:
    """Uneven samples would make it differ, and a ratio of two such differences is anything."""
    rate, mean, spread = (
        rule("job:rate", "sum by (job) (rate(requests_total[5m]))"),
        rule("job:mean", "avg_over_time(job:rate[1w])"),
        rule("job:spread", "stddev_over_time(job:rate[1w])"),
    )
    made = contrasted("abs((job:rate - job:mean) / job:spread) > 3", rate, mean, spread)
    (series,) = made.behaviours
    assert isinstance(series.burning, Counter)
    assert series.burning.surge
    assert variance([50.0, 50.0 + 1e-9, 50.0]) == 0.0 < variance([1.0, 2.0])


def test_samples_are_even_where_they_are_dense() -> None:
    wanted = frozenset({(0.0, 604800.0, 300.0, 960.0), (0.0, 0.0, 0.0, 0.0)})
    near = [time for time in grid.times(wanted, 300.0) if -500 < time <= 0]
    assert {later - earlier for earlier, later in pairwise(near)} == {30.0}


def test_nothing_is_built_on_the_last_digits_of_a_difference() -> None:
    """The average of three times 0.003 is not quite 0.003."""
    made = contrasted("abs(pgs - on (job) group_left avg by (job) (pgs)) * on (osd) group_left meta > 0.3")
    levels = {one.burning.value for one in made.behaviours if isinstance(one.burning, Gauge)}
    assert max(levels) < 1e9
    assert len({one.burning for one in made.behaviours if dict(one.labels)["__name__"] == "pgs"}) > 1
