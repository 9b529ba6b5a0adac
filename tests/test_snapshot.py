"""Snapshots of metrics pages."""

from __future__ import annotations

import pytest

from pytest_sre.errors import UserError
from pytest_sre.sources.snapshot import parse_snapshots

PAGE = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",method="get"} 5
http_requests_total{code="500"} 1
# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 1
latency_seconds_bucket{le="+Inf"} 2
latency_seconds_sum 0.4
latency_seconds_count 2
free_bytes 17
"""


def test_labels_and_types_of_an_exposition_page() -> None:
    seen = parse_snapshots([("fixtures/a.prom", PAGE)])
    assert seen.paths == ("fixtures/a.prom",)
    assert seen.labels["http_requests_total"] == {"code", "method"}
    assert seen.labels["latency_seconds_bucket"] == {"le"}
    assert seen.labels["free_bytes"] == frozenset()
    assert seen.types["http_requests_total"] == "counter"
    assert seen.types["latency_seconds_count"] == "histogram"
    assert bool(seen)


def test_open_metrics_and_the_union_of_pages() -> None:
    text = '# TYPE jobs counter\njobs_total{queue="a"} 5.0\n# EOF\n'
    seen = parse_snapshots([("a", text), ("b", 'jobs_total{shard="1"} 2\n')])
    assert seen.labels["jobs_total"] == {"queue", "shard"}
    assert seen.paths == ("a", "b")


def test_nothing_is_false() -> None:
    assert not parse_snapshots([])
    assert not parse_snapshots([("empty.prom", "\n")])


@pytest.mark.parametrize(
    "text", ["<html>\n", 'a{b="c} 1\n', "a b c\n", "a_total{x=1}\n", "a 1\n# EOF\nb\n# EOF"]
)
def test_what_is_no_metrics_page(text: str) -> None:
    with pytest.raises(UserError, match=r"fixtures/x\.prom: not a metrics page"):
        parse_snapshots([("fixtures/x.prom", text)])
