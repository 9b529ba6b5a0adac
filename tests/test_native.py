"""Native histograms: told from classic ones, searched as these, written and read as what they are; on real servers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from servers import Pair
from shop import run
from test_ask import NOW

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Buckets, Histogram, is_stale
from pytest_sre.model.scenario import Scenario, Series
from pytest_sre.promql.native import mapped
from pytest_sre.promql.parse import parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.sources.histograms import shown
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack.prometheus import takes_any_order
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.exponential import Native
from pytest_sre.synthesis.planner import plan
from pytest_sre.timemachine.rebuilt import rebuilt

BUCKETS = 'sum without (le) (rate(x_bucket{le="+Inf"}[5m]))'


def rules_of(*lines: str) -> tuple[Rule, ...]:
    """Rules of one group; each line is a flow mapping."""
    text = "groups:\n  - name: g\n    rules:\n" + "".join(f"      - {{{line}}}\n" for line in lines)
    return tuple(rule for group in parse_rule_file("r.yml", text).groups for rule in group.rules)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "histogram_quantile(0.9, sum by (job) (rate(x[5m]))) > 1",
            "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 1",
        ),
        ("histogram_quantile(0.9, sum(rate(x[5m])))", "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))"),
        ("histogram_count(rate(x[5m]))", BUCKETS),
        ("histogram_sum(rate(x[5m] offset 1h))", "rate(x_sum[5m] offset 1h)"),
        ("histogram_avg(rate(x[5m]))", f"rate(x_sum[5m]) / {BUCKETS}"),
        (
            "histogram_fraction(0, 0.3, rate(x[5m])) < 0.99",
            f'sum without (le) (rate(x_bucket{{le="0.3"}}[5m])) / {BUCKETS} < 0.99',
        ),
        (
            "histogram_quantile(0.9, rate(x[5m]) and on (job) up == 1)",
            "histogram_quantile(0.9, rate(x_bucket[5m]) and on (job) up == 1)",
        ),
        (
            "histogram_quantile(0.9, rate(x[5m]) + on (job) rate(y[5m]))",
            "histogram_quantile(0.9, rate(x_bucket[5m]) + on (job, le) rate(y_bucket[5m]))",
        ),
        ("absent(x)", 'absent(x_bucket{le="+Inf"})'),
    ],
)  # fmt: skip
def test_an_expression_for_classic_histograms(written: str, expected: str) -> None:
    assert to_text(mapped(parse(written), RuleIndex(()), {"x", "y"})) == expected


@pytest.mark.parametrize(
    "written",
    [
        "histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m])))",
        "histogram_quantile(0.9, rate(x_bucket[5m]))",
        "histogram_quantile(0.9, sum by (le) (job:x:rate5m))",
        "histogram_quantile(0.9, job:x:rate5m)",  # recorded elsewhere: it may be anything
        "rate(x_count[5m]) > 1",
    ],
)
def test_classic_histograms_remain_what_they_are(written: str) -> None:
    assert mapped(parse(written), RuleIndex(()), ()) == parse(written)


def test_records_tell_which_kind_they_hold() -> None:
    rules = rules_of(
        "record: native, expr: 'sum by (job) (rate(x[5m]))'",
        "record: classic, expr: 'sum by (job, le) (rate(x_bucket[5m]))'",
    )
    index = RuleIndex(rules)
    for name, made in (("native", "native_bucket"), ("classic", "classic")):
        assert to_text(mapped(parse(f"histogram_quantile(0.9, {name})"), index, ())) == (
            f"histogram_quantile(0.9, {made})"
        )


def series(name: str, rate: float, le: str = "") -> Series:
    labels = {"__name__": name, "job": "a", **({"le": le} if le else {})}
    return Series(tuple(sorted(labels.items())), tuple((t, rate * t + 0.1) for t in range(0, 600, 15)))


def test_classic_series_become_one_native_one() -> None:
    parts = [series("x_bucket", 45.0, "0.1"), series("x_bucket", 45.0, "1"), series("x_bucket", 50.0, "+Inf")]
    kind = Native(frozenset({"x"}), frozenset({"x", "y_total"}))
    kept, made = kind.assembled([*parts, series("x_sum", 7.0), series("y_total", 1.0)])
    assert dict(kept.labels)["__name__"] == "y_total"
    assert made.labels == (("__name__", "x"), ("job", "a"))
    values = [value for _, value in made.samples if isinstance(value, Histogram)]
    assert len(values) == len(made.samples) == 40
    last = values[-1]
    assert last.count == pytest.approx(50 * 585 + 1.1, abs=0.01)
    assert last.sum == pytest.approx(7 * 585 + 0.1)
    spread = [(high, count) for _, high, count in shown(last).buckets]
    assert sum(count for high, count in spread if high <= 0.11) == pytest.approx(0.9 * last.count, rel=0.001)
    assert sum(count for high, count in spread if high > 1) == pytest.approx(0.1 * last.count, rel=0.001)
    for one, other in pairwise(values):  # a bucket that goes down would be taken for a reset
        pairs = zip(one.positive.counts, other.positive.counts, strict=True)
        assert all(before <= after for before, after in pairs)


def test_classic_series_that_are_read_too_remain() -> None:
    kind = Native(frozenset({"x"}), frozenset({"x", "x_count"}))
    found = kind.assembled([series("x_bucket", 50.0, "+Inf"), series("x_count", 50.0)])
    assert [dict(one.labels)["__name__"] for one in found] == ["x_count", "x"]


def test_a_native_series_ends_with_its_classic_ones() -> None:
    (labels, samples) = (one := series("x_bucket", 50.0, "+Inf")).labels, one.samples
    ended = Series(labels, (*samples, (600.0, Histogram(sum=1.0))))
    (made,) = Native(frozenset({"x"}), frozenset()).assembled([ended])
    last = made.samples[-1][1]
    assert isinstance(last, Histogram)
    assert is_stale(last.sum)


@pytest.mark.parametrize(
    "value",
    [
        Histogram(3, 6.0, 4.5, positive=Buckets(-4, (1.0, 0.0, 2.0, 3.0))),
        Histogram(-2, 5.0, 4.5, 0.001, 2.0, Buckets(1, (1.0,)), Buckets(-1, (2.0,))),
        Histogram(8, 1.5, 4.5, positive=Buckets(2000, (1.5,))),
        Histogram(),
    ],
)
def test_what_the_api_shows_is_made_into_the_same_again(value: Histogram) -> None:
    assert rebuilt(shown(value)) == value


def test_alerts_get_native_series_apart_from_the_others() -> None:
    rules = rules_of(
        "alert: Native, expr: 'histogram_quantile(0.9, rate(x[5m])) > 1'",
        "alert: Classic, expr: 'histogram_quantile(0.9, rate(x_bucket[5m])) > 1'",
    )
    made = plan(rules, RuleIndex(rules), now=NOW)
    assert not made.unproven
    classic, native = made.batches
    assert [one.alert.name for one in native.scenarios] == ["Native"]
    (only,) = native.series
    assert dict(only.labels)["__name__"] == "x"
    assert all(isinstance(value, Histogram) for _, value in only.samples)
    assert all(isinstance(value, float) for one in classic.series for _, value in one.samples)


def test_what_is_said_of_an_alert_is_said_of_it_as_it_is_written() -> None:
    rules = rules_of("alert: A, expr: 'histogram_count(rate(x[5m])) < -1'")
    made = plan(rules, RuleIndex(rules), now=NOW)
    (failed,) = made.unproven
    assert not isinstance(failed, Scenario)
    assert failed.alert is rules[0]
    assert "bucket" not in failed.part
    found = contrast(rules[0], RuleIndex(rules), types={}, now=NOW, lookback=300.0, serial="1")
    assert not isinstance(found, Contrast)
    assert found.alert is rules[0]


@pytest.mark.parametrize(
    ("version", "expected"), [("2.53.3+ds1", False), ("3.5.0", True), ("10.1", True), ("", False)]
)
def test_which_servers_take_histograms_in_any_order(version: str, expected: bool) -> None:
    assert takes_any_order({"prometheus": version} if version else {}) is expected


RULES = """\
groups:
  - name: native
    interval: 30s
    rules:
      - {record: 'job:latency:rate5m', expr: 'sum by (job) (rate(latency_seconds[5m]))'}
      - {alert: Slow, expr: 'histogram_quantile(0.99, sum by (job) (rate(latency_seconds[5m]))) > 0.5', for: 10m}
      - {alert: Busy, expr: 'histogram_count(rate(rpc_seconds[5m])) > 100'}
      - {alert: Idle, expr: 'sum(histogram_count(rate(rpc_seconds[5m]))) < 1'}
      - {alert: Mean, expr: 'histogram_sum(rate(db_seconds[5m])) / histogram_count(rate(db_seconds[5m])) > 0.5', for: 5m}
      - {alert: Share, expr: 'histogram_fraction(0, 0.3, sum by (job) (rate(latency_seconds[5m]))) < 0.99'}
      - {alert: Recorded, expr: 'histogram_quantile(0.9, job:latency:rate5m) > 0.3', for: 2m}
      - {alert: Gone, expr: 'absent(rpc_seconds)'}
      - {alert: Long, expr: 'histogram_quantile(0.9, rate(db_seconds[6h])) > 1'}
      - {alert: Classic, expr: 'histogram_quantile(0.9, sum by (job, le) (rate(other_seconds_bucket[5m]))) > 1'}
