"""Which alerts can never fire, and why; which must not be called so."""

from __future__ import annotations

import pytest
from servers import REPO

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.promql.parse import parse
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never import KnownTypes, always, impossible, misuses, unscraped


def record(name: str, expr: str, line: int = 1, **labels: str) -> Rule:
    """A recording rule."""
    return Rule("record", name, expr, Location("rules.yml", line), line, "g", line, labels)


def alert(expr: str, hold: float = 0.0) -> Rule:
    """An alerting rule; ``hold`` in seconds."""
    return Rule("alert", "Alert", expr, Location("rules.yml", 9), 9, "g", 9, hold=hold)


RULES = RuleIndex([
    record("job:errors:ratio", 'sum by (job) (rate(r_total{code="500"}[5m])) / sum by (job) (rate(r_total[5m]))', 3),
    record("job:errors:pages", "job:errors:ratio > 0.5", 4, severity="page"),
    record("node:down", "up == 0", 5, team="infra"),
    record("loop", "loop + 1", 6),
    record("job:e:rate", 'sum by (job) (rate(r_total{code="500"}[5m]))', 8),
    record("job:r:rate", "sum by (job) (rate(r_total[5m]))", 9),
    record("ring:a", "ring:b", 10),
    record("ring:b", "ring:a", 11),
    record("deep:never", "node:down > 0", 7),
])  # fmt: skip


