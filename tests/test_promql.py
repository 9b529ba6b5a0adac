from __future__ import annotations

import pytest

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Matcher,
    Matching,
    MatrixSelector,
    Number,
    VectorSelector,
)
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.reach import Past, Read, RecordRead, pasts, reads, record_reads, record_step
from pytest_sre.promql.resolve import RuleIndex


def rule(name: str, expr: str, group: str = "g", index: int = 0, path: str = "r.yml", **labels: str) -> Rule:
    kind = "alert" if name[0].isupper() else "record"
    return Rule(kind, name, expr, Location(path, 1), 1, group, index, labels)  # type: ignore[arg-type]


def test_tree() -> None:
    found = parse('sum by (a) (rate(x{b!~"c"}[5m] offset -1m)) / on (a) group_left (z) y > bool 2')
    left = Aggregate(
        "sum",
        Call("rate", (MatrixSelector(VectorSelector("x", (Matcher("b", "!~", "c"),), -60.0), 300.0),)),
        labels=("a",),
    )
    ratio = Binary("/", left, VectorSelector("y"), matching=Matching(on=("a",), group="left", include=("z",)))
    assert found == Binary(">", ratio, Number(2.0), bool=True)


@pytest.mark.parametrize(
    "text",
    [
        "a - (b - c)",
        "a / b / c",
        "(a ^ b) ^ c",
        "-(a ^ 2)",
        "max_over_time(rate(x[5m])[1h:] offset 5m)",
        "x @ end() offset 5m",
        'a{b="q\\"uote\\\\d"}',
        '{__name__=~"a|b"}',
        "topk without (a) (3, x or y)",
        "a and ignoring (b) c unless on () d",
        "a / ignoring () group_left () b",
        "(a > 2) > 3",
        "x * (-2) ^ 2",
        "x ^ -2 ^ 2",
        "max_over_time((x offset 5m)[1h:1m] @ 7)",
        '{"my.metric", "a.b"="c"}',
        '{__name__="offset"} offset -90s',
        '{__name__="inf"} > +Inf',
        'sum by ("a.b") (x) / on ("a.b") group_left ("c d") y',
        '{__name__="", a="b"}',
        'count_values("v", x) == 1e+30',
    ],
)
def test_printed_text_reads_the_same(text: str) -> None:
    assert parse(to_text(parse(text))) == parse(text)


def test_backticks_comments_and_names() -> None:
    assert parse('x{a=~`\\d"`} # `why`\n') == VectorSelector("x", (Matcher("a", "=~", '\\d"'),))
    assert parse('{__name__="x", a="b"}') == parse('x{a="b"}')


def test_names_that_need_quotes() -> None:
    assert to_text(parse('{"my.metric"}')) == '{__name__="my.metric"}', "as Prometheus 2 takes it too"
    assert to_text(VectorSelector("or", (Matcher("x", "=", "y"),))) == '{__name__="or",x="y"}'


def test_not_promql() -> None:
    with pytest.raises(PromqlError, match="before 1970"):
        parse("x @ -1")
    with pytest.raises(PromqlError, match="unclosed left parenthesis"):
        parse("sum(")


CHAIN = [
    rule("job:errors:rate5m", 'sum by (job) (rate(errors_total{job="a"}[5m]))', index=0),
    rule("job:ratio", "job:errors:rate5m / job:all:rate5m", index=1),
    rule("job:all:rate5m", "sum by (job) (rate(requests_total[10m] offset 1h))", group="other"),
    rule("loop", "loop + 1"),
]


def test_resolution() -> None:
    index, alert = RuleIndex(CHAIN), rule("High", "job:ratio > 0.5", group="alerts")
    assert [found.name for found in index.closure(alert)] == [
        "job:ratio",
        "job:errors:rate5m",
        "job:all:rate5m",
    ]
    assert index.raw_names(alert) == {"errors_total", "requests_total"}
    assert index.depth(CHAIN[1]) == 1, "earlier in the same group is free, another group costs a hop"
    assert index.depth(alert) == 2
    assert index.depth(rule("Loop", "loop")) == 1
    assert index.recording("job:ratio") == (CHAIN[1],)


