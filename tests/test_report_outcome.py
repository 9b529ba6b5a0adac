"""Findings survive the way from an item to the process that writes reports, also pytest-xdist's."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_sre.model.finding import Finding, Location
from pytest_sre.report.outcome import Outcome, attach, outcomes, told

RULE = Location("rules/x.yml", 4)
FINDING = Finding("pages", RULE, "Burn pages nobody", "a", "b\nc", "d", ("route x",))
WARNING = Finding("runbook", RULE, "Burn has no owner", severity="warning")
CONFTEST = """
import pytest
from pytest_sre.model.finding import Finding, Location
from pytest_sre.report.outcome import attach, outcomes

WHERE = Location("rules/x.yml", 4)
FINDINGS = {
    "test_fails": [Finding("pages", WHERE, "Burn pages nobody", "a", "b", "c", ("d",))],
    "test_warns": [Finding("runbook", WHERE, "no owner", severity="warning")],
}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    attach(report, check="pages", alert="Burn", location=WHERE, findings=FINDINGS.get(item.name, ()))
    return report

def pytest_terminal_summary(terminalreporter):
    reports = [report for some in terminalreporter.stats.values() for report in some if hasattr(report, "when")]
    for one in sorted(outcomes(reports), key=lambda one: one.name):
        terminalreporter.write_line(f"{one.name} {one.outcome} {one.location} {one.message!r} {one.findings}")
"""
TESTS = """
import pytest

def test_passes(): pass
def test_warns(): pass
def test_fails(): pytest.fail("told", pytrace=False)
def test_fails_otherwise(): pytest.fail("not proven\\nmore", pytrace=False)
def test_skips(): pytest.skip("no receiver")
@pytest.fixture
def broken(): pytest.fail("no server", pytrace=False)
def test_errors(broken): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert False
"""


def report(outcome: str = "passed", when: str = "call", longrepr: Any = None, **more: Any) -> Any:
    return SimpleNamespace(nodeid="x.yml::Burn::pages", outcome=outcome, when=when, longrepr=longrepr, **more)


def given(report: Any, *findings: Finding) -> Any:
    attach(report, check="pages", alert="Burn", location=RULE, findings=findings)
    return report


def one(*reports: Any) -> Outcome:
    (found,) = outcomes(reports)
    return found


@pytest.mark.parametrize("finding", [FINDING, WARNING])
def test_what_is_sent_is_simple_and_comes_back_whole(finding: Finding) -> None:
    sent = vars(given(report("failed"), finding))
    assert json.loads(json.dumps(sent)) == sent
    assert one(SimpleNamespace(**sent)).findings == (finding,)


def test_through_pytest_and_xdist(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    alone, spread = (
        [line for line in pytester.runpytest_subprocess(*args).outlines if "rules/x.yml:4" in line]
        for args in ((), ("-n", "2"))
    )
    assert alone == spread
    assert [line.split()[:2] for line in alone] == [
        ["test_errors", "error"],
        ["test_expected", "skipped"],
        ["test_fails", "failed"],
        ["test_fails_otherwise", "failed"],
        ["test_passes", "passed"],
        ["test_skips", "skipped"],
        ["test_warns", "warned"],
    ]
    assert "'expected to fail: known'" in alone[1]
    assert "summary='Burn pages nobody', expected='a', seen='b', next_step='c', details=('d',)" in alone[2]
    assert "summary='not proven', expected='', seen='', next_step='', details=('more',)" in alone[3]
    assert "'no receiver'" in alone[5]
    assert "severity='warning'" in alone[6]


def test_others_reports_are_passed_over() -> None:
    assert outcomes([report(), object()]) == []


def test_an_item_that_was_cut_off_has_no_outcome() -> None:
    assert outcomes([given(report(when="setup"))]) == []


def test_the_last_try_counts() -> None:
    assert one(given(report("failed"), FINDING), given(report())).outcome == "passed"


def test_a_failed_teardown_is_an_error() -> None:
    seen = one(given(report()), given(report("failed", "teardown", "lost")))
    assert (seen.outcome, seen.message, seen.findings) == ("error", "lost", ())


def test_control_characters_are_left_out() -> None:
    assert (
        one(given(report("skipped", longrepr=("x", 1, "Skipped: \x1b[31mred\x1b[0m\x07")))).message == "red"
    )


def test_the_same_finding_of_two_versions_is_told_once() -> None:
    first, second = one(given(report("failed"), FINDING)), one(given(report("failed"), FINDING, WARNING))
    assert [finding for _, finding in told([first, second])] == [FINDING, WARNING]