@pytest.mark.parametrize(
    ("expr", "reasons"),
    [
        # matchers
        ('x{a="1",a="2"}', ['a="1" and a="2" let no value through together']),
        ('x{a="x",a!~"x|y"}', ["let no value through"]),
        ('x{a=~"x|y|z",a!="x",a!~"y|z"} > 1', ["let no value through"]),
        ('x{a=~"ab?[0-2]",a!~"a.*"} > 1', ["let no value through"]),
        ('x{a=~"foo.*",a!~"bar|foo.*"} > 1', ["let no value through"]),
        ('x{a!~".*"} > 1', ["lets nothing through", "a missing label too"]),
        ('x{a=~".+",a=""} > 1', ["let no value through"]),
        ('sum(rate(x_total{a="1",a="2"}[5m])) > 1', ["let no value through"]),
        ('{__name__=~"a|b",__name__!~"a|b"} > 1', ["__name__"]),
        ('ALERTS{alertstate="resolved"}', ["alerts are pending or firing"]),
        # labels across operators
        (
            'a / ignoring(limit) b{limit="x"} * 100 > 80 and b{limit="x"} > 0',
            ["never agree on limit", "ignoring (limit) drops it", 'the selector says limit="x"'],
        ),
        ('a{s="hit"} + a{s="miss"} > 0', ["never agree on s", 's is always "hit"', 's is always "miss"']),
        ('sum by (i, s) (a{s=~"5.."}) / sum by (i) (a) > 1', ["s is always there", "sum by (i) keeps only i"]),
        ('a{job="j"} / sum(a) > 0.1', ["job is never there (sum() keeps no labels)"]),
        ('a > on (x) b and b{job="j"}', ["job is never there (on (x) keeps nothing else)"]),
        ('count without (s) (a) > on (s) b{s="1"}', ["count without (s) drops it"]),
        ('label_replace(a, "s", "x", "", "") and on (s) b{s="y"}', ['label_replace sets s="x"']),
        ('label_replace(a{p="1"}, "s", "$1", "p", "(.*)") and on (s) b{s="2"}', ['s is always "1"']),
        ('up{job="a"} == 0 and up{job="b"} == 0', ['job is always "a" (the selector says job="a")']),
        ('vector(1) and b{job="j"}', ["job is never there"]),
        ('absent(a{job="a"}) and on (job) b{job="b"}', ['job is always "a"']),
        ('a * on (i) group_left (v) b{v="1"} > 1 and c{v="2"}', ['v is always "1"']),
        ('job:errors:pages{severity="page",path="/"}', ["no recorded series", "rules.yml:4"]),
        ('job:errors:ratio{path="/"} > 0.1', ["path is never there", "job:errors:ratio is recorded (rules.yml:3)"]),
        # values
        ("count(up) == 0", ["at least 1, the rule needs exactly 0", "count() has no result"]),
        ("sum by (job) (flag == 0) > 0", ["always 0, the rule needs more than 0", "keeps the values of its left side"]),
        ("(x > 0.5) < 0.4", ["more than 0.5, the rule needs less than 0.4"]),
        ("5 < (x < 5)", ["less than 5, the rule needs more than 5"]),
        ("(x > 5) <= 5", ["more than 5"]),
        ("absent(x) != 1", ["always 1, the rule needs anything but 1"]),
        ("absent(x) == 0", ["always 1"]),
        ("hour() > 24", ["at most 23"]),
        ("day_of_week() > 6 or day_of_month() < 1", ["at most 6", "at least 1"]),
        ("month(x) == 13", ["at most 12"]),
        ("rate(x_total[5m]) < 0", ["at least 0"]),
        ("x_total < 0", ["at least 0"]),
        ("abs(x) < 0", ["at least 0"]),
        ("sum(ALERTS) == 0", ["at least 1"]),
        ("clamp_max(x, 5) > 7", ["at most 5"]),
        ("count_over_time(x[1h:1m]) > 61", ["at most 61"]),
        ("changes(up[10m:1m]) > 10", ["at most 10"]),
        ("up == 2", ["at most 1"]),
        ("(up > bool 3) == 1", ["always 0"]),
        ("1 - avg(rate(cpu_seconds_total[5m])) > 80", ["at most 1", "exceeds"][:1]),
        ("rate(e_total[5m]) / (rate(e_total[5m]) + rate(g_total[5m])) > 25", ["at most 1 (100 % errors)"]),
        ("100 * sum(rate(x_total{a=\"1\"}[5m])) / (sum(rate(x_total[5m])) > 0) > 120", ["at most 100"]),
        ("x_avail_bytes / x_size_bytes > 15", ["at most 1"]),
        ("job:e:rate / job:r:rate > 5", ["at most 1"]),
        ('job:e:rate{job="a"} / job:r:rate{job="a"} * 100 > 500', ["at most 100"]),
        ('sum by (i, s) (rate(e_total{s="5"}[5m])) / on (i) group_left sum by (i) (rate(e_total[5m])) > 5', ["at most 1"]),
        ('sum by (i, s) (rate(e_total[5m])) / ignoring (s) group_left sum by (i) (rate(e_total[5m])) > 5', ["at most 1"]),
        ("rate(e_total[5m]) / ignoring (s) group_left sum without (s) (rate(e_total[5m])) > 5", ["at most 1"]),
        ("sum(up) / count(up) > 90", ["at most 1"]),
        ('100 / a * a{d="free"} < 20', ["always 100, as each series is divided by itself"]),
        ("job:errors:ratio > 14.4 * (1 - 0.9)", ["at most 10x burn is possible at an objective of 90 %"]),
        ("deep:never", ["always 0", "deep:never records (rules.yml:7)"]),
        ("histogram_quantile(0.9, sum by (job) (rate(x_bucket[5m]))) > 1", ["needs the label le", "keeps only job"]),
        # how sides hang together
        ("x > 10 and x < 5", ["x > 10 and x < 5 exclude each other"]),
        ('x{a="1"} * 100 > 50 and x < 0.4', ["exclude each other"]),
        ("sum by (j) (x) > 5 and on (j) sum by (j) (x) < 5", ["exclude each other"]),
        ("a > b and a < b", ["exclude each other"]),
        ("absent(x) and x", ["absent(x) has a result only without"]),
        ('absent(x{a=~"1|2"}) and on () sum(x{a="1"}) > 0', ["has a result only without"]),
        ("absent(sum(x) or vector(0))", ["always has a result"]),
        ("x unless x", ["unless leaves nothing"]),
        ('x{a="1"} > 5 unless x', ["unless leaves nothing"]),
        ("x > 10 unless x > 5", ["unless leaves nothing"]),
        ("x unless on () (y or vector(0))", ["on () matches all"]),
        # times
        ("timestamp(x > 1) < time() - 60", ["timestamp() of anything but a selector"]),
        ("time() - timestamp(x) > 600", ["at most 300"]),
    ],
)  # fmt: skip
def test_never(expr: str, reasons: list[str]) -> None:
    found = impossible(parse(expr), RULES)
    assert found is not None
    assert found.next_step
    for reason in reasons:
        assert reason in found.reason


