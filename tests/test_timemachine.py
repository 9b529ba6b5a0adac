"""Virtual time on real servers: what the engine answers, and what programs of rules give. Expectations by hand."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from servers import Pair

from pytest_sre.errors import StackError
from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import STALE
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, Row, Stretch
from pytest_sre.stack.process import ProcessStack
from pytest_sre.timemachine import rounds, states
from pytest_sre.timemachine.engine import MAX_POINTS, Engine, QueryError, open_engine
from pytest_sre.timemachine.program import evaluate
from pytest_sre.timemachine.task import Outcome, Program, Task

DAY = 86400
_slots = itertools.count(1)


@pytest.fixture
def base() -> int:
    """A slot of the past for each test, in seconds since the epoch."""
    return next(_slots) * 10 * DAY


def metric(name: str, **labels: str) -> Labels:
    return (("__name__", name), *sorted(labels.items()))


def points(row: Row, base: float = 0) -> list[tuple[float, float]]:
    """Ticks from the base on, and values."""
    return [(time - base, value) for time, value in zip(row.times, row.values, strict=True)]


# The engine


def test_samples_from_the_epoch_on_and_between_others(engine: Engine) -> None:
    series = metric("early", path='C:\\ "☃"\n')
    engine.write([(series, [(0.0, 1.5), (60.0, float("inf")), (120.0, 1e300)])])
    (row,) = engine.range("early", Stretch(0, 120, 60)).rows
    assert (row.labels, points(row)) == (series, [(0.0, 1.5), (60.0, float("inf")), (120.0, 1e300)])
    engine.write([(series, [(90.0, -0.125), (30.0, 0.1), (30.001, 0.2)])])
    (row,) = engine.range("early", Stretch(0, 120, 30)).rows
    assert points(row) == [(0, 1.5), (30, 0.1), (60, float("inf")), (90, -0.125), (120, 1e300)]
    (row,) = engine.range("early", Stretch(30, 30.002, 0.001)).rows
    assert points(row) == [(30.0, 0.1), (30.001, 0.2), (30.002, 0.2)]


def test_a_stale_marker_ends_a_series_at_once(engine: Engine, base: int) -> None:
    engine.write(
        [
            (metric("ends", a="marked"), [(base, 1.0), (base + 60, 2.0), (base + 120, STALE)]),
            (metric("ends", a="not"), [(base, 1.0), (base + 60, 2.0)]),
        ]
    )
    found = engine.range("ends", Stretch(base, base + 600, 30)).rows
    seen = {dict(row.labels)["a"]: points(row, base) for row in found}
    assert seen["marked"] == [(0, 1), (30, 1), (60, 2), (90, 2)]
    assert seen["not"][:4] == seen["marked"]
    assert seen["not"][-1][0] in (330.0, 360.0)  # lookback is left-open since 3.0


def test_more_steps_than_the_server_gives_at_once(engine: Engine, base: int) -> None:
    stretch = Stretch(base, base + MAX_POINTS + 1500, 1)
    answer = engine.range("time()", stretch)
    (row,) = answer.rows
    assert len(row.times) == MAX_POINTS + 1501
    assert row.labels == ()
    assert row.times == stretch.ticks == row.values
    assert not answer.errors


def test_a_step_that_fails_costs_no_other(engine: Engine, base: int) -> None:
    minutes = [base + 60 * i for i in range(20)]
    engine.write(
        [
            (metric("left", a="1"), [(at, 1.0) for at in minutes]),
            (metric("right", a="1", b="1"), [(at, 2.0) for at in minutes]),
            (metric("right", a="1", b="2"), [(minutes[7], 2.0), (minutes[9], STALE)]),
            (metric("right", a="1", b="3"), [(minutes[15], 2.0), (minutes[16], STALE)]),
        ]
    )
    answer = engine.range("left * on (a) right", Stretch(base, minutes[-1], 60))
    (row,) = answer.rows
    failed = [minutes[7], minutes[8], minutes[15]]
    assert list(row.times) == [at for at in minutes if at not in failed]
    assert sorted(answer.errors) == failed
    assert all("many-to-many matching not allowed" in text for text in answer.errors.values())


def test_series_that_follow_each_other_are_one(engine: Engine, base: int) -> None:
    """A range query refuses what gives the same labels twice, even at different times; a rule does not."""
    engine.write(
        [
            (metric("first"), [(base, 1.0), (base + 60, 2.0), (base + 120, STALE)]),
            (metric("second"), [(base + 120, 3.0), (base + 180, 4.0)]),
        ]
    )
    answer = engine.range('-{__name__=~"first|second"}', Stretch(base, base + 180, 60))
    (row,) = answer.rows
    assert points(row, base) == [(0, -1), (60, -2), (120, -3), (180, -4)]
    assert not answer.errors


def test_what_is_no_query(engine: Engine, base: int) -> None:
    stretch = Stretch(base, base + MAX_POINTS, 1)
    for query, words in (("sum(", "parse error"), ('"text"', 'type "string"'), ("up[5m]", "range vector")):
        answer = engine.range(query, stretch)
        assert answer.rows == ()
        assert tuple(answer.errors) == stretch.ticks
        assert all(words in text for text in answer.errors.values())
    with pytest.raises(QueryError, match="parse error"):
        engine.instant("sum(", base)
    with pytest.raises(QueryError, match="string"):
        engine.instant('"text"', base)


def test_the_ends_of_a_query_are_the_moment_itself(engine: Engine, base: int) -> None:
    engine.write([(metric("moment"), [(base + 60 * i, float(i)) for i in range(4)])])
    stretch = Stretch(base, base + 180, 60)
    for query in ("moment @ end()", "moment @start ( )", "max_over_time(moment[1m] @ end ())"):
        (row,) = engine.range(query, stretch).rows
        assert row.values == (0.0, 1.0, 2.0, 3.0)


def test_instant(engine: Engine, base: int) -> None:
    engine.write([(metric("now", a="1"), [(base, 1.0)]), (metric("now", a="2"), [(base, float("nan"))])])
    found = dict(engine.instant("now", base + 0.5))
    assert found.keys() == {metric("now", a="1"), metric("now", a="2")}
    assert found[metric("now", a="1")] == 1.0
    assert found[metric("now", a="2")] != found[metric("now", a="2")]
    assert engine.instant("now > 1", base) == []
    assert engine.instant("1 + 1", base) == [((), 2.0)]
    assert engine.instant("time()", base + 0.25) == [((), base + 0.25)]


def test_threads_use_it_together(engine: Engine, base: int) -> None:
    stretch = Stretch(base, base + 600, 60)

    def work(number: int) -> tuple[float, ...]:
        series = metric("shared", n=str(number))
        for tick in stretch.ticks:
            engine.write([(series, [(tick, number + tick - base)])])
        (row,) = engine.range(f'shared{{n="{number}"}}', stretch).rows
        return row.values

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(16)))
    assert found == [tuple(number + 60.0 * i for i in range(11)) for number in range(16)]
    assert engine.instant("count(shared)", base + 600) == [((), 16.0)]


def test_a_server_that_is_gone_is_told(pair: Pair, stack: ProcessStack, tmp_path: Path) -> None:
    servers = pair.servers
    with open_engine(
        stack, servers.prometheus, tmp_path / "e", "gone", {"evaluation_interval": "7s"}
    ) as opened:
        opened.write([(metric("x"), [(7.0 * i, 1.0) for i in range(100)])])
        assert opened.instant("count_over_time(x[70s:])", 700.0)[0][1] in (10.0, 11.0)
        stack.stop(opened.server)
        for use in (
            lambda: opened.instant("x", 0.0),
            lambda: opened.range("x", Stretch(0, 60, 60)),
            lambda: opened.write([(metric("x"), [(0.0, 1.0)])]),
        ):
            with pytest.raises(StackError, match="gone does not answer"):
                use()


# Programs


def rule(name: str, expr: str, **more: object) -> Rule:
    kind = "alert" if name[0].isupper() else "record"
    return Rule(kind, name, expr, Location("r.yml", 1), 1, "g", 0, **more)  # type: ignore[arg-type]


def run(engine: Engine, tasks: list[Task]) -> Outcome:
    (outcome,) = evaluate(engine, [Program(tuple(tasks))], lambda alert, _: states.alert_labels(alert))
    return outcome


def given(outcome: Outcome, name: str, base: float) -> dict[Labels, list[tuple[float, float]]]:
    """What a rule gave, by labels without the name, in minutes."""
    (found,) = [activity for one, activity in outcome.items() if one.name == name]
    return {
        tuple(pair for pair in row.labels if pair[0] != "__name__"): [
            (at / 60, value) for at, value in points(row, base)
        ]
        for row in found.rows
    }


def stays(
    outcome: Outcome, name: str, base: float, limit: int = 0
) -> list[tuple[float, float | None, float | None]]:
    """An alert's stays in minutes: pending since, firing since, gone at."""
    (alert,) = [one for one in outcome if one.name == name]
    history = states.history(alert, outcome[alert], states.alert_labels(alert), limit=limit)
    return [
        tuple(None if at is None else (at - base) / 60 for at in (one.active_at, one.fired_at, one.ended))  # type: ignore[misc]
        for one in history.periods
    ]


