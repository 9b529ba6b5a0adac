"""Findings that only warn: the user's filters decide, as for any other warning."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

CONFTEST = """
from pathlib import Path
import pytest
from pytest_sre.model.finding import Finding, Location
from pytest_sre.warnings import warn

class Failed(Exception): pass

class Rules(pytest.File):
    def collect(self):
        yield Item.from_parent(self, name="runbook")

class Item(pytest.Item):
    def runtest(self):
        finding = Finding("runbook", Location("rules/x.yml", 2), "no owner", "an owner", "none", severity="warning")
        if warn(finding, self.config.rootpath).severity == "error":
            raise Failed(str(finding))
    def repr_failure(self, excinfo):
        return str(excinfo.value)

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".yml":
        return Rules.from_parent(parent, path=file_path)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("PYTEST_ADDOPTS", "PYTHONWARNINGS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(CONFTEST)
    pytester.mkdir("rules").joinpath("x.yml").write_text("groups:\n- name: the group\n", "utf-8")
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    """A run of its own, without the filters of this one."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        return suite.runpytest_inprocess(*args)


@pytest.mark.parametrize("args", [(), ("-n", "1")])
def test_the_summary_shows_the_users_file_and_line(suite: pytest.Pytester, args: tuple[str, ...]) -> None:
    result = suite.runpytest_subprocess(*args)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "*warnings summary*",
            "rules/x.yml::runbook",
            f"  {suite.path}/rules/x.yml:2: PytestSreWarning: no owner [[]runbook[]]",
            "    expected: an owner",
            "    seen:     none",
        ]
    )


@pytest.mark.parametrize(
    "filter_",
    [
        "error",
        "error::pytest_sre.PytestSreWarning",
        "error::pytest.PytestWarning",
        "error:no owner",
        "error:::rules/x.yml",
        "error::pytest_sre.PytestSreWarning:rules/x.yml:2",
    ],
)
def test_error(suite: pytest.Pytester, filter_: str) -> None:
    suite.makeini(f"[pytest]\nfilterwarnings = {filter_}\n")
    result = run(suite)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["rules/x.yml:2: no owner [[]runbook[]]", "  expected: an owner", "  seen:     none"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    "filter_",
    [
        "ignore::pytest_sre.PytestSreWarning",
        "ignore:no owner",
        "ignore::pytest_sre.PytestSreWarning:rules/x.yml",
    ],
)
def test_ignore(suite: pytest.Pytester, filter_: str) -> None:
    suite.makeini(f"[pytest]\nfilterwarnings =\n    error\n    {filter_}\n")
    run(suite).assert_outcomes(passed=1, warnings=0)


def test_ignore_on_the_command_line(suite: pytest.Pytester) -> None:
    result = run(suite, "-W", "ignore::pytest_sre.PytestSreWarning:rules/x.yml")
    result.assert_outcomes(passed=1, warnings=0)


def test_another_files_filter_does_not_count(suite: pytest.Pytester) -> None:
    result = run(suite, "-W", "error::pytest_sre.PytestSreWarning:rules/y.yml")
    result.assert_outcomes(passed=1, warnings=1)


def test_the_package_alone_does_not_import_pytest() -> None:
    code = "import sys, pytest_sre; print('pytest' in sys.modules, pytest_sre.PytestSreWarning.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False", "pytest_sre"]
