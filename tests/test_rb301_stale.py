"""RB301: the last review, its interval and today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runbook_pages import agree, page_case

from pytest_sre.checks.runbooks import rb301_stale
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.sources.front_matter import due
from pytest_sre.sources.runbook_settings import Runbooks

DAY = date(2026, 3, 31)


def on(day: date, text: str, **runbooks: str) -> list[Hit]:
    """What is said of a page on a day."""
    case = page_case(text, runbooks=Runbooks.model_validate(runbooks))
    return list(rb301_stale.judge(replace(case, today=day)))


def test_the_page_of_the_check_is_true() -> None:
    agree(rb301_stale)


@pytest.mark.parametrize(
    ("interval", "last"),
    [
        ("90d", date(2026, 6, 29)),
        ("2w", date(2026, 4, 14)),
        ("6M", date(2026, 9, 30)),
        ("1 month", date(2026, 4, 30)),
        ("1y", date(2027, 3, 31)),
        ("9999y", date.max),
    ],
)
def test_a_review_holds_for_its_interval_and_not_a_day_longer(interval: str, last: date) -> None:
    text = f"---\ntitle: A\nreviewed: {DAY}\nreview_interval: {interval}\n---\n# A\n"
    assert due(DAY, interval) == last
    assert on(last, text) == []
    if last < date.max:
        (hit,) = on(last + timedelta(days=1), text)
        assert hit.line == 3
        assert str(last) in hit.message


def test_the_interval_is_configured_and_else_a_year() -> None:
    text = f"---\nlast_reviewed: {DAY}T10:00:00Z\n---\n# A\n"
    assert on(date(2027, 3, 31), text) == []
    assert on(date(2027, 4, 1), text)
    assert on(date(2026, 5, 1), text, review_interval="1M")


def test_the_later_of_two_days_counts_and_a_wrong_one_does_not() -> None:
    assert on(DAY, "---\nreviewed: 2020-01-01\nlast_reviewed: 2026-01-01\n---\n# A\n") == []
    assert on(DAY, "---\nreviewed: long ago\n---\n# A\n") == []
    assert on(DAY, "---\nreviewed: 2020-01-01\nreview_interval: often\n---\n# A\n")[0].line == 2


def test_a_line_of_the_page_is_a_review_too() -> None:
    (hit,) = on(DAY, "# A\n\nOwner: Ann\n**Last Reviewed:** 2024-01-01\n")
    assert hit.line == 4
    assert on(DAY, "# A\n\nWe reviewed: 2024-01-01 was bad. Last reviewed: 2024-99-99\n") == []
    assert on(DAY, "# A\n\nLast reviewed: 2024-99-99\n") == []


@settings(deadline=None)
@given(st.dates(), st.integers(1, 9999), st.sampled_from(["d", "w", "M", "y"]))
def test_no_interval_ends_before_it_begins(day: date, count: int, unit: str) -> None:
    assert due(day, f"{count}{unit}") >= day
