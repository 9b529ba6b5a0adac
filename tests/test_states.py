"""Alert state, what rules write and the order of rules: exact expectations from Prometheus' rules/alerting.go and group.go."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import STALE
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Active, Activity, AlertHistory, Row, Stretch
from pytest_sre.timemachine import order, records, states
from pytest_sre.timemachine.task import Task

STEP = 60.0
DUPLICATE = "vector contains metrics with the same labelset after applying"


def rule(name: str = "A", expr: str = "x", **more: object) -> Rule:
    kind = "alert" if name[0].isupper() else "record"
    return Rule(kind, name, expr, Location("r.yml", 1), 1, "g", 0, **more)  # type: ignore[arg-type]


def activity(errors: tuple[int, ...] = (), **series: str) -> Activity:
    """Series by the label ``a``: a digit is the value at a tick, a dot that there is none."""
    length = max(map(len, series.values()))
    rows = []
    for name, text in series.items():
        points = [(STEP * i, float(digit)) for i, digit in enumerate(text) if digit != "."]
        times, values = zip(*points, strict=True) if points else ((), ())
        rows.append(Row((("__name__", "x"), ("a", name)), times, values))
    return Activity(tuple(STEP * i for i in range(length)), tuple(rows), {STEP * i: "broken" for i in errors})


def stays(history: AlertHistory) -> list[tuple[str, float, float | None, float | None]]:
    """Stays by the label ``a``, in ticks."""
    return [
        (
            dict(one.labels).get("a", ""),
            one.active_at / STEP,
            None if one.fired_at is None else one.fired_at / STEP,
            None if one.ended is None else one.ended / STEP,
        )
        for one in history.periods
    ]


def history(alert: Rule, given: Activity, **more: object) -> AlertHistory:
    return states.history(alert, given, states.alert_labels(alert), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hold", "keep", "series", "expected"),
    [
        (0, 0, "..11..", [("s", 2, 2, 4)]),
        (0, 0, "..11", [("s", 2, 2, None)]),
        (0, 0, "......", []),
        (120, 0, "1111..", [("s", 0, 2, 4)]),
        (121, 0, "1111..", [("s", 0, 3, 4)]),
        (119, 0, "1111..", [("s", 0, 2, 4)]),
        (120, 0, "11.111", [("s", 0, None, 2), ("s", 3, 5, None)]),
        (240, 0, "1111..", [("s", 0, None, 4)]),
        # The clock starts at the first evaluation without a result.
        (0, 120, ".11......", [("s", 1, 1, 5)]),
        (0, 119, ".11......", [("s", 1, 1, 5)]),
        (0, 121, ".11......", [("s", 1, 1, 6)]),
        (0, 60, ".11......", [("s", 1, 1, 4)]),
        (0, 59, ".11......", [("s", 1, 1, 4)]),
        (0, 120, ".1..1.....", [("s", 1, 1, 7)]),
        (0, 120, ".1...1....", [("s", 1, 1, 4), ("s", 5, 5, 8)]),
        (0, 600, ".1.......", [("s", 1, 1, None)]),
        # Nothing keeps a pending alert.
        (120, 600, ".11...111.", [("s", 1, None, 3), ("s", 6, 8, None)]),
    ],
)
def test_one_series(
    hold: float, keep: float, series: str, expected: list[tuple[str, int, int | None, int | None]]
) -> None:
    alert = rule(hold=float(hold), keep_firing_for=float(keep))
    assert stays(history(alert, activity(s=series))) == expected


def test_series_have_clocks_of_their_own() -> None:
    found = history(rule(hold=120.0), activity(s="11111...", t="..1111..", u=".1..1..."))
    assert stays(found) == [
        ("s", 0, 2, 5),
        ("u", 1, None, 2),
        ("t", 2, 4, 6),
        ("u", 4, None, 5),
    ]


def test_differences_are_whole_milliseconds() -> None:
    ticks = Stretch(0.1, 1.0, 0.1).ticks
    assert ticks[2] - ticks[0] < 0.2  # as floats are
    given = Activity(ticks, (Row((("a", "s"),), ticks[:5], (1.0,) * 5),))
    (stay,) = history(rule(hold=0.2, keep_firing_for=0.2), given).periods
    assert (stay.active_at, stay.fired_at, stay.ended) == (0.1, 0.3, 0.8)


def test_labels_that_change_with_the_value_are_other_alerts() -> None:
    def labels(sample: Labels, value: float) -> Labels:
        return (("a", "high" if value > 4 else "low"),)

    found = states.history(rule(hold=60.0, keep_firing_for=60.0), activity(s="2227777.."), labels)
    assert stays(found) == [("low", 0, 1, 4), ("high", 3, 4, 8)]


def test_labels_that_become_the_same_fail_and_change_nothing() -> None:
    alert = rule(hold=120.0, labels={"a": ""})
    found = history(alert, activity(s="111111", t="..11.."))
    assert stays(found) == [("", 0, 4, None)]
    assert found.errors == dict.fromkeys((120.0, 180.0), DUPLICATE + " alert labels")
    (stay,) = found.periods
    assert stay.labels == (("alertname", "A"),)


def test_an_evaluation_that_fails_changes_nothing() -> None:
    found = history(rule(hold=120.0), activity(s="1...11..", errors=(1, 2, 3)))
    assert stays(found) == [("s", 0, 4, 6)]
    found = history(rule(keep_firing_for=120.0), activity(s="1.........", errors=(1, 3)))
    assert stays(found) == [("s", 0, 0, 4)]
    assert found.errors == {60.0: "broken", 180.0: "broken"}


def test_above_the_limit_everything_is_forgotten() -> None:
    alert = rule(hold=120.0)
    found = history(alert, activity(s="1111111", t=".11....", u="...11.."), limit=2, looks=(120.0, 180.0))
    assert stays(found) == [("s", 0, 2, None), ("t", 1, None, 3), ("u", 3, None, 5)]
    assert not found.errors

    found = history(alert, activity(s="1111111", t="111....", u="..1...."), limit=2, looks=(60.0, 120.0))
    assert stays(found) == [("s", 0, None, 2), ("t", 0, None, 2), ("s", 3, 5, None)]
    assert found.errors == {120.0: "exceeded limit of 2 with 3 alerts"}
    assert [len(found.shown[tick]) for tick in (60.0, 120.0)] == [2, 0]


def test_kept_alerts_count_for_the_limit() -> None:
    found = history(rule(keep_firing_for=600.0), activity(s="1....", t="..111"), limit=1)
    assert stays(found) == [("s", 0, 0, 2), ("t", 3, 3, None)]
    assert found.errors == {120.0: "exceeded limit of 1 with 2 alerts"}


def test_looks() -> None:
    alert = rule(hold=60.0, keep_firing_for=120.0, labels={"severity": "page"})
    found = history(alert, activity(s="357..."), looks=(0.0, 60.0, 180.0, 300.0, 45.0))
    labels = (("a", "s"), ("alertname", "A"), ("severity", "page"))
    sample = (("__name__", "x"), ("a", "s"))
    assert found.shown == {
        0.0: (Active(labels, sample, 3.0, "pending", 0.0),),
        60.0: (Active(labels, sample, 5.0, "firing", 0.0),),
        180.0: (Active(labels, sample, 7.0, "firing", 0.0),),
        300.0: (),
    }


def test_alert_labels() -> None:
    alert = rule(labels={"a": "mine", "b": "", "alertname": "other"})
    labels = states.alert_labels(alert)
    assert labels((("__name__", "x"), ("a", "1"), ("b", "2"), ("c", "3")), 0.0) == (
        ("a", "mine"),
        ("alertname", "A"),
        ("c", "3"),
    )


# What rules write


def written(found: list[tuple[Labels, list[tuple[float, float]]]]) -> dict[Labels, list[tuple[float, str]]]:
    return {labels: [(at, text(value)) for at, value in samples] for labels, samples in found}


def text(value: float) -> str:
    if math.isnan(value):
        return "stale" if struct.pack("<d", value) == struct.pack("<d", STALE) else "NaN"
    return f"{value:g}"


def test_alert_series() -> None:
    given = activity(s=".1111..1")
    found = history(rule(hold=120.0), given)
    labels = {
        state: (("__name__", "ALERTS"), ("a", "s"), ("alertname", "A"), ("alertstate", state))
        for state in ("pending", "firing")
    }
    since = (("__name__", "ALERTS_FOR_STATE"), ("a", "s"), ("alertname", "A"))
    assert written(list(records.alert_series(found, given.ticks, 7.0))) == {
        labels["pending"]: [(53.0, "1"), (113.0, "1"), (173.0, "stale"), (413.0, "1")],
        labels["firing"]: [(173.0, "1"), (233.0, "1"), (293.0, "stale")],
        since: [
            (53.0, "60"),
            (113.0, "60"),
            (173.0, "60"),
            (233.0, "60"),
            (293.0, "stale"),
            (413.0, "420"),
        ],
    }


def test_an_evaluation_that_fails_writes_nothing() -> None:
    given = activity(s="111.....", t="..1.....", errors=(1, 3))
    found = history(rule(), given, limit=1)
    assert found.errors.keys() == {60.0, 120.0, 180.0}
    firing = (("__name__", "ALERTS"), ("a", "s"), ("alertname", "A"), ("alertstate", "firing"))
    since = (("__name__", "ALERTS_FOR_STATE"), ("a", "s"), ("alertname", "A"))
    assert written(list(records.alert_series(found, given.ticks, 0.0))) == {
        firing: [(0.0, "1"), (240.0, "stale")],
        since: [(0.0, "0"), (240.0, "stale")],
    }


def test_what_begins_again_after_a_failure_is_not_ended() -> None:
    given = activity(s="1111", t="..1.")
    found = history(rule(), given, limit=1)
    assert stays(found) == [("s", 0, 0, 2), ("s", 3, 3, None)]
    series = written(list(records.alert_series(found, given.ticks, 0.0)))
    assert sorted(series.values()) == [
        [(0.0, "0"), (60.0, "0"), (180.0, "180")],
        [(0.0, "1"), (60.0, "1"), (180.0, "1")],
    ]


def test_a_label_whose_template_gives_nothing_stays_as_written_in_alerts() -> None:
    # `sample` of rules/alerting.go starts from the rule's labels as they are.
    alert = rule(labels={"t": "{{ with $x }}{{ end }}", "e": ""})
    given = activity(s="1")
    found = states.history(alert, given, lambda sample, value: (("alertname", "A"),))
    names = [dict(labels) for labels, _ in records.alert_series(found, given.ticks, 0.0)]
    assert names == [
        {"__name__": "ALERTS", "alertname": "A", "alertstate": "firing", "t": "{{ with $x }}{{ end }}"},
        {"__name__": "ALERTS_FOR_STATE", "alertname": "A", "t": "{{ with $x }}{{ end }}"},
    ]


@pytest.mark.parametrize(
    ("row", "failed", "expected"),
    [
        ("111111", (), "0 1, 1 1, 2 1, 3 1, 4 1, 5 1"),
        (".11...", (), "1 1, 2 1, 3 stale"),
        ("1.1.1.", (), "0 1, 1 stale, 2 1, 3 stale, 4 1, 5 stale"),
        (".11...", (3, 4), "1 1, 2 1, 5 stale"),
        (".11...", (3, 4, 5), "1 1, 2 1"),
        (".1..1.", (2, 3), "1 1, 4 1, 5 stale"),
        (".1...1", (2, 3), "1 1, 4 stale, 5 1"),
    ],
)
def test_ends(row: str, failed: tuple[int, ...], expected: str) -> None:
    given = activity(s=row)
    following = records.next_ticks(given.ticks, [STEP * i for i in failed])
    samples = records.with_ends(given.rows[0], following)
    assert ", ".join(f"{at / STEP:g} {text(value)}" for at, value in samples) == expected


def test_recorded() -> None:
    record = rule("r", labels={"a": "", "k": "v"})
    rows = [
        Row((("__name__", "x"), ("a", "1"), ("b", "1")), (0.0, 60.0), (1.0, 2.0)),
        Row((("__name__", "x"), ("a", "2"), ("b", "1")), (60.0, 120.0), (3.0, 4.0)),
        Row((("__name__", "x"), ("b", "2"), ("k", "w")), (0.0,), (5.0,)),
    ]
    named, errors = records.recorded(record, rows)
    assert errors == {60.0: DUPLICATE + " rule labels"}
    first, second = (("__name__", "r"), ("b", "1"), ("k", "v")), (("__name__", "r"), ("b", "2"), ("k", "v"))
    assert records.without(named, errors) == [
        Row(first, (0.0, 120.0), (1.0, 4.0)),
        Row(second, (0.0,), (5.0,)),
    ]
    assert records.over_limit(named, 0) == {}
    assert records.over_limit(named, 2) == {}
    assert records.over_limit(named, 1) == {0.0: "exceeded limit of 1 with 2 series"}
    assert records.without(named, (0.0, 60.0, 120.0)) == []


def test_ticks() -> None:
    task = Task(rule(), (Stretch(0.0, 100.0, 30.0), Stretch(1000.05, 1000.26, 0.1)))
    assert task.ticks == (0.0, 30.0, 60.0, 90.0, 1000.05, 1000.15, 1000.25)


# Order


@st.composite
def readers(draw: st.DrawFn) -> tuple[list[set[int]], list[float]]:
    """For each rule those that it reads, and its group's offset."""
    count = draw(st.integers(1, 9))
    reads = [draw(st.sets(st.integers(0, count - 1), max_size=3)) for _ in range(count)]
    return reads, [draw(st.sampled_from([0.0, 0.0, 60.0])) for _ in range(count)]