@pytest.mark.parametrize(
    "expr",
    [
        'x{a=~"x|y",a!~"y"}', 'x{a=~"foo.*",a!~"bar"}', 'x{a!~".+"}', 'x{a=~"(?i)x",a="X"}', 'x{a=~"[[:alpha:]]",a="b"}',
        'x{a="",b=""}', 'ALERTS{alertstate="firing"}', 'x{a=~"\\\\pL",a="y"}',
        'a / ignoring(limit) b{limit="x"} and ignoring(limit) b{limit="x"} > 0',
        'a{s="hit"} + ignoring(s) a{s="miss"} > 0', 'sum by (i, s) (a{s=~"5.*"}) / ignoring(s) group_left sum by (i) (a) > 1',
        'sum by (i, s) (a{s=~"5.*|"}) / sum by (i) (a) > 1', 'a{job="j"} / on () group_left sum(a) > 0.1',
        'a{job="j"} or b{job="k"}', 'a{job="j"} unless b{job="k"}', 'a and on (i) b{job="j"}',
        'label_replace(a, "s", "x", "t", "y") and on (s) b{s="z"}', 'label_replace(a, "s", "$2", "t", "(.)(.)") == on (s) b{s="z"}',
        'absent(a{job="a"}) and on () b{job="b"}', 'count by (s) (a) > on (s) b{s="1"}', 'count_values("s", a) > on (s) b{s="1"}',
        'topk(1, a) and b{job="j"}', 'a * on (i) group_left (v) b > 1 and c{v="2"}', "job:errors:pages{severity=\"ticket\"}",
        'job:errors:ratio{job="a"} > 0.1', 'job:errors:ratio{cluster="eu"} > 0.1', 'job:errors:pages{severity="page"}', 'node:down{team="infra"}', "loop > 5", "loop < 0",
        "count(up == 0) == 1", "count(x) == 1", "sum(x == 1) > 3", "sum(x == bool 0) > 0", "(x > 0.5) < 0.6", "(x >= 5) <= 5",
        "x == 0 or x > 5", "x < 0", "x_bytes < 0", "delta(x_total[5m]) < 0", "rate(x_total[5m]) - rate(y_total[5m]) < 0",
        "hour() > 22", "day_of_week() == 6", "x_balance_total < 0", "sum_over_time(up[1h]) > 5", "count_over_time(x[1h]) > 61",
        "count_over_time(x[1h:1m]) > 60", "rate(a_total[5m]) / rate(b_total[5m]) > 25", "x / (x + y) > 1.5", "1 / (a + b) > 2",
        "(a_total + 5) / (a_total + b_total) > 1.5", "x_avail_bytes / y_size_bytes > 15", "job:e:rate / job:r:rate offset 1h > 5", "ring:a / ring:b > 5", "job:r:rate / job:e:rate > 5",
        'sum by (i, s) (rate(e_total[5m])) / on (j) group_left sum by (j) (rate(e_total[5m])) > 5', "sum(x) / count(x) > 90",
        "sum by (s) (rate(e_total[5m])) / ignoring (s) group_left sum by (i) (rate(e_total[5m])) > 5", "sum(up) / count(up == 0) > 90",
        "rate(e_total[5m]) / ignoring (s) group_left sum without (s, t) (rate(e_total[5m])) > 5", "100 / a * b < 20",
        "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1", "histogram_quantile(0.9, sum by (job) (rate(x[5m]))) > 1",
        "histogram_quantile(0.9, sum by (vmrange) (rate(x_bucket[5m]))) > 1",
        "x > 10 and y < 5", "x > 10 and x offset 5m < 5", "x > 10 and on (i) x < 5", "max(x) > 10 and min(x) < 5",
        "sum by (j, k) (x) > 5 and on (j) sum by (j, k) (x) < 5", "x > 10 and ignoring (a) x < 5", "a > b and a < c",
        'absent(x{a="1"}) and on () x', "absent(x) and on () y", "absent(x) or x", "absent_over_time(x[5m]) and x",
        "x unless y", 'x unless x{a="1"}', "x > 5 unless x > 10", "x unless x offset 1h", "x unless on (a) x > 5",
        "timestamp(x) < time() - 60", "time() - timestamp(x) > 200", "time() - x_timestamp_seconds > 600", "time() - timestamp(x offset 1h) > 600",
        "x != 1", "up != 1", "x / 0 > 5", "-x > 5", "x % 5 > 3", "scalar(x) > y", "x > scalar(y > 5)", "group(x) != scalar(group(y))", "rate(room_celsius[5m]) < 0", "rate((a - b)[5m:]) < 0", "vector(1)",
        'info(x) > 1 and y{a="1"}', "quantile(0.9, x) > 5", "histogram_quantile(1.5, rate(x_bucket[5m])) > 1e9",
    ],
)  # fmt: skip
def test_may(expr: str) -> None:
    assert impossible(parse(expr), RULES) is None


