from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.condition import Joined, Leg, holds, leaves
from pytest_sre.promql.legs import conditions, legs
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.units import unit_of


def brief(text: str) -> list[str]:
    """Each leg as it reads: ``not`` where it must not hold."""
    return [
        " ".join(
            [
                *(["not"] if leg.negated else []),
                leg.text,
                *([leg.op, leg.other or f"{leg.threshold:g}"] if leg.op else []),
            ]
        )
        for leg in legs(parse(text))
    ]


def shape(text: str) -> str:
    """The tree, legs by their texts."""

    def told(tree: Leg | Joined) -> str:
        return tree.text if isinstance(tree, Leg) else f"{tree.op}({', '.join(map(told, tree.parts))})"

    return told(conditions(parse(text)))


def test_a_burn_rate_over_two_windows() -> None:
    long, short = legs(
        parse(
            'job:errors:ratio_rate1h{job="checkout"} > (14.4 * 0.001)'
            ' and on (job) job:errors:ratio_rate5m{job="checkout"} > (14.4 * 0.001)'
        )
    )
    assert long.text == 'job:errors:ratio_rate1h{job="checkout"}'
    assert (long.name, long.op, long.threshold, long.budget) == ("1h leg", ">", 14.4 * 0.001, 0.001)
    assert (short.name, short.unit) == ("5m leg", "ratio")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1", ["a > 1"]),
        ("0.5 > a", ["a < 0.5"]),
        ("time() >= a", ["a <= time()"]),
        ("a > vector(3)", ["a > 3"]),
        ("a > 1 < 5", ["a > 1", "a < 5"]),
        ("3 <= a < 20", ["a >= 3", "a < 20"]),
        ("(a unless on (x) b) > 2", ["not b", "a > 2"]),
        ("-(a > 1)", ["a > 1"]),
        ("-a > 1", ["-a > 1"]),
        ("a > bool 1", ["a > bool 1"]),
        ("(a > bool 1) == 1", ["a > 1"]),
        ("(a > bool 1) == 0", ["a <= 1"]),
        ("(a > bool 1) * (b < bool 2) > 0", ["a > 1", "b < 2"]),
        ("absent(up == 1)", ["absent(up == 1)"]),
        ("a", ["a"]),
        ("a and b > 1", ["a", "b > 1"]),
        ("a unless b > 1", ["a", "not b > 1"]),
        ("a unless (b unless c)", ["a", "not b", "c"]),
        ("sum by (x) (a > 1 and b > 2)", ["a > 1", "b > 2"]),
        ("count(up == 0) > 3", ["count(up == 0) > 3"]),
        ("(a > 1) * on (x) group_left (n) info", ["a > 1", "info"]),
        ("100 * (a > 1)", ["a > 1"]),
        ("a / (b > 0) > 0.5", ["b > 0", "a / (b > 0) > 0.5"]),
        ("a > on (x) group_left () b", ["a > b"]),
        ('label_replace(a > 1, "x", "$1", "y", "(.*)")', ["a > 1"]),
        ("max_over_time(a[1h] offset 1d) > 1", ["max_over_time(a[1h] offset 1d) > 1"]),
        ("(rate(a[5m]) > 0 or vector(0)) < 2", ["rate(a[5m]) > 0 or vector(0) < 2"]),
    ],
)
def test_legs(text: str, expected: list[str]) -> None:
    assert brief(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(a > 1 and b > 1) or (c > 1 and d > 1)", "or(and(a, b), and(c, d))"),
        ("a > 1 and b > 1 and c > 1", "and(a, b, c)"),
        ("a > 1 unless (b > 1 or c > 1)", "and(a, unless(or(b, c)))"),
        ("(a > bool 1) + (b > bool 1) > 0", "or(a, b)"),
        ("(a > bool 1) + (b > bool 1) == 2", "and(a, b)"),
        ("a > 1 or vector(0)", "or(a, vector(0))"),
    ],
)
def test_how_legs_are_joined(text: str, expected: str) -> None:
    assert shape(text) == expected


def test_a_comparison_of_series_keeps_how_they_are_paired() -> None:
    (leg,) = legs(parse("a > on (x) group_left (y) b * 1"))
    assert (leg.text, leg.op, leg.threshold, leg.other) == ("a", ">", None, "b * 1")
    assert leg.matching == Matching(on=("x",), group="left", include=("y",))
    (leg,) = legs(parse("vector(5) < on () group_right () a"))
    assert (leg.text, leg.op, leg.threshold, leg.matching) == ("a", ">", 5.0, Matching())


