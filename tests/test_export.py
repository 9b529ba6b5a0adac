"""Scenarios as promtool's unit tests: the notation, the grid, and the real promtool on what is written."""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import struct
import subprocess
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import NO_SERVERS, PAIRS, REPO, Pair, unavailable
from shop import edit, run

from pytest_sre.model.export import Export
from pytest_sre.model.samples import STALE
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promtool import rules
from pytest_sre.promtool.document import Context
from pytest_sre.promtool.export import Exporter, export
from pytest_sre.promtool.grid import interval_for
from pytest_sre.promtool.values import readable
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.compression import write_values
from pytest_sre.sources.discover import discover
from pytest_sre.sources.expansion import expand
from pytest_sre.stack.process import ProcessStack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine.question import Asker
from pytest_sre.timemachine.schedule import Schedule

# The notation

numbers = st.floats(allow_nan=False) | st.integers(-1000, 1000).map(float)
runs = st.builds(
    lambda first, step, count: list(accumulate([step] * count, initial=first)),
    numbers.filter(math.isfinite),
    st.sampled_from([0.0, 1.0, -1.0, 0.1, -0.3, 70.0, 1e-5, 19.03]) | numbers.filter(math.isfinite),
    st.integers(0, 30),
)
pieces = st.lists(
    st.one_of(
        runs,
        numbers.map(lambda one: [one]),
        st.integers(1, 9).map(lambda count: [None] * count),
        st.sampled_from([[STALE], [math.nan], [-0.0, -0.0, -0.0], [math.inf, math.inf, math.inf]]),
    ),
    max_size=6,
)


def bits(values: Sequence[object]) -> list[bytes | None]:
    """Values that compare as promtool stores them; all NaNs but the stale marker are one."""
    return [
        None
        if value is None
        else struct.pack("<d", math.nan if value != value and value is not STALE else value)
        for value in values
    ]


@settings(deadline=None)
@given(pieces)
def test_what_is_written_expands_to_the_same_floats(given: list[list[float | None]]) -> None:
    values = [value for piece in given for value in piece]

    assert bits(expand(write_values(values))) == bits(values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.0, 10.0, 20.0, 30.0], "0+10x3"),
        ([5.0, 4.5, 4.0], "5-0.5x2"),
        ([5.0, 5.0, 5.0, 7.0], "5x2 7"),
        ([5.0, 5.0], "5 5"),
        ([None, None, None, 1.0, None, STALE], "_x3 1 _ stale"),
        (list(accumulate([0.1] * 50, initial=0.3)), "0.3+0.1x50"),
        ([0.1, 0.2, 0.3], "0.1 0.2 0.3"),  # 0.1 + 0.1 + 0.1 is not 0.3
        ([-3.0, -2.0, -1.0, 1e300, math.inf, -math.inf], "-3+1x2 1e+300 Inf -Inf"),
        ([], ""),
    ],
)
def test_runs_are_short(values: list[float | None], text: str) -> None:
    assert write_values(values) == text


# Readable numbers


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1e4), st.integers(3, 300)), min_size=1, max_size=4),
    st.floats(0, 1e6),
)
def test_counters_stay_counters(phases: list[tuple[float, int]], level: float) -> None:
    steps = [step for step, count in phases for _ in range(count)]
    values = list(accumulate(steps, initial=level))

    made = readable(values)

    assert len(made) == len(values)
    floats = [value for value in made if value is not None]
    for (one, other), step in zip(pairwise(floats), steps, strict=True):
        assert other >= one
        assert other - one == pytest.approx(step, rel=2e-3, abs=1e-11 * (level + sum(steps)))


def test_numbers_get_few_digits() -> None:
    counter = list(accumulate([1.0 / 3] * 10 + [7.0 / 9] * 10, initial=0.0))
    resets = [7.0 * i for i in range(5)] + [7.0 * i for i in range(5)]

    assert write_values(readable(counter)) == "0+0.3333x10 4.1108+0.7778x9"
    assert write_values(readable(resets)) == "0+7x4 0+7x4"
    assert readable([910.089904173, None, 1_700_000_123.0]) == [910.09, None, 1_700_000_123.0]