def test_looking_back_bounds_how_long_it_lasts() -> None:
    expr = "x == 0 and x offset 1h > 0"
    found = impossible(parse(expr), RULES, alert=alert(expr, 3600.0))
    assert found is not None
    assert "hold together for less than 1h" in found.reason
    assert impossible(parse(expr), RULES, alert=alert(expr, 3540.0)) is None
    times = "time() - x < 60 and time() - x offset 1h > 600"
    assert impossible(parse(times), RULES, alert=alert(times, 3600.0)) is None
    other = "x == 0 and on (instance) x offset 1h > 0"
    assert impossible(parse(other), RULES, alert=alert(other, 3600.0)) is None


class Buckets(KnownTypes):
    """Facts where a histogram's bounds are known."""

    def bounds(self, name: str) -> tuple[float, ...]:
        """Those of x_bucket."""
        return (0.1, 1.0, 10.0, float("inf")) if name == "x_bucket" else ()


def test_facts() -> None:
    facts = Buckets({"g": "gauge", "c": "counter", "x_bucket": "histogram"})
    high = parse("histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m]))) > 10")
    assert impossible(high, RULES) is None
    assert impossible(high, RULES, facts) is not None
    assert impossible(parse("histogram_quantile(0.99, rate(x_bucket[5m])) > 5"), RULES, facts) is None
    assert impossible(parse("histogram_quantile(0.99, rate(y_bucket[5m])) > 50"), RULES, facts) is None
    assert impossible(parse("c < 0"), RULES, facts) is not None
    assert impossible(parse("g < 0"), RULES, facts) is None


@pytest.mark.parametrize(
    ("expr", "part", "existence"),
    [
        ("up >= 0", "up >= 0", False),
        ("sum(rate(x_total[5m])) >= 0", "sum(rate(x_total[5m])) >= 0", False),
        ("0 <= up", "0 <= up", False),
        ("x > 5 or up < 2", "up < 2", False),
        ("up >= 0 and up <= 1", "up >= 0", False),
        ("x_avail_bytes / x_size_bytes < 10", "x_avail_bytes / x_size_bytes < 10", False),
        ("job:errors:ratio < 5", "job:errors:ratio < 5", False),
        ('x{a="1"} / x > 0.05', 'x{a="1"} / x > 0.05', False),
        ('count(x{a="1"}) > 0', 'count(x{a="1"}) > 0', True),
    ],
)
def test_always(expr: str, part: str, existence: bool) -> None:
    found = always(parse(expr), RULES)
    assert found is not None
    assert (found.part, found.existence) == (part, existence)
    assert "whatever the data" in found.reason


