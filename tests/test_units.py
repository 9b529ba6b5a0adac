"""promtool's unit tests in `pytest --sre-alerts`: items, selection, failures, warnings."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from history import git, start
from servers import PAIRS, REPO, Pair
from shop import Result, edit, run

RULES = """\
groups:
- name: g
  rules:
  - {alert: Down, expr: up == 0, for: 1m, labels: {severity: page}, annotations: {summary: '{{ $labels.job }} is down'}}
  - {alert: Gone, expr: absent(up)}
"""
TESTS = """\
rule_files: [../rules/x.yml]
tests:
- name: outage
  input_series:
  - {series: 'up{job="api"}', values: 1 0x10}
  interval: 1m
  alert_rule_test:
  - {eval_time: 1m, alertname: Down}
  - eval_time: 2m
    alertname: Down
    exp_alerts:
    - exp_labels: {job: api, severity: page}
      exp_annotations: {summary: api is down}
  - {eval_time: 2m, alertname: Gone}
  promql_expr_test:
  - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="api"}', value: 0}]}
- alert_rule_test:
  - {eval_time: 5m, alertname: Gone, exp_alerts: [{}]}
  - {eval_time: 5m, alertname: Gone, exp_alerts: [{}]}
"""
_LINE = re.compile(r"^(tests/.*?) (PASSED|FAILED|SKIPPED|ERROR)\b.*%\]$", re.M)
IDS = [
    "tests/x_test.yml::loads",
    "tests/x_test.yml::outage::alert Down at 1m",
    "tests/x_test.yml::outage::alert Down at 2m",
    "tests/x_test.yml::outage::alert Gone at 2m",
    "tests/x_test.yml::outage::expr up at 1m",
    "tests/x_test.yml::test 2::alert Gone at 5m",
    "tests/x_test.yml::test 2::alert Gone at 5m[2]",
]


class Small:
    """A repository with one rule file and its unit tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("rules/x.yml", RULES)
        self.put("tests/x_test.yml", TESTS)
        self.put("pytest.ini", "[pytest]\nfilterwarnings = error\n")

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def run(self, pair: Pair, *options: str) -> Result:
        return run(self.folder, pair, *options)

    def outcomes(self, pair: Pair, *options: str) -> dict[str, str]:
        """Outcomes by id of the items of unit tests; ids may have spaces."""
        return dict(_LINE.findall(self.run(pair, *options).output))


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path / "repo")


def test_each_case_is_an_item(small: Small, pair: Pair) -> None:
    assert small.outcomes(pair, "tests") == dict.fromkeys(IDS, "PASSED")
    (small.folder / "rules" / "x.yml").touch()
    done = subprocess.run(
        [pair.promtool, "test", "rules", small.folder / "tests" / "x_test.yml"], capture_output=True
    )
    assert done.returncode == 0


def test_one_case_can_be_selected_by_its_id(small: Small, pair: Pair) -> None:
    for wanted in (IDS[2], IDS[6]):
        assert small.outcomes(pair, wanted) == {wanted: "PASSED"}


def test_workers_share_what_was_seen(small: Small, pair: Pair) -> None:
    result = small.run(pair, "-n", "2", "tests")
    assert result.status == 0, result.output
    assert f"{len(IDS)} passed" in result.output


def test_a_failure_says_what_differs(small: Small, pair: Pair) -> None:
    edit(small.folder / "tests/x_test.yml", "{job: api, severity: page}", "{job: api, severity: ticket}")
    edit(small.folder / "tests/x_test.yml", "value: 0}", "value: 1}")
    result = small.run(pair, "tests")
    assert result.status == 1
    assert "tests/x_test.yml:9: Down at 2m: 1 different [unit]" in result.output
    assert 'label severity: expected "ticket", seen "page"' in result.output
    assert "value: expected 1, seen 0" in result.output
    assert "Traceback" not in result.output