# The grid


@given(
    st.floats(11, 3600),  # all whole numbers below divide a week
    st.lists(st.sampled_from([60, 120, 180, 300, 600, 1800, 3600, 7200, 86400, 259200, 604800]), max_size=4),
)
def test_no_window_ends_on_a_sample(limit: float, windows: list[float]) -> None:
    interval = interval_for(limit, windows)

    assert 1 <= interval <= limit
    assert interval > limit / 3
    assert all(window % interval for window in windows)


# The real promtool


def promtool(pair: Pair, files: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [pair.promtool, "test", "rules", *files], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def shop_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's export, once."""
    if not PAIRS:
        unavailable(NO_SERVERS)
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent  # of all workers: the export takes half a minute
    with (shared / "export.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not (shared / "export" / "done").exists():
            _export(shared / "export")
    return shared / "export" / "promtool"


def _export(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for name in ("examples/shop", "runbooks", "fixtures"):
        shutil.copytree(REPO / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = root / "promtool"
    done = run(root / "examples" / "shop", PAIRS[0], f"--sre-export-promtool={folder}", "-k", "quiet")
    assert done.status == 0, done.output
    assert "exported for promtool: 74 scenarios in " in done.output
    assert "left out" not in done.output
    (root / "done").touch()


def test_the_example_passes_under_every_promtool(pair: Pair, shop_export: Path) -> None:
    done = promtool(pair, sorted(shop_export.glob("*.test.yml")))

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_scenario_of_the_example_is_there(shop_export: Path) -> None:
    tests = [
        one
        for path in shop_export.glob("*.test.yml")
        for one in yaml.safe_load(path.read_text("utf-8"))["tests"]
    ]
    names = {one["name"] for one in tests}

    assert len(names) == len(tests) == 74
    assert {"CheckoutErrorBudgetBurnSlow: above the threshold", "InstanceDown: above the threshold"} <= names
    assert "PaymentsQueueBacklog: 0.9x of the threshold" in names
    assert all(one["external_labels"]["cluster"] == "shop-eu-1" for one in tests)
    for one in tests:
        fires = [bool(look["exp_alerts"]) for look in one["alert_rule_test"]]
        if one["name"].endswith(": above the threshold"):
            assert fires == [False, True, False]


def test_the_page_shows_what_is_written(shop_export: Path) -> None:
    page = (REPO / "docs" / "export.md").read_text("utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]

    assert shown in (shop_export / "rules__payments.yml.1m.test.yml").read_text("utf-8")


RULES = """
groups:
  - name: readers
    rules:
      - alert: Slow
        expr: job:latency:mean5m > 0.5
        for: 5m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} takes {{ $value }}"}
      - alert: Queue
        expr: queue_length > 100
        annotations: {summary: "{{ $value }} wait in\\n{{ $labels.queue }}"}
      - alert: Queue
        expr: queue_length > 1000
        labels: {severity: page}
      - alert: Never
        expr: queue_length > 1 and queue_length < 0
  - name: recorders
    rules:
      - record: job:latency:mean5m
        expr: sum by (job) (rate(latency_sum[5m])) / sum by (job) (rate(latency_count[5m]))
"""


def exported(root: Path, stack: ProcessStack, text: str = RULES) -> Export:
    """The export of one rule file, into root/out."""
    (root / "rules.yml").write_text(text)
    inventory = discover(Settings(root=root, folder=root, search=root, file=SreYaml(metrics=())))
    index = RuleIndex(inventory.rules)
    schedule = Schedule(inventory.rule_files, {}, index)
    found = {
        rule: contrast(rule, index, types={}, now=1.7e9, lookback=300.0, serial="1")
        for file in inventory.rule_files
        for rule in file.alerts
    }
    asked = [
        one
        for rule, each in found.items()
        if isinstance(each, Contrast)
        for one in Asker(schedule, 300.0, 1.7e9).plain(rule, each)
    ]
    missing = {rule: each.reason for rule, each in found.items() if not isinstance(each, Contrast)}
    context = Context({"cluster": "eu"}, "https://prometheus.example/")
    one = Exporter(stack, inventory, schedule, context, root / "out", root / "scratch", lambda text: None)
    return export(one, asked, missing)


def written(root: Path, made: Export) -> list[Path]:
    """The files of an export, on disk."""
    (root / "out").mkdir()
    for name, text in made.files:
        (root / "out" / name).write_text(text)
    return sorted((root / "out").glob("*.test.yml"))


def by_name(made: Export) -> dict[str, Any]:
    """All tests of an export by name."""
    return {
        one["name"]: one
        for name, text in made.files
        if name.endswith(".test.yml")
        for one in yaml.safe_load(text)["tests"]
    }


def test_what_is_exported_tests_the_rules(pair: Pair, stack: ProcessStack, tmp_path: Path) -> None:
    made = exported(tmp_path, stack)
    files = written(tmp_path, made)
    done = promtool(pair, files)
    assert done.returncode == 0, done.stdout + done.stderr

    for old, new in (
        ("mean5m > 0.5", "mean5m > 50000"),
        ("queue_length > 1000\n", "queue_length > 1\n"),
        ("wait in", "are in"),
        ("for: 5m", "for: 50d"),
    ):
        edit(tmp_path / "rules.yml", old, new)
        assert promtool(pair, files).returncode == 1, new
        edit(tmp_path / "rules.yml", new, old)


def test_what_promtool_is_asked(stack: ProcessStack, tmp_path: Path) -> None:
    made = exported(tmp_path, stack)
    tests = by_name(made)
    first = yaml.safe_load(next(text for name, text in made.files if name.endswith(".test.yml")))

    assert set(tests) == {
        "Slow: 0.9x of the threshold",
        "Slow: above the threshold",
        "Queue: 0.9x of the threshold",
        "Queue: above the threshold",
        "Queue: 0.9x of the threshold (2)",
        "Queue: above the threshold (2)",
    }
    assert first["group_eval_order"] == ["recorders", "readers"]
    assert first["rule_files"] == ["../rules.yml"]
    # The mean is computed from rates: its last digits differ between versions, so labels alone are compared.
    assert [look["exp_samples"] for look in tests["Slow: above the threshold"]["promql_expr_test"]] == [
        [
            {
                "labels": 'ALERTS{alertname="Slow",alertstate="firing",job="job-1",severity="page"}',
                "value": 1,
            }
        ]
    ]
    # Both alerts called Queue fire at more than 1000, also while the second is quiet.
    second = tests["Queue: above the threshold (2)"]["alert_rule_test"]
    severities = [[one["exp_labels"].get("severity") for one in look["exp_alerts"]] for look in second]
    assert "page" in severities[1]
    assert "page" not in severities[0] + severities[2]
    assert made.scenarios == len(tests)


def test_what_is_left_out_is_told(stack: ProcessStack, tmp_path: Path) -> None:
    made = exported(tmp_path, stack)
    (lost,) = made.left_out

    assert (lost.path, lost.alert, lost.scenario) == ("rules.yml", "Never", "")
    texts = [text for name, text in made.files if name.endswith(".test.yml")]
    assert [f"# Left out: Never: {lost.reason}\n" in text for text in texts].count(True) == 1


def test_rules_that_promtool_cannot_evaluate_are_left_out(stack: ProcessStack, tmp_path: Path) -> None:
    clash = """
groups:
  - name: g
    rules:
      - alert: Up
        expr: queue_length > 100
      - alert: Fine
        expr: temperature > 10
      - record: clash
        expr: label_replace(queue_length, "queue", "", "", "") * on () group_left () vector(1) or queue_length
      - record: twice
        expr: vector(1) * on () group_left () (queue_length > 100 or label_replace(queue_length, "x", "y", "", ""))
"""
    made = exported(tmp_path, stack, clash)

    assert set(by_name(made)) >= {"Fine: above the threshold", "Fine: 0.9x of the threshold"}
    assert "Up: above the threshold" not in by_name(made)
    (lost,) = [lost for lost in made.left_out if lost.scenario == "above the threshold"]
    assert lost.reason.startswith("twice: ")


def test_groups_that_promtool_cannot_order_are_left_out(stack: ProcessStack, tmp_path: Path) -> None:
    record = "{name: r, rules: [{record: depth:max, expr: max(depth) %s}]}"
    (tmp_path / "more.yml").write_text(f"groups: [{record % '+ 1'}]")
    alerts = "{name: a, rules: [{alert: Deep, expr: 'depth:max > 10'}, {alert: Hot, expr: heat > 10}]}"

    made = exported(tmp_path, stack, f"groups: [{record % ''}, {alerts}]")

    assert set(by_name(made)) == {"Hot: 0.9x of the threshold", "Hot: above the threshold"}
    assert {lost.alert for lost in made.left_out} == {"Deep"}
    for lost in made.left_out:
        assert lost.reason == "groups called r in more.yml and rules.yml record the same series, in any order"


def test_nothing_to_export_leaves_a_file_that_passes(pair: Pair, stack: ProcessStack, tmp_path: Path) -> None:
    made = exported(tmp_path, stack, "groups: [{name: g, rules: [{alert: No, expr: x > 1 and x < 0}]}]")
    (path,) = written(tmp_path, made)

    assert made.scenarios == 0
    assert "# Left out: No: " in path.read_text()
    assert promtool(pair, [path]).returncode == 0


def test_objects_are_copied_apart(tmp_path: Path) -> None:
    rule = "{name: g, rules: [{alert: A, expr: up == 0}]}"
    text = "\n---\n".join([f"kind: PrometheusRule\nspec: {{groups: [{rule}]}}"] * 2)
    (tmp_path / "two.yaml").write_text(text)
    inventory = discover(Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=SreYaml(metrics=())))
    schedule = Schedule(inventory.rule_files, {}, RuleIndex(inventory.rules))

    source = rules.rule_source(inventory.rule_files, inventory.rules, schedule, tmp_path)

    assert source.own == ()
    assert list(source.copies) == ["two.yaml.1.rules", "two.yaml.2.rules"]
    for copy in source.copies.values():
        assert copy.startswith(rules.HEADER)
        assert yaml.safe_load(copy) == {
            "groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0"}]}]
        }


