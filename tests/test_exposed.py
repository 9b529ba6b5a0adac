"""Series that are made with the labels, values and buckets of real ones."""

from __future__ import annotations

from textwrap import indent

import pytest

from pytest_sre.model.scenario import NotSynthesised
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import TARGET_LABELS
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.sources.snapshot import Source, parse_snapshots
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.exposed import Exposed

PAGE = """\
# TYPE http_requests_total counter
http_requests_total{code="200",handler="/cart",method="GET"} 5
http_requests_total{code="404",handler="/cart",method="POST"} 1
# TYPE http_errors_total counter
http_errors_total{handler="/cart",kind="timeout"} 1
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.2"} 1
latency_seconds_bucket{le="0.7"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 0.4
latency_seconds_count 2
queue_length{queue="refund"} 2
shop_info{version="1.2"} 1
"""
FEDERATED = 'orders_total{instance="a:1",job="checkout",region="eu"} 5\n'


def made(expr: str, *pages: str) -> Contrast | NotSynthesised:
    text = f"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: |\n{indent(expr, '      ')}\n"
    (rule,) = parse_rule_file("r.yml", text).alerts
    snapshots = parse_snapshots(
        (Source(f"{number}.prom", page) for number, page in enumerate(pages or (PAGE, FEDERATED))),
        TARGET_LABELS,
    )
    found = contrast(
        rule, RuleIndex(()), types=snapshots.types, now=1.79e9, lookback=300.0, serial="7", real=Exposed(snapshots)
    )  # fmt: skip
    assert isinstance(found, (Contrast, NotSynthesised))
    return found


def series(expr: str, *pages: str) -> list[dict[str, str]]:
    found = made(expr, *pages)
    assert isinstance(found, Contrast), found
    return [dict(one.labels) for one in found.behaviours]


def test_series_have_the_labels_of_real_ones_and_those_of_their_target() -> None:
    (one,) = series('rate(http_requests_total{code="503"}[5m]) > 1')
    assert one == {
        "__name__": "http_requests_total", "code": "503", "handler": "/cart", "method": "GET",
        "job": "job-7", "instance": "instance-7",
    }  # fmt: skip


def test_a_page_of_federate_tells_the_targets_labels_too() -> None:
    (one,) = series('orders_total{pod=~".*"} > 1')
    assert one == {"__name__": "orders_total", "job": "job-7", "instance": "instance-7", "region": "eu"}


def test_matchers_find_real_values() -> None:
    (one,) = series('rate(http_requests_total{code=~"4..",method!="GET"}[5m]) > 1')
    assert (one["code"], one["method"]) == ("404", "POST")


def test_what_an_alert_groups_by_keeps_its_own_value_so_that_alerts_stay_apart() -> None:
    assert {one["queue"] for one in series("sum by (queue) (queue_length) > 10")} == {"queue-7"}


def test_histograms_have_the_buckets_of_real_ones() -> None:
    found = series("histogram_quantile(0.9, rate(latency_seconds_bucket[5m])) > 0.3")
    assert [one["le"] for one in found] == ["0.2", "0.7", "+Inf"]


def test_bounds_are_compared_as_numbers_and_written_as_the_alert_does() -> None:
    page = PAGE.replace('le="0.7"', 'le="1"') + 'wait_seconds{quantile="1"} 3\n'
    assert [one["le"] for one in series('rate(latency_seconds_bucket{le="1.0"}[5m]) > 1', page)] == [
        "0.2",
        "1.0",
        "+Inf",
    ]
    assert "1.0" in {
        one["le"] for one in series('rate(latency_seconds_bucket{le=~"1\\\\.0|5"}[5m]) > 1', page)
    }
    (one,) = series('wait_seconds{quantile="1.0"} > 1', page)
    assert one["quantile"] == "1.0"


@pytest.mark.parametrize(
    ("expr", "lacking"),
    [
        ("sum by (pod, shard) (queue_length) / on (shard) shop_info{shard=~'.+'} > 1", "queue_length has no label shard"),
        ("rate(http_errors_total[5m]) / rate(http_requests_total[5m]) > 0.1", "by their own labels it has no result"),
        ('http_requests_total{status="500"} > 1', "http_requests_total has no label status"),
        ('rate(latency_seconds_bucket{le="0.5"}[5m]) > 1', "by their own labels it has no result"),
    ],
)  # fmt: skip
def test_what_real_series_never_fire_is_told(expr: str, lacking: str) -> None:
    found = made(expr)
    assert isinstance(found, NotSynthesised)
    assert lacking in found.reason
    assert isinstance(made(expr, "other 1\n"), Contrast)


def test_joins_work_where_real_labels_allow_it() -> None:
    ratio = (
        "sum by (handler) (rate(http_errors_total[5m])) / sum by (handler) (rate(http_requests_total[5m]))"
    )
    found = series(f"{ratio} > 0.1")
    assert {one["__name__"] for one in found} == {"http_errors_total", "http_requests_total"}
    assert all(one["handler"] == "handler-7" for one in found)
