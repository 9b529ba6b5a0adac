"""Snapshots of metrics pages."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pytest_sre.model.snapshot import Snapshots
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.snapshot import KEPT, Source, parse_snapshots

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


def read(*texts: str, **more: object) -> Snapshots:
    return parse_snapshots(Source(f"fixtures/{i}.prom", text, **more) for i, text in enumerate(texts))  # type: ignore[arg-type]


def test_labels_types_values_and_bounds_of_an_exposition_page() -> None:
    seen = read(PAGE)
    assert seen.paths == ("fixtures/0.prom",)
    assert seen.labels["http_requests_total"] == {"code", "method"}
    assert seen.labels["latency_seconds_bucket"] == {"le"}
    assert seen.labels["free_bytes"] == frozenset()
    assert seen.types["http_requests_total"] == "counter"
    assert seen.types["latency_seconds_count"] == "histogram"
    assert seen.helps["http_requests_total"] == "Requests."
    assert [(one.labels, one.value) for _, one in seen.series("http_requests_total")] == [
        ((("code", "200"), ("method", "get")), 5.0),
        ((("code", "500"),), 1.0),
    ]
    assert seen.values("http_requests_total", "code") == ("200", "500")
    assert seen.buckets("latency_seconds_bucket") == ("0.1", "+Inf")
    assert seen.bounds("latency_seconds_bucket") == (0.1, math.inf)
    assert (seen.type("latency_seconds_sum"), seen.type("free_bytes")) == ("histogram", "")
    assert bool(seen)


def test_open_metrics_and_the_union_of_pages() -> None:
    text = '# TYPE jobs counter\njobs_total{queue="a"} 5.0\n# TYPE wait_seconds gauge\n# UNIT wait_seconds seconds\nwait_seconds 2\n# EOF\n'
    seen = read(text, 'jobs_total{shard="1"} 2\n')
    assert seen.labels["jobs_total"] == {"queue", "shard"}
    assert seen.units == {"wait_seconds": "seconds"}
    assert [page.path for page in seen.pages] == ["fixtures/0.prom", "fixtures/1.prom"]


def test_a_counter_keeps_the_name_that_it_has_on_the_page() -> None:
    seen = read("# TYPE forks counter\nforks 5\n# TYPE reads_total counter\nreads_total 1\n")
    assert set(seen.labels) == {"forks", "reads_total"}
    assert seen.types == {"forks": "counter", "reads_total": "counter"}


def test_a_page_of_a_target_may_lack_the_targets_labels_one_of_federate_not() -> None:
    target = read("errors_total 5\n")
    assert target.may_have("errors_total", "job")
    assert not target.may_have(
        "errors_total", "pod"
    )  # targets: job and instance alone, if not told otherwise
    federated = read('errors_total{job="a",instance="b:1"} 5 1700000000000\n')
    assert not federated.may_have("errors_total", "pod")
    assert [one.at for _, one in federated.series("errors_total")] == [1_700_000_000.0]
    more = parse_snapshots([Source("x", "errors_total 5\n")], targets=("pod",))
    assert more.may_have("errors_total", "pod")


def test_what_the_settings_say_of_a_target_is_on_all_its_series() -> None:
    seen = read("up 1\n", labels=(("job", "node"), ("region", "eu")))
    assert seen.labels["up"] == {"job", "region"}
    assert not seen.may_have("up", "zone")
    assert not seen.pages[0].scraped


def test_of_a_huge_page_some_series_are_kept_and_that_is_known() -> None:
    seen = read("".join(f'pods{{pod="{i}"}} 1\n' for i in range(KEPT + 3)) + "up 1\n")
    assert len(list(seen.series("pods"))) == KEPT
    assert seen.pages[0].cut == {"pods"}


def test_nothing_is_false() -> None:
    assert not read()
    assert not read("\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<html>\n", 1),
        ('ok 1\na{b="c} 1\n', 2),
        ("ok 1\nok2 2\na b c\n", 3),
        ("a_total{x=1}\n", 1),
        ("a 1\n# EOF\nb\n# EOF", 3),
    ],
)
def test_what_is_no_metrics_page_costs_no_other(text: str, line: int) -> None:
    seen = read(text, PAGE)
    assert [(one.path, one.line) for one in seen.unread] == [("fixtures/0.prom", line)]
    assert "not a metrics page" in seen.unread[0].reason
    assert "free_bytes" in seen.labels


def test_pages_of_sre_yaml(tmp_path: Path) -> None:
    for name, text in {"a.prom": "a 1\n", "b.prom": "b 1\n", "broken.prom": "<html>\n"}.items():
        (tmp_path / name).write_text(text, "utf-8")
    trouble = {"path": "b.prom", "job": "b", "healthy": False, "taken": "2026-01-01T00:00:00Z"}
    file = SreYaml.model_validate({"metrics": ["*.prom", trouble]})
    found = discover(Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=file))
    a, b = found.snapshots.pages
    assert (a.healthy, a.labels, a.taken) == (True, (), None)
    assert (b.healthy, b.labels, b.taken) == (False, (("job", "b"),), 1_767_225_600.0)
    assert [(one.path, one.line) for one in found.broken] == [("broken.prom", 1)]
