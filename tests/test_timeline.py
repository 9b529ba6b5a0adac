"""Samples on virtual time: what behaviours become before, during and after a burn."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_synthesis import rule

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import is_stale
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.contrast import Behaviour
from pytest_sre.synthesis.shape import Shape, shape_of
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Sawtooth, Signal
from pytest_sre.timemachine import timeline
from pytest_sre.timemachine.timeline import Course

LABELS = (("__name__", "x"),)
HISTORY, BURN, RECOVERY = 600.0, 900.0, 600.0
NOW, EPOCH = 1_790_000_000.0, 60_480_000.0


def course(lead: float = 300.0, now: float = 0.0) -> Course:
    phases: tuple[tuple[float, timeline.Phase], ...] = (
        (-HISTORY, "healthy"),
        (0.0, "burning"),
        (BURN, "healthy"),
    )
    return Course(phases, lead, now, EPOCH)


def played(
    healthy: Signal | None, burning: Signal | None, step: float = 30.0, of: Course | None = None
) -> dict[float, float]:
    times = [i * step for i in range(int(-HISTORY / step), int((BURN + RECOVERY) / step) + 1)]
    made = timeline.series(Behaviour(LABELS, healthy, None, burning), of or course(), times)
    return dict(made.samples)


rates = st.floats(0, 1000, allow_nan=False)


@given(healthy=rates, burning=rates, surge=st.floats(0, 100), since=st.floats(0, 600))
def test_a_counter_goes_on_where_it_stands_and_counts_as_fast_as_it_should(
    healthy: float, burning: float, surge: float, since: float
) -> None:
    samples = played(Counter(healthy), Counter(burning, 0.0, surge, since))
    values = list(samples.values())
    slack = 1e-9 * max(values)
    assert all(after >= before - slack for before, after in pairwise(values))
    assert samples[0.0] - samples[-300.0] == pytest.approx(300 * healthy, abs=1e-6 * (1 + max(values)))
    assert samples[1500.0] - samples[1200.0] == pytest.approx(300 * healthy, abs=1e-6 * (1 + max(values)))
    if not surge:
        assert samples[900.0] - samples[0.0] == pytest.approx(900 * burning, abs=1e-6 * (1 + max(values)))


@given(step=st.sampled_from([15.0, 30.0, 60.0]))
def test_samples_are_the_same_however_many_there_are(step: float) -> None:
    """Closer samples are added to those that are there: both must be of one course."""
    sparse, dense = (played(Counter(1.0), Counter(5.0), one) for one in (step * 2, step))
    assert {time: dense[time] for time in sparse} == pytest.approx(sparse)


def test_a_burn_is_played_from_its_beginning() -> None:
    """At ``lead`` seconds after the onset the windows hold what the search made for its time 0."""
    samples = played(Gauge(1.0), Gauge(100.0, -0.1))
    assert samples[300.0] == 100.0
    assert samples[0.0] == pytest.approx(130.0)
    assert samples[-30.0] == samples[900.0] == 1.0


def test_what_is_absent_ends_with_one_stale_marker() -> None:
    samples = played(Gauge(1.0), None)
    assert [time for time, value in samples.items() if is_stale(value)] == [0.0]
    assert samples[-30.0] == 1.0
    assert not any(0.0 < time < BURN for time in samples)
    assert samples[BURN] == 1.0


def test_what_is_lost_just_has_no_more_samples() -> None:
    samples = played(Gauge(5.0), Lost(5.0, 120.0))
    assert [time for time in samples if 0.0 <= time < BURN] == [30.0 * i for i in range(7)]  # to 300 - 120
    assert not any(map(is_stale, samples.values()))


def test_a_process_that_restarts_starts_from_nothing() -> None:
    samples = played(Counter(1.0), Sawtooth(1.0, 100.0))
    assert max(value for time, value in samples.items() if 0.0 <= time < BURN) < 100.0
    assert samples[BURN] < samples[BURN + 30.0]


def test_times_follow_the_clock_that_the_alert_sees() -> None:
    """A backup that is an hour old while all is well stops: it gets older from the onset on."""
    healthy, burning = Gauge(NOW - 3600.0, 1.0), Gauge(NOW - 90_000.0)
    samples = played(healthy, burning, of=course(now=NOW))
    assert samples[-300.0] == EPOCH - 300.0 - 3600.0
    assert samples[300.0] == samples[600.0] == EPOCH - 3600.0
    behaviour = Behaviour(LABELS, healthy, None, burning)
    assert timeline.lasting([behaviour], NOW) == 90_000.0
    assert timeline.lasting([behaviour], 0.0) == 0.0


def test_a_time_in_the_future_stays_as_far_ahead() -> None:
    """A certificate that ends in two days does so during the whole burn."""
    samples = played(Gauge(NOW + 1e7), Gauge(NOW + 172_800.0), of=course(now=NOW))
    assert samples[30.0] == EPOCH + 30.0 + 172_800.0
    assert samples[870.0] == EPOCH + 870.0 + 172_800.0


def test_bytes_are_no_times() -> None:
    samples = played(Gauge(1e9), Gauge(1.5e9))
    assert samples[-30.0] == 1e9
    assert samples[30.0] == 1.5e9


def shape(expr: str) -> Shape:
    alert: Rule = rule("Alert", expr)
    return shape_of(alert, RuleIndex([alert]))


@pytest.mark.parametrize(
    ("expr", "span", "seconds"),
    [
        ("rate(x[5m]) > 1", 1e4, 60.0),
        ("rate(x[3d]) > 1", 1e6, 300.0),
        ("x > 1", 1e4, 60.0),
        ("changes(x[1h]) > 1", 1e4, 30.0),
        ("rate(x[1m]) > 1", 1e4, 12.0),
        ("x > 1 and rate(x[3d]) > 1", 1e6, 60.0),
        ("x > 1", 1e7, 200.0),
    ],
)
def test_samples_are_as_dense_as_the_smallest_window_needs(expr: str, span: float, seconds: float) -> None:
    assert timeline.spacing(shape(expr), 300.0, span) == seconds


@given(start=st.integers(-50, 50), length=st.integers(1, 40))
def test_closer_samples_lie_where_windows_begin_and_end(start: int, length: int) -> None:
    looks = [Stretch(start * 60.0, (start + length) * 60.0, 60.0)]
    times = timeline.closer_times(shape("rate(x[1h]) > 1"), looks, 300.0, 60.0)
    have = {*times, *(i * 300.0 for i in range(-100, 100))}
    for tick in looks[0].ticks:
        assert tick in have
        assert tick - 3600.0 in have
    assert list(times) == sorted(times)
    assert not any(math.isclose(time % 300.0, 0.0) for time in times)
