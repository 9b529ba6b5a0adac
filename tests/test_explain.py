from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.model.timeline import Row
from pytest_sre.promql.condition import Leg, leaves
from pytest_sre.promql.legs import conditions
from pytest_sre.promql.parse import parse
from pytest_sre.report.amounts import amounts
from pytest_sre.report.course import Measured
from pytest_sre.report.explain import Goal, Question, explain, structure
from pytest_sre.report.plot import POINTS, downsample, plot
from pytest_sre.report.stays import Event

ONSET = 1_600_000_000.0
TICKS = tuple(ONSET + 60 * minute for minute in range(-60, 241))
WINDOWS = "e:ratio_rate1h > (14.4 * 0.001) and e:ratio_rate5m > (14.4 * 0.001)"
Values = Callable[[int], float | None]


def row(values: Values, **labels: str) -> Row:
    """A series by its value at each minute from the onset; None where it has no sample."""
    samples = [(tick, values(round((tick - ONSET) / 60))) for tick in TICKS]
    kept = [(tick, value) for tick, value in samples if value is not None]
    return Row(tuple(sorted(labels.items())), tuple(t for t, _ in kept), tuple(v for _, v in kept))


def told(
    expr: str,
    *rows: tuple[Row, ...],
    goal: Goal = "fires",
    event: Event | None = None,
    hold: float = 0.0,
    whole: tuple[Row, ...] | None = None,
    others: tuple[Row, ...] = (),
) -> list[str]:
    """The lines for an expression whose legs' queries gave ``rows``, from left to right."""
    tree = conditions(parse(expr))
    measured = [Measured(leg, found, others) for leg, found in zip(leaves(tree), rows, strict=True)]
    return list(explain(tree, measured, Question(goal, TICKS, event or Event(ONSET), hold, whole)))


def one_hour(minute: int) -> float:
    """Up to 9.3x in the 52nd minute, and down again."""
    return 0.0093 * max(0.0, min(minute / 52, 2 - minute / 52))


def twice(minute: int) -> float:
    return 2 * one_hour(minute)


def five_minutes(minute: int) -> float:
    return 0.02 if 4 <= minute <= 64 else 0.0


def always(value: float) -> Values:
    return lambda minute: value


def test_a_leg_that_never_held() -> None:
    assert told(WINDOWS, (row(one_hour),), (row(five_minutes),)) == [
        "1h leg  peaked at 9.3x of 14.4x, 52m after onset; needs > 14.4x",
        "5m leg  held from 4m to 64m after onset (peak 20x)",
        "both legs never held together",
    ]


def test_firing_that_should_not_be() -> None:
    assert told(WINDOWS, (row(twice),), (row(five_minutes),), goal="quiet") == [
        "1h leg  held from 41m to 63m after onset, peak 18.6x of 14.4x (29% above)",
        "5m leg  held from 4m to 64m after onset, peak 20x of 14.4x (39% above)",
        "the expression held from 41m to 63m after onset",
    ]


def test_an_end_that_comes_late() -> None:
    recovery = Event(ONSET + 45 * 60, "recovery")
    assert told(WINDOWS, (row(always(0.02)),), (row(five_minutes),), goal="resolves", event=recovery) == [
        "1h leg  held to the end, 3.2h after recovery, still at 20x (needs > 14.4x)",
        "5m leg  held until 19m after recovery",
        "the expression held until 19m after recovery",
    ]


def test_no_result() -> None:
    assert told(WINDOWS, (), (row(five_minutes),))[0] == "1h leg  gave no result; needs > 14.4x"
    assert told("absent(up)", ()) == ["absent(up)  gave no result"]


def test_labels_that_do_not_match() -> None:
    lines = told(WINDOWS, (row(twice, job="a"),), (row(five_minutes, job="b"),), whole=())
    assert lines[2:] == [
        "all of it held from 41m to 63m after onset, but never with labels that match:",
        '  1h leg has {job="a"}',
        '  5m leg has {job="b"}',
    ]


def test_the_series_that_came_nearest() -> None:
    rows = (row(always(1), i="a"), row(always(4), i="b", __name__="x"), row(always(2), i="c"))
    assert told("x > 5", rows) == ['x  peaked at 4 of 5, 1h before onset in {i="b"}; needs > 5']


def test_for_is_longer_than_the_condition_held() -> None:
    assert told("x > 5", (row(lambda minute: 9.0 if 3 <= minute <= 6 else 0.0),), hold=600) == [
        "x  held from 3m to 6m after onset (peak 9)",
        "the expression held from 3m to 6m after onset, 3m at a stretch; for: 10m",
    ]


def test_branches() -> None:
    expr = f"({WINDOWS}) or (e:ratio_rate6h > (6 * 0.001) and e:ratio_rate30m > (6 * 0.001))"
    calm = (row(always(0.001)),)
    assert told(expr, (row(one_hour),), (row(five_minutes),), calm, calm) == [
        "either",
        "  1h leg  peaked at 9.3x of 14.4x, 52m after onset; needs > 14.4x",
        "  5m leg  held from 4m to 64m after onset (peak 20x)",
        "  both legs never held together",
        "or",
        "  6h leg   was always 1x; needs > 6x",
        "  30m leg  was always 1x; needs > 6x",
        "  both legs never held together",
        "never held together: (1h leg and 5m leg) or (6h leg and 30m leg)",
    ]


def test_what_must_not_hold() -> None:
    maintenance = (row(lambda minute: 1.0 if minute >= -10 else None),)
    held = (row(lambda minute: 0.0 if minute < -10 else None),)
    assert told("up == 0 unless on (job) quiet", (row(always(0)),), maintenance, whole=held) == [
        "up     held all the time",
        "quiet  held from 10m before onset to the end; must not hold",
        "the expression held until 11m before onset",
    ]
    assert structure(conditions(parse("a unless (b or c)"))) == "a and not (b or c)"


