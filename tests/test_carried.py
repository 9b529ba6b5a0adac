"""Labels that a result can have."""

from __future__ import annotations

import pytest

from pytest_sre.promql.carried import ANY, Carried, Labels
from pytest_sre.promql.parse import parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.sources.rulefile import parse_rule_file

RECORDS = """\
groups:
- name: r
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
    labels: {tier: front}
  - record: twice:errors
    expr: sum(job:errors:rate5m)
  - record: twice:errors
    expr: sum by (zone) (errors_total)
  - record: itself:x
    expr: itself:x or sum by (a) (x)
"""
RULES = RuleIndex(
    rule for group in parse_rule_file("r.yml", RECORDS).groups for rule in group.rules
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "there", "gone"),
    [
        ("up == 0", ["instance", "anything"], []),
        ("sum(up)", [], ["instance", "job"]),
        ("sum by (job) (up) > 1", ["job"], ["instance"]),
        ("sum without (instance) (up)", ["job"], ["instance"]),
        ("topk by (job) (3, up)", ["instance"], []),
        ("count_values by (job) (\"version\", up)", ["version", "job"], ["instance"]),
        ("sum by (a, b) (sum by (b, c) (x))", ["b"], ["a", "c"]),
        ("absent(up{job=\"x\", zone=~\"a\"})", ["job"], ["zone", "instance"]),
        ("histogram_quantile(0.9, sum by (le, job) (rate(x_bucket[5m])))", ["job"], ["le"]),
        ("label_replace(sum(x), \"team\", \"a\", \"\", \"\")", ["team"], ["job"]),
        ("clamp_max(sum by (job) (x), 1)", ["job"], ["instance"]),
        ("a / on (job) b", ["job"], ["instance"]),
        ("a / ignoring (code) b", ["job"], ["code"]),
        ("sum by (job) (a) * on (job) group_left (team) b", ["job", "team"], ["instance"]),
        ("a * on (job) group_right (team) sum by (job) (b)", ["job", "team"], ["instance"]),
        ("sum by (job) (a) > 1 and on (job) b", ["job"], ["instance"]),
        ("sum by (job) (a) or sum by (zone) (b)", ["job", "zone"], ["instance"]),
        ("time() - max by (job) (a)", ["job"], ["instance"]),
        ("vector(1)", [], ["job"]),
        ("job:errors:rate5m > 1", ["job", "tier"], ["instance"]),
        ("twice:errors > 1", ["zone"], ["job", "tier"]),
        ("itself:x > 1", ["a"], ["b"]),
        ("max_over_time(sum by (job) (x)[5m:1m])", ["job"], ["instance"]),
    ],
)  # fmt: skip
def test_what_an_expression_carries(text: str, there: list[str], gone: list[str]) -> None:
    found = Labels(RULES).of(parse(text))
    assert [label for label in (*there, *gone) if found.may(label)] == there


def test_raw_series_carry_what_is_known_of_them() -> None:
    labels = Labels(RULES, lambda selector: Carried(frozenset({"code"})) if selector.name == "x" else ANY)
    assert labels.of(parse("sum by (code, method) (x)")) == Carried(frozenset({"code"}))
    assert labels.of(parse("x or y")).may("method")
    assert not labels.of(parse("x and y")).may("method")


def test_unions() -> None:
    closed, some = Carried(frozenset("ab")), Carried(frozenset("bc"), True)
    assert closed.union(some) == some.union(closed) == Carried(frozenset("c"), True)
    assert some.union(Carried(frozenset("cd"), True)) == Carried(frozenset("c"), True)
