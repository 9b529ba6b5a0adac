"""promtool's files of unit tests: every field, lines in errors, and what promtool passes over in silence."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from pytest_sre.model.finding import Location
from pytest_sre.model.samples import Histogram
from pytest_sre.model.unittest import UnitFile
from pytest_sre.sources import promtool_tests
from pytest_sre.sources.rulefile import Broken, Skip
from pytest_sre.stack.process import ProcessStack

FULL = """\
rule_files:
  - rules/*.yml
  - ../other.yml
evaluation_interval: 30s
group_eval_order: [first, second]
fuzzy_compare: true
tests:
  - name: burns
    interval: 15s
    start_timestamp: 2021-01-01T00:00:00Z
    external_labels: {site: berlin, rack: 7}
    external_url: http://prometheus.example
    input_series:
      - series: up{job="api"}
        values: 1x3 0 _ stale
      - series: '{job="no name"}'
        values: 1
    alert_rule_test:
      - eval_time: 1m10s
        alertname: Down
        exp_alerts:
          - exp_labels: {severity: page, code: 500, ratio: 1.50, on: true, none: }
            exp_annotations:
              summary: |
                It is down.
          - exp_annotations: {summary: also}
      - alertname: Quiet
    promql_expr_test:
      - expr: up > 0
        eval_time: 2m
        exp_samples:
          - labels: up{job="api"}
            value: 1e3
          - {labels: '{a=""}', value: -.inf}
          - histogram: '{{count:2}}'
          - {value: 0x10}
  - promql_expr_test:
"""


def parse(text: str, folder: Path) -> UnitFile:
    path = folder / "tests" / "t.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return promtool_tests.parse_unit_tests("tests/t.yml", text, path, folder)


def test_every_field(tmp_path: Path) -> None:
    (tmp_path / "tests" / "rules").mkdir(parents=True)
    for name in ("tests/rules/b.yml", "tests/rules/a.yml", "other.yml"):
        (tmp_path / name).write_text("")
    file = parse(FULL, tmp_path)
    assert file.rule_files == ("tests/rules/a.yml", "tests/rules/b.yml", "other.yml")
    assert file.group_eval_order == ("first", "second")
    assert (file.evaluation_interval, file.fuzzy_compare) == (30.0, True)
    burns, empty = file.groups
    assert (burns.index, burns.name, burns.interval, burns.until) == (0, "burns", 15.0, 120.0)
    assert (burns.start, burns.external_url) == (1609459200.0, "http://prometheus.example")
    assert burns.external_labels == {"site": "berlin", "rack": "7"}
    assert (empty.index, empty.name, empty.interval, empty.until) == (1, "", 0.0, 0.0)
    assert empty.location == Location("tests/t.yml", 37)


def test_series_and_cases(tmp_path: Path) -> None:
    burns = parse(FULL, tmp_path).groups[0]
    up, nameless = burns.series
    assert up.labels == (("__name__", "up"), ("job", "api"))
    assert up.location == Location("tests/t.yml", 14)
    assert [at for at, _ in up.samples(15.0)] == [0.0, 15.0, 30.0, 45.0, 60.0, 90.0]
    assert [value for _, value in up.samples(15.0)][:5] == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert nameless.labels == (("job", "no name"),)
    down, quiet = burns.alerts
    assert (down.eval_time, down.location.line, quiet.eval_time, quiet.expected) == (70.0, 19, 0.0, ())
    first, second = down.expected
    assert first.labels == {
        "alertname": "Down",
        "severity": "page",
        "code": "500",
        "ratio": "1.50",
        "on": "true",
        "none": "",
    }
    assert first.annotations == {"summary": "It is down.\n"}
    assert (second.labels, second.location.line) == ({"alertname": "Down"}, 26)
    (expr,) = burns.exprs
    assert (expr.expr, expr.eval_time, expr.location.line) == ("up > 0", 120.0, 29)
    assert [(one.labels, one.value) for one in expr.expected] == [
        ((("__name__", "up"), ("job", "api")), 1000.0),
        ((("a", ""),), float("-inf")),
        ((), Histogram(count=2.0)),
        ((), 16.0),
    ]


def test_a_missing_interval(tmp_path: Path) -> None:
    text = """
    rule_files: []
    tests:
    - input_series: [{series: up, values: _ 1 2}]
    """
    file = parse(dedent(text), tmp_path)
    (group,) = file.groups
    assert file.evaluation_interval == 60.0
    assert group.spacing(file.evaluation_interval) == 60.0
    assert group.spacing(file.evaluation_interval, (2, 42)) == 0.0
    assert list(group.series[0].samples(60.0)) == [(60.0, 1.0), (120.0, 2.0)]
    assert list(group.series[0].samples(0.0)) == [(0.0, 1.0)]


@pytest.mark.parametrize(("eval_time", "tick"), [(0, 0), (29, 0), (30, 30), (119.999, 90), (120, 120)])
def test_an_alert_is_looked_at_in_the_evaluation_before(
    tmp_path: Path, eval_time: float, tick: float
) -> None:
    assert parse(FULL, tmp_path).tick(eval_time) == tick


GROUP = "rule_files: []\ntests:\n- "


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("rule_files: []\ntests:\n- {", 4, "not valid YAML"),
        ("rule_files: []\ntests: []\nextra: 1\n", 3, "extra: unknown field"),
        (GROUP + "name: x\n  foo: 1\n", 4, "tests[0].foo: unknown field"),
        (GROUP + "interval: 5\n", 3, 'tests[0].interval: "5" is not a duration'),
        (GROUP + "interval: [5m]\n", 3, "must be a duration"),
        (GROUP + "name: {a: b}\n", 3, "tests[0].name: must be a text"),
        (GROUP + "input_series:\n  - {series: up, values: 1y}\n", 4, "'1y' is not a value"),
        (GROUP + "input_series:\n  - {series: 'up{', values: 1}\n", 4, "expected label="),
        (GROUP + "input_series:\n  - {series: '{}', values: 1}\n", 4, "does not begin with a series"),
        (
            GROUP + "input_series:\n  - {series: 'up{a=\"\"}x', values: 1}\n",
            4,
            "a space is missing before 'x 1'",
        ),
        (GROUP + "input_series:\n  - {series: '{a=\"\"}', values: 1}\n", 4, "no labels at all"),
        (GROUP + 'input_series:\n  - {series: up, values: "1 2\\n3"}\n', 4, "does not begin with a series"),
        (GROUP + "alert_rule_test:\n  - eval_time: 5m\n", 4, "has no alertname"),
        (
            GROUP + "alert_rule_test:\n  - alertname: A\n    exp_alerts:\n    - exp_labels: {a: [1]}\n",
            6,
            "must be a text",
        ),
        (
            GROUP + "promql_expr_test:\n  - exp_samples:\n    - {value: '5'}\n",
            5,
            "must be a number, without quotes",
        ),
        (GROUP + "promql_expr_test:\n  - exp_samples:\n    - {labels: 'up 1'}\n", 5, "is not a sample"),
        (GROUP + "promql_expr_test:\n  - exp_samples:\n    - {histogram: '{{a:1}}'}\n", 5, "is none of"),
        (GROUP + "start_timestamp: yesterday\n", 3, "neither a Unix timestamp"),
        ("rule_files: []\ntests: []\nfuzzy_compare: 1\n", 3, "must be true or false"),
        ("rule_files: []\ntests: []\ngroup_eval_order: [a, b,\n  a]\n", 4, "has a twice"),
    ],
)
def test_errors_name_the_line(text: str, line: int, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(Broken) as raised:
        parse(text, tmp_path)
    assert complaint in str(raised.value)
    assert raised.value.line == line


@pytest.mark.parametrize("text", ["", "a", "- a", "tests: []", "rule_files: []", "rule_files: []\ntests: 5"])
def test_other_files_are_skipped(text: str, tmp_path: Path) -> None:
    assert not promtool_tests.looks_like_unit_tests(text) or "tests: 5" in text
    with pytest.raises(Skip):
        parse(text, tmp_path)


def test_files_of_vmalert_are_skipped(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="vmalert-tool"):
        parse("rule_files: []\ntests:\n- metricsql_expr_test: []\n", tmp_path)


LOST = """\
rule_files: [nothing.yml]
tests:
- interval: 1m
  input_series:
  - {series: a, values: 1 1}
  - {series: a, values: 2 2}
  - series: b
    values: |
      3 3
  - {series: c, values: 4 4}
  promql_expr_test:
  - expr: '{__name__=~"[abc]"}'
    eval_time: 1m
    exp_samples:
    - {labels: a, value: 2}
    - {labels: b, value: 3}
"""


def test_what_promtool_passes_over_is_noted(tmp_path: Path) -> None:
    file = parse(LOST + "---\nmore: 1\n", tmp_path)
    assert [dict(one.labels)["__name__"] for one in file.groups[0].series] == ["a", "b"]
    assert [one.values for one in file.groups[0].series] == [(2.0, 2.0), (3.0, 3.0)]
    assert all(note.severity == "warning" for note in file.notes)
    assert sorted((note.location.line, note.summary) for note in file.notes) == [
        (1, "no file matches nothing.yml"),
        (1, "several YAML documents"),
        (5, "this series is given again at line 6, which counts"),
        (10, "this series is not loaded: an empty line at 7 ends the list"),
    ]


def test_newer_fields_are_noted(tmp_path: Path) -> None:
    assert [
        (note.location.line, note.summary) for note in parse(FULL, tmp_path).notes if "know" in note.summary
    ] == [
        (6, "promtool 2.53 does not know fuzzy_compare"),
        (10, "promtool 3.5 does not know start_timestamp"),
    ]


def test_promtool_passes_over_the_same(stack: ProcessStack, tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    file.write_text(LOST)
    done = stack.promtool(["test", "rules", str(file)], [file])
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(FULL.replace("../other.yml", "x.yml"))
    refused = stack.promtool(["test", "rules", str(file)], [file])
    old = stack.versions["prometheus"].startswith("2.")
    assert ("line 6: field fuzzy_compare not found" in refused.stderr) is old
    assert "line 10: field start_timestamp not found" in refused.stderr