@pytest.mark.parametrize(
    "expr",
    [
        "up", "vector(1)", "up > 0", "x >= 0", "up >= 0 and x > 1", "count(x == 0) > 0", "x_total >= -scalar(y_total)", "absent(x) == 1", "node:down == 0",
        'count(ALERTS{alertname="A"}) >= 1', "vector(1) > 0", "job:errors:pages > 0.1", "x_total > 0", "x != 3",
    ],
)  # fmt: skip
def test_not_always(expr: str) -> None:
    assert always(parse(expr), RULES) is None


def test_misuse() -> None:
    facts = KnownTypes({"g": "gauge", "c": "counter", "odd_total": "gauge"})
    assert [one.part for one in misuses(parse("rate(g[5m]) > 1 or delta(c[5m]) < 0"), RULES, facts)] == [
        "rate(g[5m])",
        "delta(c[5m])",
    ]
    assert (
        "rate() of a gauge: up is a gauge (its name says so)"
        in misuses(parse("rate(up[5m]) > 0"), RULES)[0].reason
    )
    for fine in (
        "rate(c[5m]) > 1",
        "rate(odd_total[5m]) > 1",
        "delta(g[5m]) > 1",
        "rate(other[5m]) > 1",
        "g > 1",
    ):
        assert not misuses(parse(fine), RULES, facts)


def test_scraped_series_have_job_and_instance() -> None:
    found = unscraped(parse("sum by (instance) (a) / (b * c) > 0.2"), RULES)
    assert found is not None
    assert "job is never there (sum by (instance) keeps only instance)" in found.reason
    assert "job is always there (every scraped series has it)" in found.reason
    for fine in (
        "sum by (instance, job) (a) / on (instance, job) (b * c) > 0.2", "sum by (instance) (a) / sum by (instance) (b) > 2",
        "sum by (instance) (a) / b:c > 0.2", "count(up) == 0", "absent(a) and on () b",
    ):  # fmt: skip
        assert unscraped(parse(fine), RULES) is None


PAGE = (REPO / "docs/checks/fires.md").read_text()
TABLE = PAGE[PAGE.index("| Expression | What it says |") :].split("\n\n")[0].replace("\\|", "\0")
ROWS = [
    [cell.strip().replace("\0", "|") for cell in row.strip("| ").split("|")] for row in TABLE.splitlines()[2:]
]


@pytest.mark.parametrize(("shown", "says"), ROWS)
def test_the_page_says_what_is_said(shown: str, says: str) -> None:
    expr = shown.split("`")[1]
    found = impossible(parse(expr), RULES, alert=alert(expr, 3600.0))
    assert found is not None
    assert says in found.reason


def test_the_page_shows_a_finding_as_it_is() -> None:
    expr = "sum by (job) (config_last_reload_successful == 0) > 0"
    found = impossible(parse(expr), RULES)
    assert found is not None
    for line in (
        f"  seen:     {found.reason}",
        f"  in        {found.part}",
        f"  next:     {found.next_step}",
    ):
        assert f"{line}\n" in PAGE


@pytest.mark.parametrize(
    "expr",
    [
        "node_filesystem_size_bytes / node_filesystem_avail_bytes < 0.1",
        'sum by (job) (rate(h[5m])) / sum by (job) (rate(h{code=~"5.."}[5m])) < 0.5',
        "(good_total + bad_total) / bad_total < 0.5",
    ],
)
def test_a_whole_is_no_less_than_its_part(expr: str) -> None:
    found = impossible(parse(expr), RuleIndex(()))
    assert found is not None
    assert "at least 1" in found.reason
