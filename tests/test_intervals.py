"""Time intervals: read and computed as Alertmanager does, said by real ones; and the calendar, minute by minute."""

from __future__ import annotations

import itertools
import json
import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_sre.errors import FileError
from pytest_sre.model.calendar import described, spans
from pytest_sre.model.interval import DAY, Interval, contains
from pytest_sre.model.routing import Integration
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.sources.intervals import read_hours
from pytest_sre.stack import alertmanager
from pytest_sre.stack.process import ProcessStack

ZONES = (
    "UTC", "Local", "Etc/GMT+12", "Etc/GMT-14", "Etc/GMT+5", "America/New_York", "America/St_Johns",
    "America/Los_Angeles", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham",
)  # fmt: skip
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
ROUTES = 150


def random_interval(rng: random.Random, now: datetime) -> dict[str, Any]:
    """An interval as users write it, about as likely as not to contain an instant."""
    zone = rng.choice(ZONES)
    if zone == "Local" and (time.timezone or time.daylight):
        zone = "UTC"  # Alertmanager's images are in UTC, this machine is not
    local = now.astimezone(ZoneInfo("UTC" if zone == "Local" else zone))
    made: dict[str, Any] = {"location": zone} if rng.random() < 0.8 else {}
    if not made:
        local = now
    minute = local.hour * 60 + local.minute
    if rng.random() < 0.5:
        made["times"] = [random_times(rng, minute) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    if rng.random() < 0.4:
        day = local.isoweekday() % 7
        made["weekdays"] = [
            random_range(rng, day, 0, 6, lambda n: DAYS[n]) for _ in range(rng.choice((1, 2)))
        ]
    if rng.random() < 0.4:
        made["days_of_month"] = [random_days(rng, local.day) for _ in range(rng.choice((1, 2)))]
    if rng.random() < 0.2:
        made["months"] = [
            random_range(rng, local.month, 1, 12, lambda n: rng.choice((MONTHS[n - 1].title(), str(n))))
        ]
    if rng.random() < 0.2:
        made["years"] = [random_range(rng, local.year, 2020, 2035, str)]
    return made


def random_times(rng: random.Random, minute: int) -> dict[str, str]:
    near = (minute, minute + 1, 0, DAY, minute - 1, rng.randrange(DAY), rng.randrange(DAY))
    start, end = sorted(min(max(rng.choice(near), 0), DAY) for _ in range(2))
    start, end = (start - 1, end) if start == end == DAY else (start, max(end, start + 1))
    return {key: f"{n // 60:02}:{n % 60:02}" for key, n in (("start_time", start), ("end_time", end))}


def random_range(rng: random.Random, near: int, low: int, high: int, text: Any) -> str:
    first, last = sorted(
        min(max(rng.choice((near, near - 1, near + 1, rng.randint(low, high))), low), high) for _ in range(2)
    )
    return str(text(first)) if first == last else f"{text(first)}:{text(last)}"


def random_days(rng: random.Random, day: int) -> str:
    """Some that Alertmanager takes: positive, negative, or from the month's start to its end."""
    first, last = sorted(min(max(day + rng.choice((-8, -1, 0, 0, 1, 8)), 1), 31) for _ in range(2))
    kind = rng.randrange(4)
    if kind == 0:
        return f"{first}:{last}" if rng.random() < 0.7 else str(first)
    if kind == 1:
        return f"{first - 32}:{last - 32}"
    if kind == 2:
        return f"{min(first, 20)}:{-rng.randint(1, 7)}"
    return str(rng.choice((31, -31, -1, day - 31, day - 32, "29:31")))


def configuration(rng: random.Random, now: datetime) -> dict[str, Any]:
    names = [f"i{number}" for number in range(ROUTES)]
    routes = []
    for number in range(ROUTES):
        route: dict[str, Any] = {"receiver": f"r{number}", "matchers": [f'n="{number}"']}
        keys = rng.choice((["mute"], ["mute"], ["active"], ["mute", "active"]))
        for key in keys:
            route[f"{key}_time_intervals"] = [names[number], rng.choice(names)][: rng.choice((1, 1, 2))]
        routes.append(route)
    routes[0]["routes"] = [{"matchers": ['child="yes"'], "receiver": "r0"}]
    intervals = [
        {"name": name, "time_intervals": [random_interval(rng, now) for _ in range(rng.choice((1, 1, 2)))]}
        for name in names
    ]
    return {
        "route": {"receiver": "root", "group_wait": "100ms", "group_interval": "1s", "routes": routes},
        "time_intervals": intervals,
    }


def receivers(stack: ProcessStack) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"name": "root"}]
    for number in range(ROUTES):
        proxy = stack.sink.proxy_url(Integration(f"r{number}", "webhook", 0), "times")
        hook = {"url": "http://hook.example/", "http_config": {"proxy_url": proxy}}
        made.append({"name": f"r{number}", "webhook_configs": [hook]})
    return made


