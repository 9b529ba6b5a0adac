"""promtool's unit tests on virtual time: the same verdict as the real promtool of the same version."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from servers import Pair

from pytest_sre.checks import unit, unit_names
from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.model.unittest import UnitFile
from pytest_sre.promql.parse import parse
from pytest_sre.promql.static import gives_nothing
from pytest_sre.sources import unit_rules
from pytest_sre.sources.promtool_tests import parse_unit_tests
from pytest_sre.stack.process import ProcessStack
from pytest_sre.timemachine import replay as replays
from pytest_sre.timemachine.replay import UnitJob, replay
from pytest_sre.timemachine.slots import WEEK
from pytest_sre.timemachine.unit_bench import bench
from pytest_sre.timemachine.unit_lanes import lanes

RULES = """\
groups:
- name: late
  rules:
  - alert: Burns
    expr: job:errors:rate5m > 0.1
    for: 2m
    labels: {severity: page, much: '{{ if gt $value 1.0 }}yes{{ else }}no{{ end }}'}
    annotations: {summary: '{{ $labels.job }} at {{ $externalLabels.site }}: {{ if gt $value 0.1 }}badly{{ end }}'}
  - alert: Also
    expr: ALERTS{alertname="Burns", alertstate="firing"}
- name: early
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
"""
SERIES = """\
rule_files: [rules.yml]
group_eval_order: [early, late]
tests:
- interval: 1m
  external_labels: {site: berlin}
  input_series:
  - {series: 'errors_total{job="api"}', values: 0+60x10}
"""
FIRES = """\
  alert_rule_test:
  - {eval_time: 3m, alertname: Burns, exp_alerts: [{exp_labels: {job: api, severity: page, much: 'no'},
     exp_annotations: {summary: 'api at berlin: badly'}}]}