@given(readers())
def test_blocks(given: tuple[list[set[int]], list[float]]) -> None:
    reads, offsets = given
    rules = [
        rule(f"r{place}", " + ".join(["x", *(f"r{other}" for other in others)]))
        for place, others in enumerate(reads)
    ]
    found = order.blocks(rules, offsets=offsets)

    assert sorted(member for block in found for member in block.members) == list(range(len(rules)))
    block_of = {member: number for number, block in enumerate(found) for member in block.members}
    late = {
        (one, other)
        for one, others in enumerate(reads)
        for other in others
        if other >= one or offsets[other] > offsets[one]
    }
    for number, block in enumerate(found):
        assert list(block.members) == sorted(block.members)
        needed = {block_of[other] for one in block.members for other in reads[one]} - {number}
        assert set(block.after) == needed
        assert all(other < number for other in block.after)
        assert block.together == any(one in block.members for one, _ in late)
        assert block.read == any(others & set(block.members) for others in reads)
        assert not block.rivals
    links = {one: set(others) for one, others in enumerate(reads)}
    for one, other in late:
        links[other].add(one)
    reach = {one: reachable(links, one) for one in links}
    for one in links:
        for other in links:
            assert (block_of[one] == block_of[other]) == (other in reach[one] and one in reach[other])