def minutes(engine: Engine, base: int, name: str, text: str, **labels: str) -> None:
    """Write a series of one digit a minute; a dot is no sample, a bar its end."""
    samples = [
        (base + 60.0 * i, STALE if digit == "|" else float(digit))
        for i, digit in enumerate(text)
        if digit != "."
    ]
    engine.write([(metric(name, **labels), samples)])


def test_a_chain_across_groups(engine: Engine, base: int) -> None:
    minutes(engine, base, "c_x", "0123456789", a="1", b="1")
    minutes(engine, base, "c_x", "0000005555", a="1", b="2")
    span = (Stretch(base, base + 540, 60),)
    tasks = [
        Task(rule("c_sum", "sum by (a) (c_x)", labels={"k": "v"}), span),
        Task(rule("c_max", 'max_over_time(c_sum{k="v"}[2m30s])'), span),
        Task(rule("High", "c_max > 4", hold=120.0), span),
        Task(rule("Odd", 'c_sum{k="other"} or c_sum == 3'), span),
    ]
    outcome = run(engine, tasks)
    labels = (("a", "1"), ("k", "v"))
    sums = [0, 1, 2, 3, 4, 5, 11, 12, 13, 14]
    assert given(outcome, "c_sum", base) == {labels: list(enumerate(sums))}
    assert given(outcome, "c_max", base) == {labels: list(enumerate(sums))}
    assert stays(outcome, "High", base) == [(5, 7, None)]
    assert stays(outcome, "Odd", base) == [(3, 3, 4)]
    (row,) = engine.range("c_max", span[0]).rows
    assert row.labels == metric("c_max", a="1", k="v")
    assert row.values == tuple(sums)