@pytest.mark.parametrize(
    ("expr", "values", "line"),
    [
        ("x < 3", lambda minute: 9.0 - minute / 60, "x  fell to 5, 4h after onset; needs < 3"),
        ("x == 0", always(1), "x  was always 1; needs == 0"),
        ("x == 2", lambda minute: minute + 0.5, "x  came nearest with 1.5, 1m after onset; needs == 2"),
        ("x != 1", always(1), "x  was always 1; needs != 1"),
        ("x > 5", lambda minute: 9.0 if minute == 7 else 0.0, "x  held once, 7m after onset (peak 9)"),
        ("x > 5", lambda minute: float("nan"), "x  was always NaN; needs > 5"),
    ],
)
def test_single_legs(expr: str, values: Values, line: str) -> None:
    assert told(expr, (row(values),))[0] == line


def test_held_again_and_again() -> None:
    assert told("x > 5", (row(lambda minute: float(minute % 10)),), goal="quiet") == [
        "x  held 30 times between 54m before onset and 4h after onset, 1.5h in all, peak 9 of 5 (80% above)"
    ]


def test_series_are_compared_with_those_that_match() -> None:
    limits = (row(always(2), job="a", __name__="b"), row(always(50), job="b", __name__="b"))
    values = (row(lambda minute: minute / 60, job="a", i="1"), row(always(40), job="b", i="2"))
    assert told("a > on (job) group_left () b", values, others=limits) == [
        'a  held from 2h after onset to the end (peak 4) in {i="1", job="a"}'
    ]
    assert told("a > on (job) b", (values[1],), others=limits) == [
        "a  was always 40; needs > 50, from b",
    ]
    assert told("a < time()", (row(always(1), job="a"),), others=(row(always(2)),)) == [
        "a  held all the time (lowest 1)"
    ]


def leg(unit: str = "", budget: float | None = None) -> Leg:
    return Leg("x", "x", ">", 1.0, unit=unit, budget=budget)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "values", "texts"),
    [
        (leg(budget=0.001), (0.0144, 0.0093, 1.0), ("14.4x", "9.3x", "1000x")),
        (leg(budget=0.001), (0.0144, 0.0143999), ("14.4x", "14.3999x")),
        (leg("ratio"), (0.05, 0.049), ("5%", "4.9%")),
        (leg("ratio"), (0.9995, 0.9994), ("99.95%", "99.94%")),
        (leg("percent"), (80.0, 12.345), ("80%", "12.3%")),
        (leg("bytes"), (2.0 * 1024**3, 1.5 * 1024**3), ("2 GiB", "1.5 GiB")),
        (leg("bytes/s"), (1e9, 5e8), ("1 GB/s", "0.5 GB/s")),
        (leg("seconds"), (0.5, 0.1234), ("500ms", "123ms")),
        (leg("seconds"), (3600.0, 130.0), ("1h", "2m 10s")),
        (leg("seconds"), (86400.0, 86399.0), ("86400s", "86399s")),
        (leg(), (10000.0, 9999.5), ("10000", "9999.5")),
        (leg(), (0.0, math.inf, math.nan), ("0", "+Inf", "NaN")),
    ],
)
def test_amounts(one: Leg, values: tuple[float, ...], texts: tuple[str, ...]) -> None:
    assert amounts(one, *values) == texts


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(st.floats(-1e9, 1e9), st.lists(FLOATS, max_size=3), st.sampled_from(["", "ratio", "seconds", "bytes"]))
def test_amounts_take_any_number(threshold: float, values: list[float], unit: str) -> None:
    assert all(amounts(leg(unit), threshold, *values))


@given(st.lists(FLOATS, min_size=1, max_size=1500), st.integers(4, POINTS))
def test_few_points_keep_every_extreme(values: list[float], points: int) -> None:
    times = [60.0 * index for index in range(len(values))]
    kept_times, kept = downsample(times, values, points)
    assert len(kept) <= points
    assert kept_times == sorted(set(kept_times))
    assert (kept_times[0], kept_times[-1]) == (times[0], times[-1])
    assert all(
        repr(values[times.index(time)]) == repr(value) for time, value in zip(kept_times, kept, strict=True)
    )
    numbers, shown = ([one for one in many if not math.isnan(one)] for many in (values, kept))
    assert (min(numbers, default=0), max(numbers, default=0)) == (
        min(shown, default=0),
        max(shown, default=0),
    )


def test_plots_are_json() -> None:
    tree = conditions(parse(WINDOWS))
    lines = plot([Measured(leaves(tree)[0], (row(one_hour, job="a"), row(always(math.inf), job="b")))], ONSET)
    assert json.loads(json.dumps(lines, allow_nan=False)) == lines
    first, second = lines
    assert (first["leg"], first["op"], first["threshold"], first["budget"]) == (
        "1h leg",
        ">",
        14.4 * 0.001,
        0.001,
    )
    assert first["expr"] == "e:ratio_rate1h"
    assert first["labels"] == {"job": "a"}
    assert (first["times"][0], first["times"][-1]) == (-3600.0, 14400.0)
    assert max(first["values"]) == 0.0093
    assert set(second["values"]) == {None}


def test_plots_have_the_other_side() -> None:
    (one,) = leaves(conditions(parse("a > b")))
    lines = plot([Measured(one, (row(always(1)),), (row(always(2)),))], ONSET)
    assert [(line["role"], line["expr"]) for line in lines] == [("value", "a"), ("threshold", "b")]