@pytest.mark.parametrize(
    ("threshold", "budget"),
    [
        ("14.4 * 0.001", 0.001),
        ("(0.001 * 14.4)", 0.001),
        ("6 * (1 - 0.99)", 0.01),
        ("1 * 0.05", 0.05),
        ("14.4 * 0.001 * 100", 0.1),
        ("0.0144", None),
        ("5 * 1024 * 1024", None),
        ("14.4 * budget", None),
    ],
)
def test_burn_rates(threshold: str, budget: float | None) -> None:
    (leg,) = legs(parse(f"x > {threshold}"))
    assert leg.budget == (budget if budget is None else pytest.approx(budget))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rate(a[5m]) > 1 and rate(b[1h]) > 1", ["5m leg", "1h leg"]),
        ("rate(a[5m]) > 1", ["rate(a[5m])"]),
        ("x:ratio_rate36h > 1 * 0.001", ["36h leg"]),
        ("rate(a[5m]) > 1 and rate(b[5m]) > 1", ["rate(a[5m])", "rate(b[5m])"]),
        ('a{x="1"} > 1 and a{x="2"} > 1', ['a{x="1"}', 'a{x="2"}']),
        ("a > 1 or a < -1", ["a > 1", "a < -1"]),
        ("max_over_time(rate(a[5m])[1d:]) > 1 and b > 1", ["1d leg", "b"]),
        (f"sum by (one, two, three, four) ({'long' * 8}) > 1", ["long" * 8]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert [leg.name for leg in legs(parse(text))] == names


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))", "ratio"),
        ("100 * (1 - used_bytes / size_bytes)", "percent"),
        ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", "seconds"),
        ("histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))", "seconds"),
        ("rate(process_cpu_seconds_total[5m])", ""),
        ("time() - last_run_timestamp_seconds", "seconds"),
        ("rate(sent_bytes_total[5m])", "bytes/s"),
        ("x_bytes / 1024", ""),
        ("count(x_bytes)", ""),
        ("x:burnrate5m", "ratio"),
    ],
)
def test_units(text: str, unit: str) -> None:
    assert unit_of(parse(text)) == unit


def test_too_deep_is_an_error_of_its_own() -> None:
    deep = " or ".join(f"a{i} > 1" for i in range(400))
    with pytest.raises(PromqlError, match="nested too deeply"):
        legs(parse(deep))


LABELS = st.lists(st.sampled_from(["job", "a.b", "on", "le"]), max_size=2, unique=True).map(tuple)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
MATCHERS = st.builds(Matcher, st.sampled_from(["job", "b c"]), st.sampled_from(["=", "!="]), TEXTS)
SELECTORS = st.builds(
    VectorSelector,
    st.sampled_from(["up", "job:x:rate5m", "my.metric", "offset", "inf", "sum"]),
    st.lists(MATCHERS, max_size=2).map(tuple),
    st.sampled_from([0.0, 60.0, -90.0, 0.5]),
    st.sampled_from([None, "start", "end", 1.5, 1_700_000_000.0]),
)
NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.001, 14.4, float("inf")])).map(
    lambda value: Number(value + 0.0)
)
SPANS = st.sampled_from([0.25, 90.0, 300.0, 3600.0, 604800.0])


def _grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    sets, comparisons = st.sampled_from(["and", "or", "unless"]), st.sampled_from([">", "<=", "==", "!="])
    sums = st.sampled_from(["+", "-", "*", "/", "%", "^", "atan2"])
    matchings = st.builds(Matching, on=st.one_of(st.none(), LABELS))
    many = st.builds(
        Matching, on=LABELS, group=st.sampled_from(["left", "right"]), include=st.just(("zone",))
    )
    return st.one_of(
        st.builds(Binary, sets, inner, inner, matching=matchings),
        st.builds(Binary, sets, inner, inner, matching=matchings),
        st.builds(Binary, comparisons, inner, NUMBERS, st.booleans()),
        st.builds(Binary, comparisons, NUMBERS, inner),
        st.builds(Binary, st.one_of(sums, comparisons), inner, inner, matching=st.one_of(matchings, many)),
        st.builds(Binary, sums, inner, NUMBERS),
        st.builds(Binary, sums, NUMBERS, inner),
        st.builds(Unary, inner),
        st.builds(Aggregate, st.just("sum"), inner, st.none(), LABELS, st.booleans()),
        st.builds(lambda one: Call("abs", (one,)), inner),
        st.builds(
            lambda *parts: Call("max_over_time", (Subquery(*parts),)),
            inner,
            SPANS,
            st.sampled_from([None, 30.0]),
        ),
    )


RANGES = st.builds(lambda one, span: Call("rate", (MatrixSelector(one, span),)), SELECTORS, SPANS)
EXPRESSIONS: st.SearchStrategy[Expr] = st.recursive(st.one_of(SELECTORS, RANGES), _grown, max_leaves=8)


def _plain(expr: Expr) -> Expr:
    """``sum by ()`` is ``sum``; the parser and our tree know no difference."""
    return parse(to_text(expr))


@given(EXPRESSIONS)
def test_printing_round_trips(expr: Expr) -> None:
    assert _plain(expr) == expr


@given(EXPRESSIONS)
def test_every_leg_is_promql(expr: Expr) -> None:
    found = legs(expr)
    assert found
    assert len({leg.name for leg in found}) == len(found)
    for leg in found:
        assert to_text(parse(leg.text)) == leg.text
        assert not leg.other or to_text(parse(leg.other)) == leg.other
        assert bool(leg.op) == (leg.threshold is not None or bool(leg.other))


SIGNS = st.recursive(
    st.sampled_from("abcd").map(lambda name: (f"{name} > 1", lambda true: name in true)),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(
            lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda true: p[0][1](true) and p[1][1](true))
        ),
        st.tuples(inner, inner).map(
            lambda p: (f"({p[0][0]}) or ({p[1][0]})", lambda true: p[0][1](true) or p[1][1](true))
        ),
        st.tuples(inner, inner).map(
            lambda p: (f"({p[0][0]}) unless ({p[1][0]})", lambda true: p[0][1](true) and not p[1][1](true))
        ),
    ),
    max_leaves=8,
)


@given(SIGNS, st.sets(st.sampled_from("abcd")))
def test_the_tree_says_what_the_operators_say(sign: tuple[str, object], true: set[str]) -> None:
    text, expected = sign
    tree = conditions(parse(text))
    assert {leg.text for leg in leaves(tree)} <= set("abcd")
    assert holds(tree, lambda leg: leg.text in true) == expected(true)  # type: ignore[operator]