def test_what_is_recorded_later_in_the_round_is_seen_in_the_next(engine: Engine, base: int) -> None:
    minutes(engine, base, "b_x", "123456")
    span = (Stretch(base, base + 300, 60),)
    tasks = [
        Task(rule("b_reader", "b_late * 10"), span),
        Task(rule("b_late", "b_x"), span),
        Task(rule("b_after", "b_reader + b_late"), span),
    ]
    outcome = run(engine, tasks)
    assert given(outcome, "b_late", base) == {(): [(i, i + 1) for i in range(6)]}
    assert given(outcome, "b_reader", base) == {(): [(i, 10 * i) for i in range(1, 6)]}
    assert given(outcome, "b_after", base) == {(): [(i, 10 * i + i + 1) for i in range(1, 6)]}


def test_a_rule_that_reads_itself(engine: Engine, base: int) -> None:
    span = (Stretch(base, base + 300, 60),)
    outcome = run(engine, [Task(rule("s_count", "(s_count < 3) + 1 or absent(s_count)"), span)])
    # At 4 there is no result: the series ends at once, and absent() sees that a minute later.
    assert given(outcome, "s_count", base) == {(): [(0, 1), (1, 2), (2, 3), (4, 1), (5, 2)]}


def test_alerts_that_others_read(engine: Engine, base: int) -> None:
    minutes(engine, base, "a_x", "0111110000")
    span = (Stretch(base, base + 540, 60),)
    tasks = [
        Task(rule("Source", "a_x > 0", hold=120.0, keep_firing_for=60.0, labels={"team": "a"}), span),
        Task(rule("a_pending", 'count(ALERTS{alertname="Source",alertstate="pending"})'), span),
        Task(rule("a_firing", 'count by (team) (ALERTS{alertname="Source",alertstate="firing"})'), span),
        Task(rule("a_since", "time() - ALERTS_FOR_STATE{team='a'}"), span),
        Task(rule("Derived", 'ALERTS{alertname="Source",alertstate="firing"}', hold=60.0), span),
    ]
    outcome = run(engine, tasks)
    assert stays(outcome, "Source", base) == [(1, 3, 7)]
    assert given(outcome, "a_pending", base) == {(): [(1, 1), (2, 1)]}
    assert given(outcome, "a_firing", base) == {(("team", "a"),): [(i, 1) for i in range(3, 7)]}
    assert [value for _, value in next(iter(given(outcome, "a_since", base).values()))] == [
        60.0 * i for i in range(6)
    ]
    assert stays(outcome, "Derived", base) == [(3, 4, 7)]