def within_a_minute() -> datetime:
    """The time, early enough in its minute that everything happens in the same one."""
    while not 2 <= (now := datetime.now(timezone.utc)).second <= 35:
        time.sleep(1)
    return now


@pytest.mark.parametrize("seed", [1, 2])
def test_real_alertmanagers_mute_the_same_routes(stack: ProcessStack, tmp_path: Path, seed: int) -> None:
    now = within_a_minute()
    document = configuration(random.Random(seed), now)
    hours = read_hours(parse_routing("a.yml", "/", json.dumps({**document, "receivers": receivers(stack)})))
    muted = {number for number in range(ROUTES) if hours.muted(number + 1 + (number > 0), now)}
    assert 30 < len(muted) < 120
    path, _ = alertmanager.write_config({**document, "receivers": receivers(stack)}, tmp_path / "am")
    server = alertmanager.start(stack, AlertmanagerServer(), path, (), "am")
    with stack.session() as client:
        ends = (now + timedelta(hours=1)).isoformat()
        alerts = [{"labels": {"n": str(number)}, "endsAt": ends} for number in range(ROUTES)]
        alertmanager.post(client, server, [*alerts, {"labels": {"n": "0", "child": "yes"}, "endsAt": ends}])
        deadline = time.monotonic() + 30
        while len(notified(stack)) < ROUTES - len(muted - {0}) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(2.5)  # two more flushes of the groups that sent nothing
        shown = alertmanager.alerts(client, server)
        groups = client.get(server.url + "/api/v2/alerts/groups", timeout=30).json()
    assert datetime.now(timezone.utc).minute == now.minute, "too slow to know at which minute it was"
    assert len(shown) == ROUTES + 1
    # The child of route 0 has no intervals: it does not inherit its parent's.
    assert set(range(ROUTES)) - notified(stack) == muted - {0}
    said = {
        int(alert["labels"]["n"])
        for group in groups
        for alert in group["alerts"]
        if alert["status"].get("mutedBy") and "child" not in alert["labels"]
    }
    if any("mutedBy" in alert["status"] for group in groups for alert in group["alerts"]):
        assert said == muted
    else:
        assert not said


def notified(stack: ProcessStack) -> set[int]:
    return {int(capture.integration.receiver[1:]) for capture in stack.sink.captures("times")}