"""
NEWER = """\
      - {alert: Average, expr: 'histogram_avg(rate(db_seconds[5m])) > 0.5'}
      - {alert: Spread, expr: 'histogram_stddev(rate(db_seconds[5m])) > 0.5'}
      - {alert: Variance, expr: 'histogram_stdvar(sum by (job) (rate(db_seconds[5m]))) > 2'}
      - {alert: RecordedOver, expr: 'histogram_avg(sum_over_time(job:latency:rate5m[30m])) > 0.3'}
"""
CHECKS = ("fires", "quiet", "detects", "resolves", "steady")


def test_they_fire_and_go_through_virtual_time(pair: Pair, tmp_path: Path) -> None:
    text = RULES if pair.name == "bookworm" else RULES + NEWER
    folder = tmp_path / "repo"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules/native.yml").write_text(text)
    (folder / "sre.yaml").write_text("rules: [rules/*.yml]\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = run(folder, pair, "--sre-backend=process")
    names = [rule.name for rule in parse_rule_file("native.yml", text).alerts]
    outcomes = {
        node: done.outcomes.get(node)
        for node in (f"rules/native.yml::{name}::{check}" for name in names for check in CHECKS)
    }
    assert set(outcomes.values()) == {"PASSED"}, done.output
    told = [change for change in done.seen["changes"] if change["where"] == "feature_flags"]
    assert "--enable-feature=native-histograms" in told[0]["what"]
