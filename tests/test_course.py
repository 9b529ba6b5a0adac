"""How series of a snapshot go on in time."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from pytest_sre.model.snapshot import Page, Real
from pytest_sre.sources.snapshot import Source, parse_snapshots
from pytest_sre.synthesis.course import DAY, LIVED, RealSeries, clock, going_on, taken
from pytest_sre.synthesis.kinds import Kind

NOW = 1_790_000_000.0
TAKEN = NOW - 30 * DAY
STARTED = TAKEN - 10 * DAY


def page(text: str, when: float | None = None) -> Page:
    return parse_snapshots([Source("x.prom", text, taken=when)]).pages[0]


def course(
    name: str,
    value: float,
    kind: Kind,
    text: str = f"process_start_time_seconds {STARTED}\n",
    when: float | None = TAKEN,
    history: float = 3600.0,
    timed: bool = True,
    follows: bool = True,
) -> RealSeries:
    return going_on(
        name, Real((), value), kind, clock(page(text, when), NOW), labels=[("job", "a")], history=history, timed=timed, follows=follows
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "when", "expected"),
    [
        ("x 1\n", None, None),
        ("x 1\n", TAKEN, TAKEN),
        (f'x{{job="a",instance="b"}} 1 {TAKEN * 1000:.0f}\n', None, TAKEN),
        (f"node_time_seconds {TAKEN}\nnode_boot_time_seconds 1700000000\n", None, TAKEN),
        (
            f"process_start_time_seconds 1700000000\nlast_gc_time_seconds {TAKEN}\ncert_expiry_time {NOW}\n",
            None,
            TAKEN,
        ),
        ("memory_bytes 1.78e9\nlast_rows_total 1.78e9\n", None, None),
    ],
)
def test_when_a_page_was_scraped(text: str, when: float | None, expected: float | None) -> None:
    assert taken(page(text, when), NOW) == expected


def test_a_gauge_stands() -> None:
    assert [course("x", 7.5, "gauge").at(time, 1e9) for time in (-3600.0, 0.0)] == [7.5, 7.5]


def test_a_counter_goes_on_as_it_did() -> None:
    made = course("x_seconds_total", 864.0, "counter")
    assert made.rate == 864.0 / (10 * DAY)
    assert made.at(0.0, 0.0) - made.at(-1000.0, 0.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "when"), [("x 1\n", TAKEN), (f"process_start_time_seconds {TAKEN - 60}\n", TAKEN), ("x 1\n", None)]
)  # fmt: skip
def test_where_the_page_does_not_tell_a_counter_has_counted_for_a_day(text: str, when: float | None) -> None:
    assert course("x_total", 100.0, "counter", text, when).rate == 100.0 / LIVED


def test_each_target_has_a_start_of_its_own() -> None:
    text = "".join(
        f'process_start_time_seconds{{job="a",instance="{name}"}} {TAKEN - days * DAY}\n'
        for name, days in {"x": 2, "y": 4}.items()
    )
    found = clock(page(text, TAKEN), NOW)
    lived = [
        found.lived("x_total", Real((("instance", name), ("job", "a")), 1.0)) for name in ("x", "y", "z")
    ]
    assert lived == [2 * DAY, 4 * DAY, LIVED]


def test_a_machine_counts_since_it_booted() -> None:
    text = f"process_start_time_seconds {STARTED}\nnode_boot_time_seconds {TAKEN - 40 * DAY}\n"
    assert course("node_forks_total", 40.0, "counter", text).rate == 1 / DAY
    assert course("go_gcs_total", 40.0, "counter", text).rate == 4 / DAY


def test_events_are_whole_and_the_last_one_is_long_ago() -> None:
    made = course("errors_total", 10.0, "counter")  # one a day
    values = [made.at(-hours * 3600.0, 0.0) for hours in range(50)]
    assert all(value == int(value) for value in values)
    assert values[0] == values[23]
    assert values[0] - values[24] == 1.0
    assert values[0] - values[49] == 2.0


def test_a_histogram_stays_cumulative() -> None:
    counts = [0.0, 3.0, 1000.0, 1001.0]
    made = [course("x_bucket", value, "counter", history=30 * DAY) for value in counts]
    for time in range(-30 * 86400, 0, 86400):
        values = [one.at(float(time), 0.0) for one in made]
        assert all(low <= high for low, high in pairwise(values)), time
        assert min(values) >= 0.0


def test_times_follow_the_clock_or_stand_still() -> None:
    moving = course("last_success_timestamp_seconds", TAKEN - 600, "gauge")
    assert [moving.at(time, 5e8) for time in (-60.0, 0.0)] == [5e8 - 660, 5e8 - 600]
    still = course("last_success_timestamp_seconds", TAKEN - 600, "gauge", follows=False)
    assert [still.at(time, 5e8) for time in (-60.0, 0.0)] == [5e8 - 600, 5e8 - 600]
    millis = course("last_time_ms", (TAKEN + 60) * 1e3, "gauge")
    assert millis.at(0.0, 5e8) == (5e8 + 60) * 1e3


@pytest.mark.parametrize(
    "made",
    [
        course("memory_bytes", TAKEN, "gauge"),
        course("depth", TAKEN, "gauge"),
        course("last_success_timestamp_seconds", TAKEN, "gauge", timed=False),
        course("last_success_timestamp_seconds", TAKEN, "gauge", "x 1\n", None),
        course("last_success_timestamp_seconds", 0.0, "gauge"),
        course("x_total", math.nan, "counter"),
        course("x_total", 0.0, "counter"),
    ],
)
def test_what_is_no_time_and_counts_nothing_stands(made: RealSeries) -> None:
    assert made == RealSeries(made.labels, made.value) or math.isnan(made.value)
    assert repr(made.at(-60.0, 5e8)) == repr(made.value)
