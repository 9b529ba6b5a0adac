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