interval_parts = st.builds(
    Interval,
    times=st.none()
    | st.lists(
        st.tuples(st.integers(0, DAY - 1), st.integers(1, DAY)).filter(lambda two: two[0] < two[1]),
        max_size=2,
    ).map(tuple),
    weekdays=st.none() | st.lists(st.tuples(st.integers(0, 3), st.integers(3, 6)), max_size=1).map(tuple),
    days_of_month=st.none()
    | st.lists(st.sampled_from([(1, 3), (-3, -1), (29, 31), (25, -1), (-31, -28), (31, 31)]), max_size=2).map(
        tuple
    ),
    months=st.none() | st.just(((3, 3), (10, 11))),
    zone=st.sampled_from([zone for zone in ZONES if zone != "Local"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(interval_parts, min_size=1, max_size=3),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(timezone.utc)),
)
def test_spans_are_what_brute_force_finds_minute_by_minute(parts: list[Interval], start: datetime) -> None:
    brute_force(parts, start)


@pytest.mark.parametrize(
    "day", ["2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04"]
)
@settings(max_examples=15, deadline=None)
@given(parts=st.lists(interval_parts, min_size=1, max_size=2))
def test_spans_are_right_when_clocks_change(parts: list[Interval], day: str) -> None:
    brute_force(parts, datetime.fromisoformat(day).replace(tzinfo=timezone.utc) - timedelta(days=1))


def brute_force(parts: list[Interval], start: datetime) -> None:
    start = start.replace(second=0, microsecond=0)

    def muted(at: datetime) -> bool:
        return any(contains(part, at) for part in parts)

    minutes = [start + timedelta(minutes=n) for n in range(3 * DAY)]
    found = spans(muted, parts, start, minutes[-1] + timedelta(minutes=1))
    inside = {at for at in minutes if any(first <= at < last for first, last in found)}
    assert inside == {at for at in minutes if muted(at)}
    assert all(first[1] < second[0] for first, second in itertools.pairwise(found))


def test_a_month_that_loses_an_hour_has_a_day_less_as_in_alertmanager() -> None:
    last = Interval(days_of_month=((-1, -1),), zone="America/New_York")
    assert contains(last, datetime(2026, 3, 30, 12, tzinfo=timezone.utc))
    assert not contains(last, datetime(2026, 3, 31, 12, tzinfo=timezone.utc))
    assert contains(last, datetime(2026, 12, 31, 12, tzinfo=timezone.utc))


def test_weekly_and_daily_spans_are_said_as_such() -> None:
    start = datetime(2026, 11, 25, tzinfo=timezone.utc)
    end = start + timedelta(days=366)

    def said(part: Interval) -> list[str]:
        return described(spans(lambda at: contains(part, at), [part], start, end), part.zone)

    saturday = Interval(times=((0, 360),), weekdays=((6, 6),), zone="Europe/Berlin")
    assert said(saturday) == ["every Saturday 00:00 to 06:00 (Europe/Berlin)"]
    assert said(Interval(weekdays=((6, 6),))) == ["every Saturday 00:00 to 24:00 (UTC)"]
    night = Interval(times=((1320, 1440),), zone="America/New_York")
    assert said(night) == ["every day 22:00 to 24:00 (America/New_York)"]
    christmas = Interval(days_of_month=((24, 26),), months=((12, 12),))
    assert said(christmas) == ["2026-12-24 00:00 to 2026-12-27 00:00 (UTC)"]
    first = Interval(days_of_month=((1, 1),), times=((540, 600),))
    assert said(first)[:1] + said(first)[3:] == ["2026-12-01 09:00 to 2026-12-01 10:00 (UTC)", "and 9 more"]


BROKEN = """\
route:
  receiver: a
  routes:
    - mute_time_intervals: [x]
receivers: [{name: a}]
time_intervals:
  - name: x
    time_intervals:
      - PART
"""


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("weekdays: [someday]", "a.yml:9: `someday` is no range of a time interval"),
        ("times: [{start_time: '9:00', end_time: '10:00'}]", "a.yml:9: not a range of times"),
        ("location: Mars/Olympus", "a.yml:9: the time zone `Mars/Olympus` is not known here"),
    ],
)
def test_what_cannot_be_read_says_where(part: str, message: str) -> None:
    with pytest.raises(FileError) as error:
        read_hours(parse_routing("a.yml", "/", BROKEN.replace("PART", part)))
    assert message in str(error.value)
