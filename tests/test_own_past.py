"""Alerts on a series that leaves its own past."""

from __future__ import annotations

import pytest
from test_contrast import contrasted
from test_synthesis import rule

from pytest_sre.model.rules import Rule
from pytest_sre.synthesis.mixture import mix
from pytest_sre.synthesis.signals import Gauge, Step

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
