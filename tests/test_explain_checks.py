"""`--sre-explain`: the page of a check, from a checkout and from a wheel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import REPO

from pytest_sre import explain
from pytest_sre.checks import CHECKS, coverage, incident, loads, policy, routing, unit
from pytest_sre.errors import UserError
from pytest_sre.model.runbook_checks import CATALOGUE, ITEMS

CHECKS_PAGES = REPO / "docs" / "checks"


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("RB101", "rb101_no_executable_step"),
        ("rb101", "rb101_no_executable_step"),
        ("no-executable-step", "rb101_no_executable_step"),
        ("rb301_stale", "rb301_stale"),
        ("RB002", "runbook"),
        ("pages", "pages"),
        ("fires", "fires"),
    ],
)
def test_the_page_is_printed_and_nothing_is_run(asked: str, page: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_never():\n    assert False\n")
    result = pytester.runpytest("--sre-explain", asked)

    assert result.ret == 0
    assert result.stdout.str().strip() == (CHECKS_PAGES / f"{page}.md").read_text("utf-8").strip()


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("RB10", "did you mean RB101, RB102"),
        ("pagse", "did you mean pages[?]"),
        ("RB999", "did you mean RB"),
        ("qwertz", "there are coverage, detects"),
    ],
)
def test_an_unknown_check_is_a_usage_error(asked: str, hint: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest(f"--sre-explain={asked}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*there is no check '{asked}'*{hint}*"])


def test_everything_that_a_finding_may_be_called_is_explained() -> None:
    modules = (*CHECKS, loads, policy, unit, routing, coverage, incident)
    names = [module.NAME for module in modules]
    for name in (*names, *(one.id for one in CATALOGUE), *(one.name for one in CATALOGUE)):
        assert explain.page_of(name).startswith("# ")
    for item in ITEMS:
        listed = explain.page_of(item)
        assert all((one.id in listed) == (one.item == item) for one in CATALOGUE)


def test_a_wheel_has_the_pages_below_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = (REPO / "pyproject.toml").read_text("utf-8")
    assert re.search(
        r'^\[tool.hatch.build.targets.wheel.force-include\]\n"docs" = "pytest_sre/docs"', project, re.M
    )
    (tmp_path / "docs" / "checks").mkdir(parents=True)
    (tmp_path / "docs" / "checks" / "fires.md").write_text("# fires: here\n", "utf-8")
    monkeypatch.setattr(explain, "_PACKAGE", tmp_path)

    assert explain.page_of("fires") == "# fires: here\n"
    with pytest.raises(UserError, match="cannot be read"):
        explain.page_of("RB101")
