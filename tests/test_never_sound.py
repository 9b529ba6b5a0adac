"""What is called impossible has no result in a real Prometheus, and what always holds does hold, on random data."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from promql_texts import EXPRESSIONS

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.ast import Binary
from pytest_sre.promql.fold import fold
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never import KnownTypes, always, impossible
from pytest_sre.timemachine.engine import Engine

END = 1_700_000_040.0
STEPS = 20
STRETCH = Stretch(END - 580, END + 20, 60.0)  # 20 s after the samples
EXAMPLES = int(os.environ.get("SRE_NEVER_EXAMPLES", "0"))
"""How many other examples than the usual ones to try; these are always the same."""
RECORDS = {
    "rec:ratio": ('sum by (j) (rate(x_total{s="hit"}[5m])) / sum by (j) (rate(x_total[5m]))', {}),
    "rec:hits": ('sum by (j) (rate(x_total{s="hit"}[5m]))', {}),
    "rec:all": ("sum by (j) (rate(x_total[5m]))", {}),
    "rec:down": ("up == 0", {"t": "1"}),
    "rec:named": ('label_replace(g > 1, "s", "hit", "j", "a")', {"i": "9"}),
}
RULES = RuleIndex(
    Rule("record", name, expr, Location("rules.yml", n), n, "g", n, labels)
    for n, (name, (expr, labels)) in enumerate(RECORDS.items(), 1)
)


class Bounds(KnownTypes):
    """Facts about the data below."""

    def bounds(self, name: str) -> tuple[float, ...]:
        """Those of z_bucket."""
        return (0.5, 2.0, math.inf) if name == "z_bucket" else ()


FACTS = Bounds({})


def samples(value: Iterator[float], chance: random.Random) -> list[tuple[float, float]]:
    """A sample each minute, with gaps that are longer than the lookback now and then."""
    times = [END - 60.0 * step for step in range(STEPS, -1, -1)]
    gap = chance.choice([range(0), range(0), range(9, 17), range(14, 21)])
    return [(at, one) for n, (at, one) in enumerate(zip(times, value, strict=False)) if n not in gap]


def counting(chance: random.Random) -> Iterator[float]:
    """A counter, reset now and then."""
    value, pace = 0.0, chance.choice([0, 1, 30, 600])
    while True:
        yield value
        value = 0.0 if chance.random() < 0.05 else value + pace * chance.choice([0, 1, 1])


def wandering(chance: random.Random, among: list[float]) -> Iterator[float]:
    """A gauge that keeps a value for some minutes."""
    value = chance.choice(among)
    while True:
        value = chance.choice(among) if chance.random() < 0.3 else value
        yield value


def data(chance: random.Random) -> Iterator[tuple[Labels, list[tuple[float, float]]]]:
    """Series of all metrics for most label sets."""
    among = {"g": [-2.0, -1, 0, 1, 2, 5, 10], "f": [0.0, 0.5, 1, 3, 100], "up": [0.0, 1], "flag": [0.0, 1]}
    for j, i, s in product("ab", "12", ("hit", "miss", "")):
        labels = {key: value for key, value in (("i", i), ("j", j), ("s", s)) if value}
        for name, values in among.items():
            if chance.random() < 0.7:
                target = {"job": j, "instance": i + s} if name == "up" else {}
                yield series(name, {**labels, **target}), samples(wandering(chance, values), chance)
        for name in ("x_total", "y_total"):
            if chance.random() < 0.8:
                yield series(name, labels), samples(counting(chance), chance)
        size = chance.choice([1.0, 10, 100])
        yield series("a_size_bytes", labels), samples(wandering(chance, [size]), chance)
        yield series("a_avail_bytes", labels), samples(wandering(chance, [0.0, size / 2, size]), chance)
        for le, one in buckets(chance):
            yield series("z_bucket", {**labels, "le": le}), one
        state = {"alertname": "A", "alertstate": chance.choice(["firing", "pending"])}
        yield series("ALERTS", {**labels, **state}), samples(wandering(chance, [1.0]), chance)


def buckets(chance: random.Random) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """A classic histogram without gaps."""
    times = [END - 60.0 * step for step in range(STEPS, -1, -1)]
    below = [0.0] * len(times)
    for le in ("0.5", "2", "+Inf"):
        pace = chance.choice([0, 1, 30])
        below = [count + pace * n for n, count in enumerate(below)]
        yield le, list(zip(times, below, strict=True))


def series(name: str, labels: dict[str, str]) -> Labels:
    """A series' labels with its name."""
    return tuple(sorted({**labels, "__name__": name}.items()))


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Engine:
    """An engine with data and what the rules record of them."""
    engine.write(data(random.Random(EXAMPLES)))
    whole = Stretch(END - 60.0 * STEPS, END, 60.0)
    for name, (expr, labels) in RECORDS.items():
        for row in engine.range(expr, whole).rows:
            written = series(name, {**{k: v for k, v in row.labels if k != "__name__"}, **labels})
            engine.write([(written, list(zip(row.times, row.values, strict=True)))])
    return engine


def rows(engine: Engine, expr: str) -> dict[Labels, list[tuple[float, float]]]:
    """What an expression gives over the stretch, without NaN."""
    answer = engine.range(expr, STRETCH)
    pairs = {
        row.labels: [p for p in zip(row.times, row.values, strict=True) if p[1] == p[1]]
        for row in answer.rows
    }
    return {labels: found for labels, found in pairs.items() if found}


@settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(text=EXPRESSIONS)
def test_verdicts_hold_on_random_data(filled: Engine, text: str) -> None:
    try:
        expr = parse(text)
    except PromqlError:
        return
    never = impossible(expr, RULES, FACTS)
    if never is not None:
        seen = rows(filled, text)
        finite = {k: v for k, v in seen.items() if any(math.isfinite(value) for _, value in v)}
        assert not finite, never
    sure = always(expr, RULES, FACTS)
    if sure is not None:
        told = parse(sure.part)
        assert isinstance(told, Binary)
        sides = [side for side in (told.lhs, told.rhs) if fold(side) is None]
        if len(sides) == 1:  # two vectors need to have labels in common as well
            assert moments(rows(filled, sure.part)) == moments(rows(filled, to_text(sides[0])))


@pytest.mark.parametrize(
    ("some", "none"),
    [
        ("timestamp(g) < time() - 10", "timestamp(g > -5) < time() - 10"),
        ("time() - timestamp(g) > 10", "time() - timestamp(g) > 300"),
        ("sum by (j) (flag == bool 0) > 0", "sum by (j) (flag == 0) > 0"),
        ('g{s="hit"} + ignoring (s) g{s="miss"} < 20', 'g{s="hit"} + g{s="miss"} < 20'),
        ("histogram_quantile(0.9, sum by (j, le) (rate(z_bucket[5m]))) > 0", "histogram_quantile(0.9, sum by (j) (rate(z_bucket[5m]))) > 0"),
        ('g and on (j) absent(nothing{j="a"})', 'g{j="b"} and on (j) absent(nothing{j="a"})'),
        ("g unless g > 1", "g > 2 unless g > 1"),
        ("count_over_time(up[10m:1m]) > 9", "count_over_time(up[10m:1m]) > 11"),
    ],
)  # fmt: skip
def test_where_the_line_is(filled: Engine, some: str, none: str) -> None:
    assert impossible(parse(some), RULES) is None
    assert rows(filled, some)
    assert impossible(parse(none), RULES) is not None
    assert not rows(filled, none)


def moments(found: dict[Labels, list[tuple[float, float]]]) -> int:
    """How many values there are, whatever their labels."""
    return sum(len(values) for values in found.values())
