"""promtool's unit tests on virtual time: the same verdict as the real promtool of the same version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from servers import Pair

from pytest_sre.checks import unit, unit_names
from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.model.unittest import UnitFile
from pytest_sre.sources import unit_rules
from pytest_sre.sources.promtool_tests import parse_unit_tests
from pytest_sre.stack.process import ProcessStack
from pytest_sre.timemachine import replay as replays
from pytest_sre.timemachine.replay import UnitJob, replay

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