def test_rules_of_one_name_are_told_apart_by_label() -> None:
    many = [rule("slo", f'x{{s="{i}"}}', slo=str(i)) for i in range(20)]
    index = RuleIndex(many)
    assert index.closure(rule("A", 'slo{slo="7"}')) == (many[7],)
    assert index.raw_names(rule("A", 'slo{slo="none"}')) == {"slo"}


def test_reads_go_through_the_chain() -> None:
    found = reads(parse("job:ratio + max_over_time(rate(x[1m])[30m:]) + up"), RuleIndex(CHAIN))
    assert found == {
        Read("errors_total", 0, 0, 300),
        Read("requests_total", 3600, 3600, 600),
        Read("x", 0, 1800, 60),
        Read("up", 0, 0, 0),
    }
    assert max(read.reach for read in found) == 4200


def test_direct_reads_of_records() -> None:
    ratio, rate = CHAIN[1], CHAIN[0]
    index = RuleIndex(CHAIN)

    def found(text: str) -> set[RecordRead]:
        return set(record_reads(parse(text), index))

    assert found("job:ratio > 0.5 and up") == {RecordRead(ratio, 0, 0, 0)}, "not through the chain"
    assert found("avg_over_time(job:ratio[1h] offset 5m)") == {RecordRead(ratio, 300, 300, 3600)}
    assert found("max_over_time((job:ratio offset 1m + job:errors:rate5m)[30m:1m] offset 10m)") == {
        RecordRead(ratio, 660, 2460, 0),
        RecordRead(rate, 600, 2400, 0),
    }
    assert max(read.reach for read in found("max_over_time(rate(job:ratio[5m])[1h:])")) == 3900
    assert found("rate(up[5m])") == set()


def test_records_must_have_been_evaluated_in_the_past() -> None:
    ratio, rate, whole = CHAIN[1], CHAIN[0], CHAIN[2]
    index = RuleIndex(CHAIN, {ratio: 30.0})

    def found(text: str) -> set[Past]:
        return set(pasts(parse(text), index))

    assert found("job:ratio > 0.5") == set(), "now is evaluated in the run"
    assert found("avg_over_time(job:ratio[1h])") == {
        Past(ratio, 0, 3600, 30),
        Past(rate, 0, 3600, 30),
        Past(whole, 0, 3600, 30),
    }
    assert found("job:errors:rate5m offset 1h") == {Past(rate, 3600, 3600, 60)}
    assert found("max_over_time((job:errors:rate5m > 1)[30m:5m])") == {Past(rate, 0, 1800, 60)}
    long = parse("avg_over_time(job:errors:rate5m[30d])")
    (past,) = pasts(long, index)
    assert past == Past(rate, 0, 2592000, 3840)
    assert reads(long, index) == {Read("errors_total", 0, 2592000, 300, 3840)}


@pytest.mark.parametrize("interval", [15.0, 30.0, 60.0, 300.0])
def test_thinned_records_fill_their_windows(interval: float) -> None:
    steps = []
    for days in (0.01, 0.5, 1, 3, 28, 30, 90, 365):
        span = days * 86400
        step = record_step(interval, span, span)
        assert step >= interval
        assert 5 <= span / max(step, interval) <= 3000 or step == interval
        steps.append(step)
    thin = [step for step in steps if step > interval]
    assert thin
    assert all(later % step == 0 for step in thin for later in thin if later > step), "they share moments"
    assert record_step(interval, 3600.0, 365 * 86400.0) <= 3600 / 5


def test_the_old_name_of_smoothing_stays_as_its_author_wrote_it() -> None:
    text = "sum(holt_winters(x[5m], 0.5, 0.1)) > 1 and -holt_winters(y[1h], 0.5, 0.1) < 2"
    assert to_text(parse(text)).count("holt_winters(") == 2
    assert "double_exponential_smoothing" not in to_text(parse(text))
