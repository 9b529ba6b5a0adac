"""A first look at some evaluations and a closer one where something changes are as good as all of them."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_sre.model.timeline import Activity, Row, Stretch
from pytest_sre.timemachine import look

LABELS = [(("a", "1"),), (("a", "2"),)]
WHOLE = Stretch(6000.0, 18000.0, 60.0)
FIRST = Stretch(6000.0, 18000.0, 600.0)


def seen(stretches: list[Stretch], there: list[list[tuple[float, float]]]) -> Activity:
    """What evaluations give of series that are there from one time to another."""
    ticks = tuple(tick for stretch in stretches for tick in stretch.ticks)
    rows = []
    for labels, stays in zip(LABELS, there, strict=True):
        times = tuple(tick for tick in ticks if any(start <= tick < end for start, end in stays))
        if times:
            rows.append(Row(labels, times, tuple(1.0 for _ in times)))
    return Activity(ticks, tuple(rows))


def presence(activity: Activity) -> dict[tuple[tuple[str, str], ...], tuple[float, ...]]:
    return {row.labels: row.times for row in activity.rows if row.times}


stay = st.tuples(st.integers(90, 310), st.integers(11, 200)).map(
    lambda pair: (pair[0] * 60.0, (pair[0] + pair[1]) * 60.0)
)


@given(there=st.tuples(st.lists(stay, max_size=1), st.lists(stay, max_size=1)))
def test_what_stays_longer_than_a_step_is_seen_exactly(there: tuple[list[tuple[float, float]], ...]) -> None:
    stays = [list(one) for one in there]
    first = seen([FIRST], stays)
    close = look.closer(first, FIRST, 60.0, 0.0, [])
    found = look.together(first, seen(close, stays) if close else None, FIRST, 60.0)
    whole = seen([WHOLE], stays)
    assert found.ticks == whole.ticks
    assert presence(found) == presence(whole)


@given(at=st.integers(100, 299), length=st.integers(1, 9))
def test_what_comes_and_goes_around_a_moment_is_seen(at: int, length: int) -> None:
    stays: list[list[tuple[float, float]]] = [[(at * 60.0, (at + length) * 60.0)], []]
    assume(at // 10 == (at + length) // 10)  # between two ticks of the first look
    first = seen([FIRST], stays)
    close = look.closer(first, FIRST, 60.0, 0.0, [(at + length) * 60.0])
    found = look.together(first, seen(close, stays), FIRST, 60.0)
    assert presence(found) == presence(seen([WHOLE], stays))


def test_a_blur_widens_what_is_looked_at_closely() -> None:
    stays: list[list[tuple[float, float]]] = [[(9300.0, 20000.0)], []]
    first = seen([FIRST], stays)
    assert look.closer(first, FIRST, 60.0, 0.0, []) == [Stretch(9000.0, 9600.0, 60.0)]
    assert look.closer(first, FIRST, 60.0, 250.0, []) == [Stretch(8700.0, 9900.0, 60.0)]


def test_what_flickers_is_looked_at_as_a_whole() -> None:
    fast = Stretch(6000.0, 18000.0, 120.0)
    stays = [[(t, t + 120.0) for t in range(6000, 18000, 240)], []]
    assert look.closer(seen([fast], stays), fast, 60.0, 0.0, []) == [WHOLE]


def test_errors_are_looked_at_closely() -> None:
    first = Activity(FIRST.ticks, (), {9000.0: "many-to-many"})
    assert look.closer(first, FIRST, 60.0, 0.0, []) == [Stretch(8400.0, 9600.0, 60.0)]
    close = Activity(tuple(Stretch(8400.0, 9600.0, 60.0).ticks), (), {9060.0: "many-to-many"})
    assert look.together(first, close, FIRST, 60.0).errors == {9000.0: "many-to-many", 9060.0: "many-to-many"}