def test_alerts_read_before_they_are_written(engine: Engine, base: int) -> None:
    minutes(engine, base, "e_x", "011100")
    span = (Stretch(base, base + 300, 60),)
    early = Task(rule("e_seen", 'count(ALERTS{alertname="Late"})'), span)
    outcome = run(engine, [early, Task(rule("Late", "e_x > 0", hold=60.0), span)])
    assert given(outcome, "e_seen", base) == {(): [(2, 1), (3, 1), (4, 1)]}
    assert stays(outcome, "Late", base) == [(1, 2, 4)]


def test_query_offset(engine: Engine, base: int) -> None:
    minutes(engine, base, "o_x", "123456")
    span = (Stretch(base, base + 300, 60),)
    tasks = [
        Task(rule("o_r", "o_x"), span, offset=60.0),
        Task(rule("o_now", "o_r"), span),
        Task(rule("o_then", "o_r"), span, offset=60.0),
        Task(rule("o_early", "o_r offset 1m"), span),
        Task(rule("Old", "o_x > 3"), span, offset=60.0),
        Task(rule("o_alert", "count(ALERTS{alertname='Old'})"), span),
    ]
    outcome = run(engine, tasks)
    late = [(i, i) for i in range(1, 6)]
    assert given(outcome, "o_r", base) == {(): late}
    # Recorded under a time a minute ago, and only now: nobody sees it earlier.
    assert given(outcome, "o_now", base) == given(outcome, "o_then", base) == {(): late}
    assert given(outcome, "o_early", base) == {(): late}
    assert stays(outcome, "Old", base) == [(4, 4, None)]
    assert given(outcome, "o_alert", base) == {(): [(4, 1), (5, 1)]}
    (row,) = engine.range("o_r", Stretch(base - 60, base + 240, 60)).rows
    assert points(row, base) == [(60 * i, i + 1) for i in range(5)]


