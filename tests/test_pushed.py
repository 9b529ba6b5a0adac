"""What selectors of recorded series ask of the raw series behind them."""

from __future__ import annotations

import pytest
from test_contrast import contrasted
from test_synthesis import rule

from pytest_sre.promql.parse import parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.pushed import raw_selectors
from pytest_sre.promql.resolve import RuleIndex


@pytest.mark.parametrize(
    ("recorded", "raw"),
    [
        ("rate(c[5m])", ['c{a="x"}']),
        ("sum by (a) (c)", ['c{a="x"}']),
        ("sum by (b) (c)", ["c"]),
        ("sum without (a) (c)", ["c"]),
        ("topk(3, c)", ['c{a="x"}']),
        ('count_values("a", c)', ["c"]),
        ("c * on (a) d", ['c{a="x"}', 'd{a="x"}']),
        ("c * on (b) d", ["c", "d"]),
        ("c * on (b) group_left d", ['c{a="x"}', "d"]),
        ("c * on (b) group_left (a) d", ["c", 'd{a="x"}']),
        ("c and on (b) d", ['c{a="x"}', "d"]),
        ("c or d", ['c{a="x"}', 'd{a="x"}']),
        ("c unless d", ['c{a="x"}', "d"]),
        ('label_replace(c, "a", "$1", "b", "(.*)")', ["c"]),
        ('max_over_time(c{b="y"}[1h])', ['c{b="y",a="x"}']),
        ("absent(c)", ["c"]),
        ("100 - c", ['c{a="x"}']),
    ],
)
def test_matchers_reach_raw_series_whose_label_survives(recorded: str, raw: list[str]) -> None:
    rules = RuleIndex([rule("r", recorded)])
    assert [to_text(one) for one in raw_selectors(parse('r{a="x"} > 1'), rules)] == raw


def test_labels_that_a_record_sets_are_not_those_of_its_series() -> None:
    rules = RuleIndex([rule("r", "c", a="x"), rule("r", "d", a="y")])
    assert [to_text(one) for one in raw_selectors(parse('r{a="x",b="z"}'), rules)] == ['c{b="z"}']


def test_records_of_records_and_circles() -> None:
    rules = RuleIndex([rule("r", "s{b='y'} or r"), rule("s", "c")])
    assert [to_text(one) for one in raw_selectors(parse('r{a="x"}'), rules)] == ['c{b="y",a="x"}']


SHARES = ['sum(r{code=~"5.."}) / sum(r) > 0.05', 'sum(r{code!~"5.."}) / sum(r) < 0.95']


@pytest.mark.parametrize("share", SHARES)
def test_a_share_of_a_recorded_series_has_a_part_and_a_rest(share: str) -> None:
    made = contrasted(share, rule("r", "sum by (code) (rate(requests_total[5m]))"))
    failed = sorted(dict(one.labels)["code"].startswith("5") for one in made.behaviours)
    assert (failed, made.near) == ([False, True], 0.9)


def test_two_states_of_one_recorded_series() -> None:
    made = contrasted('r{s="x"} / ignoring (s) r{s="y"} > 0.5', rule("r", "rate(c_total[5m])"))
    assert {dict(one.labels)["s"] for one in made.behaviours} == {"x", "y"}