# The option

FEW = ("-k", "MemoryLow and quiet")


def test_again_over_an_export_and_never_over_others(repo: Path) -> None:
    if not PAIRS:
        unavailable(NO_SERVERS)
    target = repo.parent / "new" / "promtool"
    option = f"--sre-export-promtool={target}"
    first = run(repo, PAIRS[-1], option, *FEW)
    assert first.status == 0, first.output
    assert f"exported for promtool: 2 scenarios in 1 files in {target}" in first.output
    (path,) = target.iterdir()
    text = path.read_text()

    assert run(repo, PAIRS[-1], option, *FEW).status == 0
    assert [path.read_text() for path in target.iterdir()] == [text]

    path.write_text("tests: []\n")
    refused = run(repo, PAIRS[-1], option, *FEW)
    assert refused.status == 4
    assert f"{path} exists and was not written by an export" in refused.output
    assert path.read_text() == "tests: []\n"


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_an_error_at_once(
    repo: Path, pytester: pytest.Pytester, name: str
) -> None:
    (repo / "file").write_text("")

    result = pytester.runpytest_inprocess(
        "--rootdir", repo, "--sre-alerts", f"--sre-export-promtool={repo / name}", "-p", "no:cacheprovider"
    )

    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [f"*pytest-sre: --sre-export-promtool: cannot make the folder {repo / name}: *"]
    )