def test_limit(engine: Engine, base: int) -> None:
    minutes(engine, base, "l_x", "1111111", a="1")
    minutes(engine, base, "l_x", "..11|..", a="2")
    span = (Stretch(base, base + 360, 60),)
    tasks = [
        Task(rule("l_r", "l_x"), span, limit=1),
        Task(rule("l_seen", "count_over_time(l_r[30s])"), span),
        Task(rule("L", "l_x", hold=60.0), span, limit=1),
        Task(rule("l_alerts", "count_over_time(ALERTS{alertname='L'}[30s])"), span),
    ]
    outcome = run(engine, tasks)
    (recorded,) = [activity for one, activity in outcome.items() if one.name == "l_r"]
    text = "exceeded limit of 1 with 2 series"
    assert recorded.errors == {base + 120.0: text, base + 180.0: text}
    good = [0, 1, 4, 5, 6]
    assert given(outcome, "l_r", base) == {(("a", "1"),): [(i, 1) for i in good]}
    assert given(outcome, "l_seen", base) == {(("a", "1"),): [(i, 1) for i in good]}
    assert stays(outcome, "L", base, limit=1) == [(0, 1, 2), (4, 5, None)]
    alerts = given(outcome, "l_alerts", base)
    assert sorted(at for seen in alerts.values() for at, _ in seen) == good


def test_records_that_come_and_go(engine: Engine, base: int) -> None:
    minutes(engine, base, "g_x", "0110010")
    span = (Stretch(base, base + 360, 60),)
    tasks = [
        Task(rule("g_r", "g_x > 0"), span),
        Task(rule("g_seen", "g_r"), span),
        Task(rule("g_absent", "absent(g_r)"), span),
    ]
    outcome = run(engine, tasks)
    assert given(outcome, "g_seen", base) == {(): [(1, 1), (2, 1), (5, 1)]}
    assert given(outcome, "g_absent", base) == {(): [(0, 1), (3, 1), (4, 1), (6, 1)]}


def test_a_record_that_fails_is_not_ended(engine: Engine, base: int) -> None:
    minutes(engine, base, "f_x", "1111111", a="1")
    minutes(engine, base, "f_x", "..1|...", a="2")
    minutes(engine, base, "f_y", "1111|11")
    span = (Stretch(base, base + 360, 60),)
    tasks = [
        Task(rule("f_r", "f_y * on () f_x"), span),
        Task(rule("f_seen", "f_r"), span),
        Task(rule("f_same", "f_x", labels={"a": ""}), span),
    ]
    outcome = run(engine, tasks)
    errors = {one.name: activity.errors for one, activity in outcome.items()}
    assert list(errors["f_r"]) == [base + 120.0]
    assert "many-to-many" in errors["f_r"][base + 120.0]
    assert given(outcome, "f_r", base) == {(): [(0, 1), (1, 1), (3, 1), (5, 1), (6, 1)]}
    assert given(outcome, "f_seen", base) == {(): [(0, 1), (1, 1), (2, 1), (3, 1), (5, 1), (6, 1)]}
    same = "vector contains metrics with the same labelset after applying rule labels"
    assert errors["f_same"] == {base + 120.0: same}


@pytest.mark.parametrize("backward", [False, True])
def test_two_rules_that_record_the_same(engine: Engine, base: int, backward: bool) -> None:
    """Of one moment's samples the first rule's stays, a marker too; promtool calls that an error, a server goes on."""
    high, low, seen = (f"d_{name}{backward:d}" for name in ("r", "x", "seen"))
    minutes(engine, base, low, "1166661116")
    span = (Stretch(base, base + 540, 60),)
    tasks = [
        Task(rule(high, f"{low} > 5"), span),
        Task(rule(high, f"{low} <= 5 unless {seen}" if backward else f"{low} <= 5"), span),
        Task(rule(seen, f"{high} == 100" if backward else high), span),
        Task(rule("D", high), span),
    ]
    outcome = run(engine, tasks)
    # At 6 the first rule's series ends, and the second's sample comes too late.
    assert given(outcome, "D", base) == {
        (): [(0, 1), (1, 1), (2, 6), (3, 6), (4, 6), (5, 6), (7, 1), (8, 1), (9, 6)]
    }


