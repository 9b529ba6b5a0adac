"""Verdicts on unit tests' cases, and the differences that they show."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.checks import unit, unit_names
from pytest_sre.checks.unit import SeenAlert, SeenSample
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.samples import Buckets, Histogram, ShownHistogram, Value
from pytest_sre.model.unittest import AlertCase, ExpectedAlert, ExpectedSample, ExprCase, UnitFile, UnitGroup
from pytest_sre.sources import histograms

KNOWN = ("Burns", "Down")


def at(line: int) -> Location:
    return Location("tests/t.yml", line)


def alert(labels: dict[str, str], line: int = 5, **annotations: str) -> ExpectedAlert:
    return ExpectedAlert({**labels, "alertname": "Burns"}, annotations, at(line))


def fires(labels: dict[str, str], state: str = "firing", **annotations: str) -> SeenAlert:
    return SeenAlert({**labels, "alertname": "Burns"}, annotations, state)


def case(*expected: ExpectedAlert, name: str = "Burns") -> AlertCase:
    return AlertCase(name, 600.0, expected, at(3))


def one(findings: tuple[Finding, ...]) -> Finding:
    (found,) = findings
    return found


def test_expected_alerts_pass_in_any_order() -> None:
    wanted = [alert({"job": "a"}, summary="x"), alert({"job": "b"})]
    seen = [fires({"job": "b"}), fires({"job": "c"}, "pending"), fires({"job": "a"}, summary="x")]
    assert unit.judge_alerts(case(*wanted), seen, KNOWN) == ()
    assert unit.judge_alerts(case(), [], KNOWN) == ()


def test_the_differences_are_shown_by_label() -> None:
    wanted = [
        alert({"job": "api", "severity": "page", "team": "a"}, 7, summary="down"),
        alert({"job": "db", "severity": "page"}, 9),
    ]
    seen = [
        fires({"job": "api", "severity": "ticket", "extra": "1"}, summary="up"),
        fires({"job": "db", "severity": "page"}),
        fires({"job": "web"}),
        fires({"job": "old"}, "pending"),
    ]
    assert str(one(unit.judge_alerts(case(*wanted), seen, KNOWN))) == "\n".join(
        [
            "tests/t.yml:3: Burns at 10m: 1 different, 1 unexpected [unit]",
            '  expected: {job="api", severity="page", team="a"}',
            '            {job="db", severity="page"}',
            '  seen:     {extra="1", job="api", severity="ticket"}',
            '            {job="db", severity="page"}',
            '            {job="web"}',
            '  different   {job="api", severity="page", team="a"} (line 7)',
            '              label extra: not expected, seen "1"',
            '              label severity: expected "page", seen "ticket"',
            '              label team: expected "a", not there',
            '              annotation summary: expected "down", seen "up"',
            '  unexpected  {job="web"}',
            '  pending     {job="old"}',
            "  next:     mend the rule, or expect what is seen",
        ]
    )


def test_a_missing_alert_and_an_unknown_name() -> None:
    found = one(unit.judge_alerts(case(alert({}, 8), name="Bruns"), [], KNOWN))
    assert found.title == "Bruns at 10m: 1 missing"
    assert (found.seen, found.details) == ("no firing alert", ("missing     {} (line 8)",))
    assert found.next_step == "no rule file has an alert Bruns; did you mean Burns?"


def test_an_empty_label_is_not_a_missing_one() -> None:
    found = one(unit.judge_alerts(case(alert({"job": ""})), [fires({})], KNOWN))
    assert found.details[1].strip() == 'label job: expected "", not there'


def test_long_texts_show_where_they_part() -> None:
    wanted, seen = "The budget burns " * 9 + "fast\n.", "The budget burns " * 9 + "slowly."
    found = one(unit.judge_alerts(case(alert({}, summary=wanted)), [fires({}, summary=seen)], KNOWN))
    assert found.details[1].strip() == (
        'annotation summary: differs from character 154 on: expected "…e budget burns fast\\n.", '
        'seen "…e budget burns slowly."'
    )


def test_partial_labels() -> None:
    wanted = [alert({"job": "api"}), alert({})]
    seen = [fires({"job": "api", "pod": "1"}, summary="x"), fires({"job": "db"})]
    assert unit.judge_alerts(case(*wanted), seen, KNOWN, partial=True) == ()
    # The general one must not take the only alert that the special one fits.
    assert unit.judge_alerts(case(*wanted[::-1]), seen, KNOWN, partial=True) == ()
    assert "2 different" in one(unit.judge_alerts(case(*wanted), seen, KNOWN)).title
    third = one(unit.judge_alerts(case(*wanted), [*seen, fires({"job": "web"})], KNOWN, partial=True))
    assert third.title == "Burns at 10m: 1 unexpected"


def test_many_alerts_are_listed_in_part_and_fast() -> None:
    wanted = [alert({"pod": str(i)}) for i in range(2000)]
    seen = [fires({"pod": str(i)}) for i in range(2000)]
    begin = time.monotonic()
    assert unit.judge_alerts(case(*wanted), seen, KNOWN) == ()
    found = one(unit.judge_alerts(case(*wanted), seen[:1000], KNOWN))
    assert found.title == "Burns at 10m: 1000 missing"
    assert found.expected.endswith("… and 1990 more")
    assert len(found.details) == 10
    assert time.monotonic() - begin < 60


def expr(*expected: tuple[dict[str, str], Value]) -> ExprCase:
    samples = (ExpectedSample(tuple(sorted(labels.items())), value, at(9)) for labels, value in expected)
    return ExprCase("job:rate", 90.0, tuple(samples), at(8))


def test_samples() -> None:
    wanted = expr(({"job": "a"}, 1.0), ({"job": "b"}, math.inf))
    seen = [SeenSample({"job": "b"}, math.inf), SeenSample({"job": "a"}, 1.0)]
    assert unit.judge_samples(wanted, seen) == ()
    wrong = [SeenSample({"__name__": "x", "job": "a"}, 1.5), SeenSample({"job": "b"}, math.inf)]
    assert str(one(unit.judge_samples(wanted, wrong))) == "\n".join(
        [
            "tests/t.yml:8: job:rate at 1m30s: 1 different [unit]",
            '  expected: {job="a"} 1',
            '            {job="b"} +Inf',
            '  seen:     x{job="a"} 1.5',
            '            {job="b"} +Inf',
            '  different   {job="a"} 1',
            '              label __name__: not expected, seen "x"',
            "              value: expected 1, seen 1.5",
            "  next:     mend the rule or the expression, or expect what is seen",
        ]
    )
    named = [SeenSample({"__name__": "x", "job": "a"}, 1.0), wrong[1]]
    assert unit.judge_samples(wanted, named, partial=True) == ()


@pytest.mark.parametrize(
    ("expected", "seen", "exact", "fuzzy"),
    [
        (0.3, 0.1 + 0.2, False, True),
        (0.3, 0.3000000000000002, False, False),
        (0.0, -0.0, True, True),
        (math.nan, math.nan, False, False),
        (-math.inf, -math.inf, True, True),
        (math.inf, 1e308, False, False),
    ],
)
def test_values(expected: float, seen: float, exact: bool, fuzzy: bool) -> None:
    assert unit.same_value(expected, seen) is exact
    assert unit.same_value(expected, seen, fuzzy=True) is fuzzy


def test_nan_is_explained() -> None:
    found = one(unit.judge_samples(expr(({}, math.nan)), [SeenSample({}, math.nan)]))
    assert found.next_step.startswith("NaN equals nothing")


def test_histograms_of_the_api() -> None:
    both = Histogram(1, 13.5, 20.25, 0.001, 2, Buckets(1, (4.5, 0.0, 1.0)), Buckets(-1, (6.0,)), hint="gauge")
    root = math.sqrt(2)
    seen = ShownHistogram(
        13.5,
        20.25,
        ((-root / 2, -0.5, 6.0), (-0.001, 0.001, 2.0), (1.0, root + 1e-15, 4.5), (2.0, 2 * root, 1.0)),
    )
    assert unit.judge_samples(expr(({}, both)), [SeenSample({}, seen)]) == ()
    assert not unit.same_value(both, ShownHistogram(13.5, 20.25, seen.buckets[1:]))
    assert not unit.same_value(both, 13.5)
    assert not unit.same_value(13.5, seen)
    text = one(unit.judge_samples(expr(({}, both)), [])).expected
    assert text.startswith(
        "{} a histogram of count 13.5, sum 20.25, (-0.707107, -0.5]: 6, (-0.001, 0.001]: 2"
    )


def test_histograms_with_bounds_of_their_own() -> None:
    own = Histogram(-53, 6.0, 1.0, positive=Buckets(0, (1.0, 2.0, 3.0)), custom_values=(1.0, 2.5))
    assert histograms.shown(own).buckets == ((-math.inf, 1.0, 1.0), (1.0, 2.5, 2.0), (2.5, math.inf, 3.0))


def group(*asked: AlertCase, name: str = "", index: int = 0, exprs: tuple[ExprCase, ...] = ()) -> UnitGroup:
    return UnitGroup(index, name, 60.0, (), asked, exprs, at(2))


def test_what_promtool_lets_pass_is_warned_of() -> None:
    firing = {
        600.0: [fires({}), SeenAlert({"alertname": "Down", "job": "a"})],
        5.0: [SeenAlert({"alertname": "X"})],
    }
    found = unit.passed_over(group(case(), case(name="Bruns")), firing, KNOWN)
    assert all(each.severity == "warning" for each in found)
    assert [each.title for each in found] == [
        "Bruns is no alert of the rule files",
        "Down fires at 10m, and no alert_rule_test asks about it then",
    ]
    assert found[0].next_step == "no rule file has an alert Bruns; did you mean Burns?"
    assert found[1].seen == '{job="a"}'
    assert [each.title for each in unit.passed_over(group(), {}, KNOWN)] == ["this test asks nothing"]
    assert unit.passed_over(group(exprs=(expr(),)), {}, KNOWN) == ()


def test_an_error_of_the_engine_is_shown() -> None:
    assert one(unit.failed(expr(), "many-to-many")).title == "job:rate at 1m30s: it cannot be evaluated"
    assert one(unit.failed(case(), "many-to-many")).seen == "many-to-many"


def test_names_can_be_selected() -> None:
    long = ExprCase("sum by (job) (\n  rate(a::b[5m])\n)" + " + 1" * 20, 0.0, (), at(1))
    asked = group(case(), case(), exprs=(long,))
    assert [name for name, _ in unit_names.cases(asked)] == [
        "alert Burns at 10m",
        "alert Burns at 10m[2]",
        "expr sum by (job) ( rate(a:b(5m)) ) + 1 + 1 + 1 + 1 + 1 + 1 + 1 ~ at 0s",
    ]
    groups = tuple(
        group(name=name, index=i) for i, name in enumerate(["slow\nburn", "", "slow burn", "a::b[c]"])
    )
    assert unit_names.group_names(UnitFile("t.yml", (), groups)) == [
        "slow burn",
        "test 2",
        "slow burn[2]",
        "a:b(c)",
    ]


SETS = st.lists(st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")), max_size=4)


@given(SETS, SETS)
def test_passing_means_equal_as_multisets(wanted: list[dict[str, str]], seen: list[dict[str, str]]) -> None:
    verdict = unit.judge_alerts(case(*map(alert, wanted)), [*map(fires, seen)], KNOWN)
    key = lambda labels: sorted(labels.items())  # noqa: E731
    assert (verdict == ()) is (sorted(map(key, wanted)) == sorted(map(key, seen)))
