"""How an item's findings reach pytest: JUnit as viewers list it, warnings, skips at the user's line."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

RULES = """\
groups:
- name: a
  rules:
  - alert: Burn
    expr: up == 0
    labels: {severity: page}
  - alert: Down
    expr: up == 0
    labels: {severity: ticket}
    annotations: {runbook_url: "https://elsewhere.example/down"}
"""
WARNS = """
from pytest_sre.checks import runbook
from pytest_sre.model.finding import Finding

def judge(case):
    yield Finding("runbook", case.rule.location, f"{case.rule.name} has no owner", severity="warning")

runbook.judge = judge
"""
FAMILIES = pytest.mark.parametrize("family", ["xunit1", "xunit2"])


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("PYTEST_ADDOPTS", "PYTHONWARNINGS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    pytester.mkdir("rules").joinpath("x.yml").write_text(RULES, "utf-8")
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    """The checks that need no server."""
    return suite.runpytest_subprocess("--sre-alerts", "-k", "runbook", *args)


def junit(suite: pytest.Pytester, family: str, *args: str) -> dict[str, ET.Element]:
    run(suite, f"--junitxml={suite.path}/junit.xml", "-o", f"junit_family={family}", *args)
    cases = ET.parse(suite.path / "junit.xml").iter("testcase")
    return {f"{case.get('classname')} {case.get('name')}": case for case in cases}


@FAMILIES
@pytest.mark.parametrize("args", [(), ("-n", "1")])
def test_junit(suite: pytest.Pytester, family: str, args: tuple[str, ...]) -> None:
    cases = junit(suite, family, *args)
    case = cases["rules.x.yml.Burn runbook"]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "rules/x.yml:4: Burn pages and has no runbook [RB001]"
    assert (failure.text or "").splitlines() == [
        "rules/x.yml:4: Burn pages and has no runbook [RB001]",
        "  expected: an annotation runbook_url",
        "  seen:     annotations: none",
        "  next:     write a runbook and link it; see docs/checks/runbook.md",
    ]
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties == {
        "sre_alert": "Burn",
        "sre_check": "runbook",
        "sre_rule": "rules/x.yml:4",
        "sre_findings": "1",
    }
    assert case.get("file") == ("rules/x.yml" if family == "xunit1" else None)
    skipped = cases["rules.x.yml.Down runbook"].find("skipped")
    assert skipped is not None
    assert (skipped.get("message") or "").startswith("https://elsewhere.example/down maps to no local file")


def test_a_failure_of_strict_reads_like_a_finding(suite: pytest.Pytester) -> None:
    case = junit(suite, "xunit2", "--sre-strict")["rules.x.yml.Down runbook"]
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith(
        "rules/x.yml:7: not proven (strict): https://elsewhere.example/"
    )


def test_the_short_summary_has_one_line_a_failure(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = run(suite)
    result.stdout.fnmatch_lines(
        ["FAILED rules/x.yml::Burn::runbook - rules/x.yml:4: Burn pages and has no runbook [[]RB001[]]"]
    )


def test_findings_that_warn_do_not_fail(suite: pytest.Pytester) -> None:
    suite.makeconftest(WARNS)
    result = run(suite)
    result.assert_outcomes(passed=2, warnings=2, deselected=13)
    result.stdout.fnmatch_lines(
        [f"  {suite.path}/rules/x.yml:4: PytestSreWarning: Burn has no owner [[]runbook[]]"]
    )


def test_the_users_filter_makes_them_fail(suite: pytest.Pytester) -> None:
    suite.makeconftest(WARNS)
    result = run(suite, "-W", "error::pytest_sre.PytestSreWarning")
    result.assert_outcomes(failed=2, deselected=13)
    result.stdout.fnmatch_lines(["rules/x.yml:4: Burn has no owner [[]runbook[]]"])
    result.stdout.no_fnmatch_line("*Traceback*")