def test_programs_side_by_side(engine: Engine, base: int) -> None:
    """They share names of series and rules, a day apart; each has a stretch that its readers reach across."""
    programs = []
    for number in range(5):
        start = base + number * DAY
        minutes(engine, start, "p_x", str(number) * 9)
        spans = (Stretch(start, start + 120, 60), Stretch(start + 420, start + 480, 30))
        programs.append(
            Program((Task(rule("p_r", "p_x + 1"), spans), Task(rule("P", "p_r > 2", hold=60.0), spans)))
        )
    outcomes = evaluate(engine, programs, lambda alert, _: states.alert_labels(alert))
    for number, outcome in enumerate(outcomes):
        start = base + number * DAY
        assert given(outcome, "p_r", start) == {(): [(at, number + 1) for at in (0, 1, 2, 7, 7.5, 8)]}
        assert stays(outcome, "P", start) == ([(0, 1, None)] if number >= 2 else [])
    assert evaluate(engine, [Program(())], lambda alert, _: states.alert_labels(alert)) == [{}]


def test_labels_of_alerts_that_others_read(engine: Engine, base: int) -> None:
    minutes(engine, base, "t_x", "1133")
    span = (Stretch(base, base + 180, 60),)
    asked: list[Activity] = []

    def labeller(alert: Rule, activity: Activity) -> states.Labeller:
        asked.append(activity)
        return lambda sample, value: (("alertname", alert.name), ("level", f"{value:g}"))

    for reader_first in (False, True):
        name = f"T{reader_first:d}"
        alert = Task(rule(name, "t_x", labels={"level": "{{ $value }}"}), span)
        reader = Task(rule(f"t_r{reader_first:d}", f"count by (level) (ALERTS{{alertname='{name}'}})"), span)
        tasks = (reader, alert) if reader_first else (alert, reader)
        (outcome,) = evaluate(engine, [Program(tasks)], labeller)
        late = int(reader_first)
        assert given(outcome, f"t_r{reader_first:d}", base) == {
            (("level", "1"),): [(late, 1), (late + 1, 1)],
            (("level", "3"),): [(i, 1) for i in range(2 + late, 4)],
        }
    assert sum(len(row.times) for activity in asked for row in activity.rows) == 8


def test_at_once_or_round_by_round_is_the_same(engine: Engine, base: int) -> None:
    """Groups of several intervals and offsets, evaluated as blocks and, in another slot, all round by round."""

    def tasks(start: int) -> list[Task]:
        minutes(engine, start, "m_x", "0123456012345|..1234", a="1")
        minutes(engine, start, "m_x", "..1111|.11111222....", a="2")
        quick, slow = (Stretch(start, start + 1200, 30),), (Stretch(start + 15, start + 1200, 75),)
        return [
            Task(rule("m_max", "max by (a) (m_x)"), quick),
            Task(rule("m_slow", "sum(m_max)"), slow, offset=30.0),
            Task(rule("m_slower", "avg_over_time(m_slow[5m])"), slow, limit=1),
            Task(rule("M", "m_max > 1 and on () m_slow > 2", hold=60.0, keep_firing_for=90.0), quick),
            Task(rule("N", "ALERTS{alertname='M'} and on (a) m_x > 3", hold=75.0), slow, offset=15.0),
            Task(rule("m_n", "count(ALERTS{alertname='N'}) + m_slower"), quick),
        ]

    def seen(outcome: Outcome, start: int) -> list[object]:
        return [
            (one.name, stays(outcome, one.name, start) if one.kind == "alert" else 0, given(outcome, one.name, start))
            for one in sorted(outcome, key=lambda one: one.name)
        ]  # fmt: skip

    outcome = run(engine, tasks(base))
    by_round: dict[Rule, Activity] = {}
    rounds.evaluate(engine, by_round, tasks(base + DAY), lambda alert, _: states.alert_labels(alert))
    assert seen(outcome, base) == seen(by_round, base + DAY)
    assert len(stays(outcome, "M", base)) > 2
    assert stays(outcome, "N", base)
    assert given(outcome, "m_n", base)