def reachable(links: dict[int, set[int]], start: int) -> set[int]:
    seen = {start}
    for _ in links:
        seen |= {other for one in seen for other in links[one]}
    return seen


def test_a_selector_with_an_offset_sees_what_is_recorded_late() -> None:
    rules = [rule("r"), rule("A", "r > 1"), rule("B", "r offset 1m > 1"), rule("C", "r offset 59s > 1")]
    found = order.blocks(rules, offsets=[60.0, 0.0, 0.0, 0.0])
    assert [(block.members, block.together) for block in found] == [((0, 1, 3), True), ((2,), False)]
    found = order.blocks([rule("r"), rule("A", "r offset -1m")])
    assert [(block.members, block.together) for block in found] == [((0, 1), True)]


@pytest.mark.parametrize(
    ("expr", "members"),
    [
        ("ALERTS", (0, 1, 2)),
        ('ALERTS_FOR_STATE{alertname=~"A|B"}', (0, 1)),
        ('ALERTS{alertname="B"}', (1,)),
        ('ALERTS{alertname!="A",severity="page"}', (1,)),
        ('ALERTS{severity="page"}', (0, 1)),
        ('ALERTS{alertname="other"}', ()),
        ('{__name__=~"ALERTS|r"}', (0, 1, 2, 3)),
        ('{job="j"}', (0, 1, 2, 3)),
        ("r", (3,)),
        ('r{severity="ticket"}', ()),
        ("rr", ()),
        ("rate(r[5m + 1m] anchored)", (3,)),
        ("vector(1)", ()),
    ],
)
def test_who_stands_behind_a_selector(expr: str, members: tuple[int, ...]) -> None:
    rules = [
        rule("A", labels={"severity": "{{ $labels.s }}"}),
        rule("B", labels={"severity": "page"}),
        rule("C", labels={"severity": "ticket"}),
        rule("r", labels={"severity": "page"}),
        rule("reader", expr, labels={"job": "another"}),
    ]
    found = order.blocks(rules)
    (last,) = [block for block in found if 4 in block.members]
    assert {member for number in last.after for member in found[number].members} == set(members)
    assert not any(block.together for block in found)


def test_rivals() -> None:
    rules = [
        rule("r", "a", labels={"k": "1"}),
        rule("r", "b", labels={"k": "2"}),
        rule("r", "c", labels={"l": "1"}),
        rule("s", "r"),
        rule("A", labels={"s": "{{ $labels.x }}"}),
        rule("A", labels={"s": "page"}),
    ]
    found = order.blocks(rules)
    assert [block.members for block in found] == [(place,) for place in range(6)]
    assert [block.after for block in found] == [(), (), (0, 1), (0, 1, 2), (), (4,)]
    assert [block.rivals for block in found] == [True, True, True, False, True, True]
    assert [block.read for block in found] == [True, True, True, False, False, False]
    assert not any(block.together for block in found)


def test_of_rivals_the_first_wins() -> None:
    claims = records.Claims()
    one, other = (("__name__", "r"),), (("__name__", "s"),)
    first = [(one, [(0.0, 1.0), (60.0, STALE)])]
    assert list(claims.fresh(first)) == first
    second = [(one, [(0.0, 2.0), (60.0, 2.0), (120.0, 2.0)]), (other, [(0.0, 2.0)])]
    assert list(claims.fresh(second)) == [(one, [(120.0, 2.0)]), (other, [(0.0, 2.0)])]