def test_what_promtool_lets_pass_is_a_warning(small: Small, pair: Pair) -> None:
    edit(
        small.folder / "tests/x_test.yml",
        "{eval_time: 2m, alertname: Gone}",
        "{eval_time: 2m, alertname: Gonne}",
    )
    small.put("tests/empty_test.yml", "rule_files: [nothing.yml]\ntests: [{name: empty}]\n")
    small.put("pytest.ini", "[pytest]\n")
    result = small.run(pair, "tests")
    assert result.status == 0, result.output
    for told in (
        "x_test.yml:14: PytestSreWarning: Gonne is no alert of the rule files",
        "empty_test.yml:1: PytestSreWarning: no file matches nothing.yml",
        "empty_test.yml:2: PytestSreWarning: this test asks nothing",
    ):
        assert told in result.output
    small.put("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    assert small.run(pair, "tests").status == 1


def test_an_alert_that_fires_unlisted_is_a_warning(small: Small, pair: Pair) -> None:
    edit(
        small.folder / "tests/x_test.yml",
        "eval_time: 2m\n    alertname: Down\n    exp_alerts:\n    - exp_labels: {job: api, severity: page}\n      exp_annotations: {summary: api is down}\n",
        "{eval_time: 9m, alertname: Gone}\n",
    )
    small.put("pytest.ini", "[pytest]\n")
    output = small.run(pair, "tests").output
    assert "Down fires at 2m and later, and no alert_rule_test asks about it then" in output


def test_partial_labels(small: Small, pair: Pair) -> None:
    edit(
        small.folder / "tests/x_test.yml",
        "{job: api, severity: page}\n      exp_annotations: {summary: api is down}",
        "{job: api}",
    )
    assert small.run(pair, "tests").status == 1
    small.put("sre.yaml", "unit_tests: {partial: true}\n")
    assert small.outcomes(pair, "tests") == dict.fromkeys(IDS, "PASSED")


def test_rules_that_only_unit_tests_name(small: Small, pair: Pair) -> None:
    small.put("generated/.hidden/y.yml", RULES)
    edit(small.folder / "tests/x_test.yml", "../rules/x.yml", "../generated/.hidden/*.yml")
    assert small.outcomes(pair, "tests") == dict.fromkeys(IDS, "PASSED")
    small.put("generated/.hidden/y.yml", RULES.replace("up == 0", "up =="))
    result = small.run(pair, "tests")
    assert result.status == 1
    assert "generated/.hidden/y.yml" in result.output
    assert result.output.count("rule files that Prometheus loads") == len(IDS) - 1


def test_rules_in_an_object(small: Small, pair: Pair) -> None:
    spec = "\n".join("  " + line for line in RULES.splitlines())
    small.put("rules/x.yml", f"kind: PrometheusRule\nspec:\n{spec}\n")
    small.put("pytest.ini", "[pytest]\n")
    result = small.run(pair, "tests")
    assert result.status == 0, result.output
    assert "rules/x.yml is a PrometheusRule, which promtool cannot read" in result.output


def test_unit_tests_of_the_rules_that_are_named(small: Small, pair: Pair) -> None:
    small.put("other/y.yml", RULES)
    small.put("tests/y_test.yml", TESTS.replace("rules/x.yml", "other/y.yml"))
    assert set(small.outcomes(pair, "--sre-rules=rules/*.yml", "tests")) == set(IDS)
    small.put("sre.yaml", "rules: [other/*.yml]\n")
    assert set(small.outcomes(pair, "tests")) == {one.replace("x_test", "y_test") for one in IDS}


def test_a_broken_file_costs_no_other_its_tests(small: Small, pair: Pair) -> None:
    small.put("tests/bad_test.yml", TESTS.replace("alertname: Down}", "alertnam: Down}"))
    result = small.run(pair, "tests")
    assert f"1 failed, {len(IDS)} passed" in result.output
    assert "tests/bad_test.yml:8" in result.output
    assert "alertnam" in result.output


def test_only_what_changed(small: Small, pair: Pair) -> None:
    small.put("rules/y.yml", RULES.replace("Down", "Away"))
    small.put("tests/y_test.yml", TESTS.replace("x.yml", "y.yml").replace("Down", "Away"))
    start(small.folder)
    edit(small.folder / "rules/y.yml", "is down", "is away")
    found = small.outcomes(pair, "--sre-changed", "-k", "loads or outage or 2")
    assert {name.partition("::")[0] for name in found} == {"tests/y_test.yml"}
    git(small.folder, "checkout", "--", ".")
    edit(small.folder / "tests/x_test.yml", "value: 0", "value: 0.0")
    found = small.outcomes(pair, "--sre-changed")
    assert found == dict.fromkeys(IDS, "PASSED")


def test_each_version_of_a_matrix(small: Small) -> None:
    if len(PAIRS) < 2:
        pytest.skip("needs two versions")
    some = PAIRS[:2]
    more = [option for pair in some[1:] for option in pair.options]
    found = small.outcomes(some[0], *more, "tests")
    assert len(found) == 2 * len(IDS)
    assert any(name.startswith("tests/x_test.yml::test 2::alert Gone at 5m[2,") for name in found)
    assert set(found.values()) == {"PASSED"}


def test_the_shop(repo: Path, pair: Pair) -> None:
    """The example's unit tests pass here and there, without a warning."""
    result = run(repo, pair, "-W", "error", "tests")
    assert result.status == 0, result.output
    assert "unit" in result.output
    done = subprocess.run(
        [pair.promtool, "test", "rules", REPO / "examples/shop/tests/checkout_test.yml"], capture_output=True
    )
    assert done.returncode == 0
    assert json.dumps(result.report["stacks"][0]["files"]).count("checkout_test.yml") == 1
