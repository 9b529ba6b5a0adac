"""Check `known`: metrics, labels and values that do not exist."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from pytest_sre.checks import known
from pytest_sre.checks.case import Case, Skipped
from pytest_sre.model.finding import Finding
from pytest_sre.settings import TARGET_LABELS, SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.sources.snapshot import KEPT, Source, parse_snapshots

PAGE = """\
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET"} 5
http_requests_total{code="500",method="POST"} 1
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="1"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 0.4
latency_seconds_count 2
queue_length{queue="refund"} 2
build_info{version="1.2"} 1
disk_bytes{disk="/dev/sda",zone="eu-west-1a"} 1
"""
SCRAPED = 'orders_total{instance="a:1",job="checkout",region="eu"} 5\n'
RECORDS = """\
groups:
- name: r
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(http_requests_total{code="500"}[5m]))
  - record: code:errors:rate5m
    expr: sum by (code) (rate(http_requests_total[5m]))
"""


def case(expr: str, *pages: str) -> Case:
    files = [parse_rule_file("r.yml", RECORDS)]
    alert = f"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: |\n{indent(expr, '      ')}\n"
    files.append(parse_rule_file("a.yml", alert))
    snapshots = parse_snapshots(
        (Source(f"{number}.prom", text) for number, text in enumerate(pages)), TARGET_LABELS
    )
    inventory = Inventory(Path(), tuple(files), (), (), None, PrometheusConfig(), snapshots)
    return Case(files[1].alerts[0], None, {}, SreYaml(), inventory, "")


def found(expr: str, *pages: str) -> list[Finding]:
    verdict = known.judge(case(expr, *(pages or (PAGE, SCRAPED))))
    assert isinstance(verdict, tuple)
    return list(verdict)


@pytest.mark.parametrize(
    "expr",
    [
        'rate(http_requests_total{code="200"}[5m]) > 1',
        'rate(http_requests_total{code="503"}[5m]) > 1',  # not seen yet
        'rate(http_requests_total{method="DELETE"}[5m]) > 1',
        'http_requests_total{code=~"5..|429"} > 1',
        'http_requests_total{code!~"5.."} > 1',
        'http_requests_total{job="chekout"} > 1',  # the page has no job: it may be anything
        'http_requests_total{namespace="x",pod=~"y.*"} > 1',
        'http_requests_total{env!="test",env=""} > 1',
        'orders_total{job="payments"} > 1',
        'disk_bytes{disk="/dev/sdb",zone="eu-west-1b"} > 1',
        'disk_bytes{disk=~"/dev/sdb|/dev/sdc"} > 1',
        'latency_seconds_bucket{le="1.0"} > 1',
        'up{anything="x"} == 0',
        "count by (pods, mode, services) (up) == 0",
        'ALERTS{alertname="B"} > 1',
        "elsewhere:orders:rate5m > 1",
        '{__name__=~"whatever_.*"} > 1',
        "sum by (job, namespace, code) (http_requests_total) > 1",
        "queue_length * on (instance) group_left (version) build_info > 1",
        "sum by (job) (queue_length) * on (job) group_left (__name__) sum by (job) (shop_x:y:z)",
        'label_replace(queue_length, "q", "$1", "queue", "(.+)") > 1',
        'job:errors:rate5m{job="checkout"} > 1',
        "code:errors:rate5m > on (code) group_left sum by (code) (http_requests_total)",
    ],
)
def test_what_exists_or_may_exist(expr: str) -> None:
    assert found(expr) == []


@pytest.mark.parametrize(
    ("expr", "summary", "next_step"),
    [
        ("rate(http_request_total[5m]) > 1", "A reads http_request_total, which nothing exposes or records", "http_requests_total"),
        ("rate(latency_seconds[5m]) > 1", "A reads latency_seconds, which nothing exposes or records", "latency_seconds_sum"),
        ("mysql_up == 0", "A reads mysql_up, which nothing exposes or records", "mend the name"),
        ("job:errors:rate5 > 1", "A reads job:errors:rate5, which nothing records", "job:errors:rate5m"),
        ('http_requests_total{cod="500"} > 1', "A matches http_requests_total by cod, a label that it does not have", "code"),
        ('http_requests_total{methd!="GET"} > 1', "A matches http_requests_total by methd, a label that it does not have", "method"),
        ('http_requests_total{queue="refund"} > 1', "A matches http_requests_total by queue, a label that it does not have", "mend the matcher"),
        ('orders_total{pod!=""} > 1', "A matches orders_total by pod, a label that it does not have", "mend the matcher"),
        ('queue_length{queue="refnud"} > 1', "A matches queue_length by queue='refnud', a value that it does not have", "refund"),
        ('http_requests_total{method=~"get|post"} > 1', "A matches http_requests_total by method=~'get|post', a value that it does not have", "GET"),
        ('orders_total{job="chekout"} > 1', "A matches orders_total by job='chekout', a value that it does not have", "checkout"),
        ('latency_seconds_bucket{le="0.3"} > 1', "A reads the bucket le='0.3' of latency_seconds_bucket, which it does not have", "0.1"),
        ('job:errors:rate5m{instance="a"} > 1', "A matches job:errors:rate5m by instance, a label that it does not have", "mend the matcher"),
        ('up{ojb="a"} == 0', "A matches up by ojb, a label that it does not have", "job"),
        ("sum by (ojb) (up) == 0", "A names ojb in `by (ojb)`, a label that is not there", "job"),
        ("sum by (cod) (http_requests_total) > 1", "A names cod in `by (cod)`, a label that is not there", "code"),
        ("sum by (job) (x:y:z) / on (code) sum by (code) (http_requests_total) > 1", "A names code in `on (code)`, a label that is not there", "take the label out"),
        ("queue_length * on (job) group_left (versoin) build_info > 1", "A names versoin in `group_left (versoin)`, a label that is not there", "version"),
        ('label_replace(queue_length, "q", "$1", "queu", "(.+)") > 1', "A names queu in `label_replace`, a label that is not there", "queue"),
    ],
)  # fmt: skip
def test_what_does_not_exist(expr: str, summary: str, next_step: str) -> None:
    (finding,) = found(expr)
    assert (finding.summary, finding.severity) == (summary, "error")
    assert next_step in finding.next_step


def test_a_label_that_is_of_no_use_only_warns() -> None:
    (finding,) = found("sum by (handler, code) (http_requests_total) > 1")
    assert (finding.severity, finding.seen) == ("warning", "by (handler, code) over http_requests_total")
    assert finding.expected == "one of code, method and those that scraping adds"
    (bare,) = found("sum by (handler) (latency_seconds_sum) > 1")
    assert bare.expected == "one of those that scraping adds"


def test_a_recording_rule_is_told_as_such() -> None:
    (finding,) = found("job:errors:rate5m > 1", PAGE.replace("code=", "status="))
    assert finding.summary.startswith(
        "the recording rule job:errors:rate5m, which A needs, matches http_requests_total by code"
    )
    assert "status" in finding.expected


def test_without_snapshots_recorded_names_are_compared() -> None:
    renamed = case("job:error:rate5m > 1")
    assert known.asks(renamed.rule, renamed.inventory)
    (finding,) = known.judge(renamed)  # type: ignore[misc]
    assert "did you mean job:errors:rate5m?" in str(finding)
    other = case("some_total > 1 and job:errors:rate5m > 1")
    assert not known.asks(other.rule, other.inventory)


def test_of_a_metric_that_was_cut_nothing_is_said() -> None:
    page = "".join(f'pods{{pod="checkout{i}",service="checkout"}} 1\n' for i in range(KEPT))
    asked = 'sum by (shard) (pods{service="chekout",shard="a"}) > 1'
    assert found(asked, page)
    assert found(asked, page + 'pods{service="chekout",shard="a"} 1\n') == []


def test_what_is_missing_may_be_on_a_page_that_could_not_be_read() -> None:
    broken = case("mysql_up == 0", PAGE, "<html>\n")
    assert known.judge(broken) == Skipped("not all pages could be read, see 1.prom::loads")
    assert broken.inventory.snapshots.paths == ("0.prom",)
    assert known.judge(case("queue_length > 1", PAGE, "<html>\n")) == ()


def test_pages_show_native_histograms_as_classic_ones() -> None:
    assert found("histogram_quantile(0.9, sum(rate(latency_seconds[5m]))) > 1") == []
    assert found("histogram_count(rate(latency_seconds[5m])) > 1") == []
    (label,) = found('histogram_count(rate(latency_seconds{colour="red"}[5m])) > 1')
    assert "colour" in label.summary
    (name,) = found("histogram_count(rate(latncy_seconds[5m])) > 1")
    assert "latncy_seconds" in name.summary
    (bare,) = found("rate(latency_seconds[5m]) > 1")
    assert bare.seen == "latency_seconds"
