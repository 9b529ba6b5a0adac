"""When alerts can fire that ask for the hour or the weekday: moments of a week at which such conditions hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_sre.promql.ast import Binary, Call, Expr, VectorSelector, children, walk
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis import calendar
from pytest_sre.synthesis.element import EvalError, Unsupported
from pytest_sre.synthesis.evaluate import Evaluator
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Track

WEEK = 7 * 86400.0
DATES = frozenset({"day_of_month", "day_of_year", "days_in_month", "month", "year"})
_MOST = 6
"""Different moments that are tried for one alert."""
_INSIDE = 60.0
"""Seconds after a condition began to hold."""
_DAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")  # since the epoch
Key = tuple[bool, ...]


def asks_the_clock(shape: Shape) -> bool:
    """Whether an alert's result depends on the time of day or on the date, whatever its series do."""
    return bool(_parts(shape.exprs))


def asks_a_date(shape: Shape) -> bool:
    """Whether it depends on the day of the month, the month or the year."""
    nodes = (node for part in _parts(shape.exprs) for node in walk(part))
    return any(isinstance(node, Call) and node.name in DATES for node in nodes)


def moments(shape: Shape, rules: RuleIndex, now: float) -> list[float]:
    """For each combination of what holds one moment (seconds since the epoch), those first at which most does.

    It is the beginning of the longest time for which it stays so, in the second last whole week before ``now``.
    """
    step = 900.0 if "minute" in shape.functions else 3600.0
    start = (now // WEEK - 2) * WEEK
    parts = _parts(shape.exprs)
    times = [start + i * step for i in range(int(2 * WEEK / step))]
    best: dict[Key, tuple[float, float]] = {}
    for begun, key, lasted in _runs(times, [_key(parts, rules, time + _INSIDE) for time in times], step):
        if key not in best or lasted > best[key][0]:
            best[key] = (lasted, begun + _INSIDE)
    ranked = sorted(best.items(), key=lambda item: (-sum(item[0]), -item[1][0]))
    return [moment for _, (_, moment) in ranked[:_MOST]]


def stays(shape: Shape, rules: RuleIndex, now: float, seconds: float) -> bool:
    """Whether what an alert asks of the clock stays as it is for so long."""
    parts = _parts(shape.exprs)
    looks = {_key(parts, rules, now + part * seconds) for part in (0.0, 0.25, 0.5, 0.75, 1.0)}
    return len(looks) == 1


def told(moment: float) -> str:
    """A moment in words: its weekday and time of day in UTC."""
    day, second = divmod(int(moment), 86400)
    return f"{_DAYS[day % 7]} {second // 3600:02}:{second % 3600 // 60:02} UTC"


def _runs(times: Sequence[float], keys: Sequence[Key], step: float) -> Iterator[tuple[float, Key, float]]:
    begun = times[0]
    for i, key in enumerate(keys):
        if i + 1 == len(keys) or keys[i + 1] != key:
            yield begun, key, times[i] + step - begun
            begun = times[i] + step


def _parts(exprs: Iterable[Expr]) -> list[Expr]:
    """The largest parts of expressions that read no series and ask for a part of the date."""
    return list(dict.fromkeys(part for expr in exprs for part in _clocks(expr)))


def _clocks(expr: Expr) -> Iterator[Expr]:
    if not _reads(expr):
        if any(_of_clock(node) for node in walk(expr)):
            yield expr
        return
    for part in children(expr):
        yield from _clocks(part)


def _of_clock(node: Expr) -> bool:
    return isinstance(node, Call) and node.name in calendar.PARTS and not _reads(node)


def _reads(expr: Expr) -> bool:
    return any(isinstance(node, VectorSelector) for node in walk(expr))


def _is_bool(part: Expr) -> bool:
    return any(isinstance(node, Binary) and node.bool for node in walk(part))


class _Nothing:
    """No series at all."""

    def select(self, selector: VectorSelector) -> Sequence[Track]:
        """None."""
        return ()


def _key(parts: Sequence[Expr], rules: RuleIndex, at: float) -> Key:
    """Which parts hold at a moment: have a result, and not the 0 that a comparison with ``bool`` gives."""
    evaluator = Evaluator(_Nothing(), rules, at)
    found = []
    for part in parts:
        try:
            there = [one.value for one in evaluator.vector(part) if not one.off]
            found.append(any(there) if _is_bool(part) else bool(there))
        except (EvalError, Unsupported):
            found.append(False)
    return tuple(found)
