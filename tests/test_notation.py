"""Series by hand, as promtool's unit tests write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.sources import notation


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", {"__name__": "up"}),
        ('up{job="api"}', {"__name__": "up", "job": "api"}),
        (' a:b { x = "1", y="2", } ', {"__name__": "a:b", "x": "1", "y": "2"}),
        (r'm{p="C:\\d", q="say \"hi\"\n"}', {"__name__": "m", "p": r"C:\d", "q": 'say "hi"\n'}),
        (r'm{p="\\n"}', {"__name__": "m", "p": r"\n"}),
        ('{__name__="up", job="}"}', {"__name__": "up", "job": "}"}),
        ("up{}", {"__name__": "up"}),
    ],
)
def test_series(text: str, labels: dict[str, str]) -> None:
    assert dict(notation.parse_series(text)) == labels
    assert list(notation.parse_series(text)) == sorted(labels.items())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a series"),
        ("{}", "is not a series"),
        ("up{job}", "expected label="),
        ("up{job='api'}", "expected label="),
        ('up{job=~"api"}', "expected label="),
        ('{job="api"}', "no metric name"),
        ("1up", "is not a series"),
    ],
)
def test_what_is_no_series(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        notation.parse_series(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", (5.0,)),
        ("1 2.5 -3 1e3", (1.0, 2.5, -3.0, 1000.0)),
        ("0+10x3", (0.0, 10.0, 20.0, 30.0)),
        ("10-2.5x2", (10.0, 7.5, 5.0)),
        ("-1+1x1", (-1.0, 0.0)),
        ("1x3", (1.0, 1.0, 1.0, 1.0)),
        ("5 _ 7", (5.0, None, 7.0)),
        ("_x3 1", (None, None, None, 1.0)),
        ("Inf -inf", (float("inf"), float("-inf"))),
    ],
)
def test_values(text: str, values: tuple[float | None, ...]) -> None:
    assert notation.parse_values(text) == values


@pytest.mark.parametrize("text", ["", "_", "five", "1x", "1+x5", "1,2", "0+10x9999999"])
def test_what_are_no_values(text: str) -> None:
    with pytest.raises(ValueError, match=r"promtool's notation|no values|more than a million"):
        notation.parse_values(text)


def test_the_last_value_is_now_and_a_gauge_keeps_it() -> None:
    laid = notation.samples((1.0, 3.0, 2.0), 60, ahead=30)
    assert laid == ((-120, 1.0), (-60, 3.0), (0, 2.0), (15.0, 2.0), (30.0, 2.0))


def test_a_rise_goes_on_as_steep_as_it_was() -> None:
    assert notation.samples((0.0, 60.0), 60, ahead=30)[2:] == ((15.0, 75.0), (30.0, 90.0))
    assert notation.samples((0.0, None, 120.0), 60, ahead=30)[2:] == ((15.0, 135.0), (30.0, 150.0))


def test_a_series_that_ended_stays_ended() -> None:
    assert notation.samples((1.0, None), 60) == ((-60, 1.0),)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.sampled_from([1.0, 15.0, 60.0, 300.0]))
def test_samples_are_in_order_and_keep_their_values(values: list[float], interval: float) -> None:
    laid = notation.samples(tuple(values), interval)
    assert [value for when, value in laid if when <= 0] == values
    times = [when for when, _ in laid]
    assert times == sorted(set(times))
    assert 525 <= times[-1] <= 540
