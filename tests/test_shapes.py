"""Shapes that rules have: a search finds data for each, and the real engine agrees on all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import Pair
from shop import run
from test_synthesis import all_series, fires, planned, rule

from pytest_sre.promql.parse import parse
from pytest_sre.synthesis.calendar import PARTS
from pytest_sre.synthesis.links import Link, replaced
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.thresholds import thresholds

SHAPES = {
    "own unit": "sum(rate(bytes_total[5m])) / 1024 / 1024 > 30",
    "power": "memory_bytes > 5 * 2 ^ 30",
    "many": "count(pod_phase) > 100",
    "many infos": "sum(secret_info) > 1000",
    "many by a label": 'count by (host) (label_replace(subsystem, "host", "$1", "instance", "(.*?)(?::.*)?")) >= 128',
    "alternating": "changes(link_up[1m]) > 3",
    "restarts": "resets(heart_beat[1h]) > 0 and resets(heart_beat[1h]) < 5",
    "fell": "uptime / 100 < 600 and (uptime offset 10m) / 100 > 600",
    "started": "time() - boot_time < 600 and (time() - boot_time offset 10m) > 600",
    "stopped": "rate(seen_total[5m] offset 15m) > 10 unless rate(seen_total[5m]) > 0",
    "faster": "abs(rate(work_total[1m]) - rate(work_total[1m] offset 1m)) > 25",
    "slower than before": "histogram_quantile(0.5, sum by (le) (rate(wait_bucket[5m]))) > 1.5 * avg_over_time(histogram_quantile(0.5, sum by (le) (rate(wait_bucket[2d])))[5m:])",
    "peak": "(load - avg_over_time(load[1h])) / stddev_over_time(load[1h]) > 3",
    "join on made label": 'free / size < 0.1 and on (instance) label_replace(node_role{role="infra"}, "instance", "$1", "node", "(.+)")',
    "capture": 'label_replace(release{name=~"(.+)-(csi|cni)", ready="no"}, "cluster", "$1", "name", "(.+)-(csi|cni)") * on (cluster) group_left (team) owner > 0',
    "prefix": 'label_replace(cpu{pod=~"mds-.*"}, "daemon", "mds.$1", "pod", "mds-(.*)-(.*)") + on (daemon) group_left (zone) (0 * (daemon_meta == 1)) > 0.7',
    "versions": 'count(count by (version) (label_replace(build, "version", "$1", "version", "(v[0-9]*.[0-9]*).*"))) > 1',
    "label_join": 'label_join(volume, "id", "/", "namespace", "claim") * on (id) group_left (team) claim_owner > 5',
    "nodes but one": 'count(hot > 0.9) >= 1 and count(hot > 0.9) < count(node_role{role="infra"}) - 1',
    "neither of two": "max by (ns) (broken) == 1 unless on (ns) (starting or deleting)",
    "most of one": 'count by (host) (server{state="off"}) / (count by (host) (server) > 10) * 100 > 75',
    "two pods": "count(count_over_time(count by (pod) (unschedulable)[30m:]) > 10) >= 2",
    "rare samples": "count_over_time(beat[10m]) < 5",
    "late": "timestamp(beat) < time() - 120",
}


@pytest.mark.parametrize("expr", SHAPES.values(), ids=list(SHAPES))
def test_a_search_finds_data(expr: str) -> None:
    made = fires(expr)
    assert len(made.batches[0].scenarios) == 1


def test_prometheus_agrees_on_every_shape(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    folder.mkdir()
    lines = ["groups:", "- name: shapes", "  rules:"]
    for name, expr in SHAPES.items():
        lines += [f"  - alert: {name.title().replace(' ', '').replace('_', '')}", f"    expr: {expr!r}"]
    (folder / "rules.yml").write_text("\n".join(lines))
    result = run(folder, pair, "-k", "fires or quiet or detects")
    checks = ("::fires", "::quiet", "::detects")
    wanted = {node: seen for node, seen in result.outcomes.items() if node.endswith(checks)}
    assert len(wanted) == len(checks) * len(SHAPES)
    assert set(wanted.values()) == {"PASSED"}, result.output


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("sum(rate(x[5m])) / 1024 / 1024 > 30", 30 * 1024**2),
        ("(1 - x) * 100 > 90", 0.1),
        ("5 < -x", -5.0),
        ("log10(x / 2) > 3", 2000.0),
        ("2 * (max by (a) (x) - 7) == 4", 9.0),
        ("60 / x < 0.5", 120.0),
    ],
)
def test_thresholds_are_carried_to_the_series(expr: str, value: float) -> None:
    assert value == pytest.approx(next(iter(thresholds(parse(expr)))))


@pytest.mark.parametrize(
    ("pattern", "template", "value", "made"),
    [
        ("(.*)-(a|b)", "$1", "x-y-a", "x-y"),
        ("(.*)-(a|b)", "$2.$1", "x-b", "b.x"),
        ("(?P<host>[^:]+):.*", "${host}", "h:80", "h"),
        ("(.*)", "$2", "x", ""),
        ("a+", "$0!", "aa", "aa!"),
        ("a+", "$0", "b", None),
        ("", "fixed", "", "fixed"),
    ],
)
def test_label_replace_forwards(pattern: str, template: str, value: str, made: str | None) -> None:
    assert replaced(pattern, template, value) == made


@pytest.mark.parametrize(
    ("pattern", "template", "wanted"),
    [
        ("(.+)-(csi|cni)", "$1", "prod"),
        ("mds-(.*)-(.*)", "mds.$1", "mds.a1"),
        ("(.*)", "$1", "any"),
        ("x(.)z", "$1", "y"),
    ],
)
def test_label_replace_backwards(pattern: str, template: str, wanted: str) -> None:
    link = Link("target", template, "source", pattern)
    found = list(link.backward(wanted))
    assert found
    assert {link.forward(value) for value in found} == {wanted}


def test_a_regular_expression_of_versions_gives_versions() -> None:
    assert all(re.fullmatch(r"v\d*\.\d*a?", text) for text in examples("(v[0-9]*.[0-9]*).*"))


def test_parts_of_a_date() -> None:
    moment = 1_709_211_600.0  # Thursday, 29 February 2024, 13:00 UTC
    seen = {name: part(moment) for name, part in PARTS.items()}
    assert seen == {
        "minute": 0, "hour": 13, "day_of_week": 4, "day_of_month": 29, "day_of_year": 60, "days_in_month": 29,
        "month": 2, "year": 2024,
    }  # fmt: skip


def test_many_series_cost_no_more_samples_than_needed() -> None:
    series = list(all_series(fires(SHAPES["many infos"])))
    assert 1000 < len(series) <= 1300
    assert max(len(one.samples) for one in series) < 100


def test_more_series_than_can_be_made_are_not() -> None:
    (found,) = planned(rule("Cardinality", "count by (__name__) ({__name__=~'.+'}) > 100000")).unproven
    assert "no series found" in found.reason
