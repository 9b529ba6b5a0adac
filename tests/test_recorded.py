"""Alerts that range over recorded series: on real servers, with the history that the time machine makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import Pair
from shop import Result, run

from pytest_sre.live import recorded
from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Batch, Labels, Scenario, Series
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.reach import Past
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.stack.process import ProcessStack
from pytest_sre.timemachine.engine import Engine, open_engine

RULES = """\
groups:
- name: records
  rules:
  - record: job:errors:ratio_rate5m
    expr: sum by (job) (rate(http_errors_total[5m])) / sum by (job) (rate(http_requests_total[5m]))
  - record: job:jobs_done:rate5m
    expr: sum by (job) (rate(jobs_done_total[5m]))
  - record: job:jobs_done:max1h
    expr: max_over_time(job:jobs_done:rate5m[1h])
  - record: queue:length:sum
    expr: sum by (queue) (queue_length)
  - record: slo:sli_error:ratio_rate5m
    expr: sum(rate(sli_errors_total[5m])) / sum(rate(sli_total[5m]))
    labels: {sloth_window: 5m}
  - record: slo:sli_error:ratio_rate30d
    expr: |
      sum_over_time(slo:sli_error:ratio_rate5m[30d]) / ignoring (sloth_window)
      count_over_time(slo:sli_error:ratio_rate5m[30d])
    labels: {sloth_window: 30d}
- name: alerts
  rules:
  - {alert: AverageOfRecord, expr: "avg_over_time(job:errors:ratio_rate5m[1h]) > 0.05", for: 1h}
  - {alert: Chain, expr: "min_over_time(job:jobs_done:max1h[2h]) > 200"}
  - {alert: Offset, expr: "queue:length:sum > 1.5 * queue:length:sum offset 1h and queue:length:sum > 100", for: 5m}
  - {alert: Subquery, expr: "max_over_time((queue:length:sum > 500)[6h:5m]) > 0"}
  - {alert: Rate, expr: "deriv(queue:length:sum[30m]) > 1"}
  - {alert: Month, expr: "slo:sli_error:ratio_rate30d > 0.001", for: 15m}
  - {alert: Plain, expr: "queue_length > 900"}
"""
ALERTS = ("AverageOfRecord", "Chain", "Offset", "Subquery", "Rate", "Month", "Plain")


def rule(name: str, expr: str, **labels: str) -> Rule:
    kind = "alert" if name[0].isupper() else "record"
    return Rule(kind, name, expr, Location("r.yml", 1), 1, "g", 0, labels)  # type: ignore[arg-type]


def fired(folder: Path, pair: Pair, *options: str) -> Result:
    """A run over these rules alone."""
    work = folder / "work"
    work.mkdir()
    (work / "rules.yml").write_text(RULES)
    return run(work, pair, *options)


def test_alerts_over_recorded_series_fire(tmp_path: Path, pair: Pair) -> None:
    result = fired(tmp_path, pair)

    assert {f"rules.yml::{name}::fires" for name in ALERTS} <= result.outcomes.keys()
    assert {result.outcomes[f"rules.yml::{name}::fires"] for name in ALERTS} == {"PASSED"}, result.output
    thinned = [change for change in result.seen["changes"] if "instead of every 60s" in change["what"]]
    assert [change["where"] for change in thinned] == ["record slo:sli_error:ratio_rate5m"]


def test_without_such_alerts_no_engine_is_opened() -> None:
    alert, record = rule("Hot", "room:heat > 5"), rule("room:heat", "max by (room) (heat)")
    batch = Batch((Scenario(alert, (), ()),), ())

    @contextmanager
    def opened() -> Iterator[Engine]:
        pytest.fail("an engine was opened")
        yield

    assert recorded.history(batch, RuleIndex([alert, record]), 0.0, opened) == recorded.Recorded()


def test_stretches_are_dense_where_something_needs_it() -> None:
    one = rule("x", "y")
    wanted = [Past(one, 0, 600, 60), Past(one, 0, 86400, 960), Past(one, 7200, 7200, 60)]
    found = recorded.stretches(wanted, 1_000_000.0)
    ticks = [tick - 1_000_000 for stretch in found for tick in stretch.ticks]

    assert ticks == sorted(set(ticks))
    assert {-60.0 * i for i in range(11)} <= set(ticks), "the last ten minutes, with now"
    assert {-960.0 * i for i in range(91)} <= set(ticks), "the day"
    assert {-7200.0 + 60 * i for i in range(9)} <= set(ticks), "the offset, as long as the run may last"
    assert len(ticks) < 90 + 11 + 12
    assert recorded.stretches([Past(one, 3600, 3600, 60)], 0.0) == (Stretch(-3600.0, -3060.0, 60),)


def test_the_engine_writes_what_the_chain_would_have(stack: ProcessStack, pair: Pair, tmp_path: Path) -> None:
    """A rule that reads the one after it, a rule without a result for a while, and a series by hand."""
    alert = rule(
        "High", "max_over_time(b[10m]) > 5 and max_over_time(c[10m]) > 0 and min_over_time(d[5m]) > 1"
    )
    records = [
        rule("b", "max_over_time(a[5m])"),
        rule("a", "2 * raw", kind="double"),
        rule("c", "raw > 50"),
        rule("d", "raw"),
    ]
    by_hand: Labels = (("__name__", "d"),)
    raw = Series((("__name__", "raw"),), tuple((60.0 * i, float(100 + i)) for i in range(-60, 1)))
    given = Series(by_hand, ((-60.0, 3.0), (0.0, 3.0)))
    batch = Batch((Scenario(alert, (raw, given), ()),), (raw, given))
    began = float(int(time.time()))
    made = recorded.history(
        batch,
        RuleIndex([alert, *records]),
        began,
        lambda: open_engine(stack, pair.servers.prometheus, tmp_path / "engine", "engine"),
    )

    found = {dict(one.labels)["__name__"]: one for one in made.series}
    assert dict(found["a"].labels) == {"__name__": "a", "kind": "double"}
    assert dict(found["a"].samples)[-300.0] == 190.0
    assert dict(found["b"].samples) == {-60.0 * i: 200.0 - 2 * i for i in range(11)}
    assert dict(found["c"].samples) == {-60.0 * i: 100.0 - i for i in range(11)}
    assert all(when <= 0 for one in made.series for when, _ in one.samples)
    assert "d" not in found, "what is given by hand is not made"