"""


@dataclass(frozen=True)
class Replay:
    """Runs a file of unit tests as we do and as promtool does."""

    stack: ProcessStack
    pair: Pair
    folder: Path

    def put(self, tests: str, rules: str = RULES) -> Path:
        (self.folder / "rules.yml").write_text(rules, "utf-8")
        (self.folder / "test.yml").write_text(tests, "utf-8")
        return self.folder / "test.yml"

    def read(self, tests: str, rules: str = RULES) -> UnitFile:
        path = self.put(tests, rules)
        return parse_unit_tests("test.yml", tests, path, self.folder)

    def ours(self, tests: str, rules: str = RULES, partial: bool = False) -> dict[str, Verdict]:
        """Verdicts by case."""
        file = self.read(tests, rules)
        found = unit_rules.read([file], self.folder)
        settings = self.pair.servers.prometheus
        asked = tuple((file, group) for group in file.groups)
        seen = replay(
            UnitJob(settings, asked, found, {}, lambda text: None), self.stack, self.folder / "units"
        )
        names = unit_names.group_names(file)
        return {
            f"{name}::{title}": unit.judge(file, group, case, seen["test.yml", group.index], partial=partial)
            for name, group in zip(names, file.groups, strict=True)
            for title, case in unit_names.cases(group)
        }

    def theirs(self) -> str:
        """What promtool says of the file; empty when it passes."""
        done = self.stack.promtool(["test", "rules", str(self.folder / "test.yml")], [])
        told = done.stdout + done.stderr
        assert ("SUCCESS" in told) == (done.returncode == 0)
        return told if done.returncode else ""

    @property
    def version(self) -> tuple[int, int]:
        return replays.version(self.stack)


@pytest.fixture
def tests(stack: ProcessStack, pair: Pair, tmp_path: Path) -> Replay:
    return Replay(stack, pair, tmp_path)


def passes(verdict: Verdict) -> bool:
    assert not isinstance(verdict, Skipped), verdict
    return not any(one.severity == "error" for one in verdict)


def texts(verdict: Verdict) -> str:
    assert not isinstance(verdict, Skipped), verdict
    return "\n".join(map(str, verdict))


def expr(expression: str, at: str, *samples: str, more: str = "") -> str:
    """A file that asks for one expression."""
    listed = "".join(f"\n    - {sample}" for sample in samples) or " []"
    return f"{SERIES}{more}  promql_expr_test:\n  - expr: {expression!r}\n    eval_time: {at}\n    exp_samples:{listed}\n"


ALIKE: dict[str, tuple[str, str, bool]] = {
    "texts, templated labels and external labels": (SERIES + FIRES, RULES, True),
    "another label": (SERIES + FIRES.replace("page", "ticket"), RULES, False),
    "another text": (SERIES + FIRES.replace("berlin", "paris"), RULES, False),
    "too early": (SERIES + FIRES.replace("3m", "2m"), RULES, False),
    "a moment between two evaluations looks at the one before": (SERIES + FIRES.replace("3m", "3m59s"), RULES, True),
    "an alert that reads ALERTS": (
        SERIES
        + "  alert_rule_test:\n  - {eval_time: 3m, alertname: Also, exp_alerts: [{exp_labels: {job: api, severity: page, "
        "much: 'no', alertstate: firing}}]}\n",
        RULES,
        True,
    ),
    "an expression that reads ALERTS": (
        expr("ALERTS", "3m", "{labels: 'ALERTS{alertname=\"Burns\", alertstate=\"firing\", job=\"api\", much=\"no\", severity=\"page\"}', value: 1}"),
        RULES,
        False,  # Also is pending or firing by then, as groups come
    ),
    "no samples after the last evaluation": (
        "evaluation_interval: 3m\n" + expr("errors_total", "5m", "{labels: 'errors_total{job=\"api\"}', value: 180}"),
        RULES,
        True,
    ),
    "time": (expr("vector(time()) + 1", "2m", "{labels: '{}', value: 121}"), RULES, True),
    "time, otherwise": (expr("vector(time()) + 1", "2m", "{labels: '{}', value: 120}"), RULES, False),
    "timestamp": (expr("timestamp(errors_total)", "90s", "{labels: '{job=\"api\"}', value: 60}"), RULES, True),
    "since when": (
        expr("ALERTS_FOR_STATE", "3m", "{labels: 'ALERTS_FOR_STATE{alertname=\"Burns\", job=\"api\", much=\"no\", severity=\"page\"}', value: 60}"),
        RULES.replace("alert: Also\n    expr: ALERTS{alertname=\"Burns\", alertstate=\"firing\"}", "alert: Also\n    expr: vector(1) < 0"),
        True,
    ),
    "a fixed moment": (expr("errors_total @ 120", "3m", "{labels: 'errors_total{job=\"api\"}', value: 120}"), RULES, True),
    "a fixed moment before which all ends": (expr("errors_total @ 120", "1m", "{labels: 'errors_total{job=\"api\"}', value: 60}"), RULES, True),
    "the default step of subqueries": (
        "evaluation_interval: 30s\n" + expr("count_over_time(errors_total[4m30s:])", "8m15s", "{labels: '{job=\"api\"}', value: 9}"),
        RULES,
        True,
    ),
    "a step that divides no week": (
        expr("sum_over_time(vector(time())[10m:70s])", "10m", "{labels: '{}', value: 2520}"),
        RULES,
        True,
    ),
    "a scalar": (expr("scalar(errors_total)", "1m", "{labels: '{}', value: 60}"), RULES, True),
    "a range": (expr("errors_total[5m]", "1m"), RULES, False),
    "a text": (expr('"text"', "1m"), RULES, False),
    "no PromQL": (expr("sum(", "1m"), RULES, False),
    "nothing": (expr("errors_total > 1000", "1m"), RULES, True),
    "NaN": (expr("errors_total * NaN", "1m", "{labels: '{job=\"api\"}', value: .nan}"), RULES, False),
    "the end of a series": (
        expr("errors_total", "6m").replace("0+60x10", "1 2 stale"), RULES, True,
    ),
    "a gap": (
        expr("errors_total", "5m", "{labels: 'errors_total{job=\"api\"}', value: 2}").replace("0+60x10", "1 2 _x20"), RULES, True,
    ),
    "a rule that cannot be evaluated": (
        SERIES + "  alert_rule_test:\n  - {eval_time: 3m, alertname: Quiet}\n",
        "groups: [{name: g, rules: [{alert: Quiet, expr: errors_total < 0}, {record: x, expr: 'label_replace(nothing, \"a\", \"\", \"b\", \"(\")'}]}]\n",
        False,
    ),
    "more alerts than the limit": (
        SERIES + "  alert_rule_test:\n  - {eval_time: 3m, alertname: Many}\n",
        "groups: [{name: g, limit: 1, rules: [{alert: Many, expr: 'errors_total or vector(1)'}]}]\n",
        False,
    ),
    "keep_firing_for": (
        SERIES.replace("0+60x10", "1 1 0x20")
        + "  alert_rule_test:\n  - {eval_time: 5m, alertname: Kept, exp_alerts: [{exp_labels: {job: api}}]}\n"
        "  - {eval_time: 8m, alertname: Kept}\n",
        "groups: [{name: g, rules: [{alert: Kept, expr: errors_total > 0, keep_firing_for: 5m}]}]\n",
        True,
    ),
    "a rule that looks ahead finds nothing there": (
        SERIES + "  alert_rule_test:\n  - {eval_time: 3m, alertname: Ahead}\n"
        "  - {eval_time: 3m, alertname: Here, exp_alerts: [{exp_labels: {job: api}}]}\n",
        "groups: [{name: g, rules: [{alert: Ahead, expr: errors_total offset -2m > 200}, {alert: Here, expr: errors_total >= 180}]}]\n",
        True,
    ),
    "a template that asks for other series": (
        SERIES.replace("  external", "  external")
        + "  - {series: 'owner{team=\"a\"}', values: 1x20}\n"
        "  alert_rule_test:\n  - {eval_time: 3m, alertname: Asks, exp_alerts: [{exp_labels: {job: api}, exp_annotations: {who: ' a 180'}}]}\n",
        "groups: [{name: g, rules: [{alert: Asks, expr: errors_total > 100, annotations: "
        "{who: '{{ range query \"owner\" }} {{ .Labels.team }}{{ end }} {{ $value }}'}}]}]\n",
        True,
    ),
    "groups in the order given": (
        SERIES.replace("early, late", "late, early") + FIRES.replace("3m", "4m"),
        RULES,
        True,
    ),
    "groups in the order given, one evaluation too early": (
        SERIES.replace("early, late", "late, early") + FIRES,
        RULES,
        False,
    ),
    "no interval": (expr("errors_total", "1m", "{labels: 'errors_total{job=\"api\"}', value: 60}").replace("interval: 1m", "name: x"), RULES, True),
}  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_the_verdict_is_promtools(tests: Replay, name: str) -> None:
    text, rules, expected = ALIKE[name]
    if name == "no interval" and tests.version < (2, 49):
        expected = False  # all samples are at 0 then
    mine = tests.ours(text, rules)
    theirs = tests.theirs()
    assert mine
    assert all(map(passes, mine.values())) == (not theirs), (theirs, mine)
    assert (not theirs) == expected, theirs


def test_native_histograms(tests: Replay) -> None:
    """promtool 2.42 does not know their notation yet; the engine does."""
    text = expr("histogram_count(sizes)", "2m", "{labels: '{job=\"api\"}', value: 3}")
    text = text.replace('errors_total{job="api"}', 'sizes{job="api"}', 1)
    text = text.replace("0+60x10", "'{{schema:1 sum:4 count:3 buckets:[1 2]}}x3'")
    whole = (
        "  - {expr: sizes, eval_time: 2m, exp_samples: [{labels: 'sizes{job=\"api\"}', histogram: '%s'}]}\n"
    )
    right = whole % "{{schema:1 sum:4 count:3 buckets:[1 2]}}"
    wrong = whole % "{{schema:1 sum:5 count:3 buckets:[1 2]}}"
    assert list(map(passes, tests.ours(text + right + wrong).values())) == [True, True, False]
    if tests.version >= (2, 53):
        tests.put(text)
        assert not tests.theirs()


def test_rules_that_give_native_histograms_are_not_judged(tests: Replay) -> None:
    rules = "groups: [{name: g, rules: [{record: double, expr: sizes * 2}]}]\n"
    text = expr("histogram_count(double)", "1m", "{labels: '{}', value: 2}")
    text = text.replace('errors_total{job="api"}', "sizes", 1).replace(
        "0+60x10", "'{{count:1 buckets:[1]}}x3'"
    )
    (verdict,) = tests.ours(text, rules).values()
    assert isinstance(verdict, Skipped)
    assert verdict.reason.startswith("double gives native histograms")


def test_series_without_a_name(tests: Replay) -> None:
    text = expr('{job="api"}', "1m", "{labels: '{job=\"api\"}', value: 60}").replace("errors_total{", "{")
    (verdict,) = tests.ours(text).values()
    if tests.version >= (3, 0):
        assert isinstance(verdict, Skipped)
        assert "does not take series without a name" in verdict.reason
    else:
        assert passes(verdict)
        assert not tests.theirs()


def test_partial_labels(tests: Replay) -> None:
    text = SERIES + FIRES.replace("job: api, ", "").replace(
        "exp_annotations: {summary: 'api at berlin: badly'}", "exp_annotations: {}"
    )
    assert [passes(one) for one in tests.ours(text, partial=True).values()] == [True]


def test_an_error_is_told_with_its_rule(tests: Replay) -> None:
    text, rules, _ = ALIKE["a rule that cannot be evaluated"]
    (verdict,) = tests.ours(text, rules).values()
    assert "rules.yml:1: x: " in texts(verdict)
    assert "invalid regular expression" in texts(verdict)


def test_tests_share_an_engine_unless_they_see_the_clock(tmp_path: Path) -> None:
    """Each far behind the one before, at the beginning of a week."""
    rules = "groups: [{name: g, rules: [{record: r, expr: 'rate(errors_total[3w])'}, {record: t, expr: 'time() - other'}]}]\n"
    plain = SERIES.split("tests:\n")[1] + "  promql_expr_test: [{expr: r, eval_time: 5m}]\n"
    clock = plain.replace("expr: r,", "expr: time(),")
    steps = plain.replace("expr: r,", "expr: 'max_over_time(r[1h:])',")
    (tmp_path / "rules.yml").write_text(rules)
    path = tmp_path / "test.yml"
    file = parse_unit_tests(
        "test.yml", SERIES.split("tests:\n")[0] + "tests:\n" + plain + plain + clock + steps, path, tmp_path
    )
    found = unit_rules.read([file], tmp_path).files
    benches = [bench(file, group, found, (3, 5)) for group in file.groups]
    assert [[one.rule.name for one in each.alive] for each in benches] == [["r"]] * 4
    shared, alone = lanes(benches)
    assert (alone.alone, [start for _, start in alone.places]) == (True, [0.0])
    assert shared.interval == 60.0
    starts = [start for _, start in shared.places]
    assert [start % WEEK for start in starts] == [0.0] * 3
    assert all(after - before >= 3 * WEEK + 300 for before, after in pairwise(starts))


SELECTED = ("here", "also")
NOTHING = ("gone", "rate(gone[5m]) > 1", "sum by (a) (gone)", "gone or away", "gone unless here", "here and gone", "here / gone", "-gone", "max_over_time(gone[1h:])", "quantile(0.9, gone)", "clamp_max(gone, 3)", "time() - gone")  # fmt: skip
SOMETHING = ("here", "absent(gone)", "vector(1)", "scalar(gone)", "gone or here", "here unless gone", "count_values('x', gone)", "label_replace(gone, 'a', '', 'b', '(')", "here / also and gone", "gone > bool 1 or vector(0)", "time()", "1")  # fmt: skip


@pytest.mark.parametrize("expression", [*NOTHING, *SOMETHING])
def test_what_surely_gives_nothing(expression: str) -> None:
    found = gives_nothing(parse(expression), lambda selector: selector.name in SELECTED)
    assert found == (expression in NOTHING)
