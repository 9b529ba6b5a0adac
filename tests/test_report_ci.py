"""Which reports are written where; paths are the repository's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_sre.model.finding import Finding, Location
from pytest_sre.report import ci, markdown
from pytest_sre.report.outcome import Outcome
from pytest_sre.report.place import in_repository, repository

WHERE = Location("rules/x.yml", 4)
OUTCOMES = [
    Outcome("rules/x.yml::Burn::pages", "pages", "Burn", "failed", WHERE, "", (Finding("pages", WHERE, "x"),))
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """pytest's root folder, two levels down in a repository."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    root = tmp_path / "repo" / "sre" / "alerts"
    root.mkdir(parents=True)
    return root


def test_without_ci_nothing_is_printed_or_written(root: Path) -> None:
    assert ci.publish(OUTCOMES, root=root, environ={}) == []
    assert list(root.rglob("*")) == []


def test_files_that_were_asked_for(root: Path, tmp_path: Path) -> None:
    summary, quality = tmp_path / "a" / "sre.md", tmp_path / "b" / "quality.json"
    ci.publish(OUTCOMES, root=root, environ={}, markdown_path=str(summary), codequality_path=str(quality))
    assert summary.read_text("utf-8") == markdown.render(OUTCOMES)
    assert json.loads(quality.read_text("utf-8"))[0]["location"]["path"] == "sre/alerts/rules/x.yml"


def test_on_github(root: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Others\n", "utf-8")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    lines = ci.publish(OUTCOMES, root=root, environ=environ, review=["one new alert"])
    assert [line.partition(",")[0] for line in lines] == ["::error file=sre/alerts/rules/x.yml"]
    assert summary.read_text("utf-8") == "# Others\n\n" + markdown.render(OUTCOMES, ["one new alert"])


def test_a_review_without_tests_is_told_and_nothing_at_all_is_not(root: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    assert ci.publish([], root=root, environ=environ) == []
    assert not summary.exists()
    ci.publish([], root=root, environ=environ, review=["1 alert is removed: A"])
    assert summary.read_text("utf-8") == "## No alert was tested\n\n- 1 alert is removed: A\n"


@pytest.mark.parametrize("taken", [markdown.LIMIT - 2_000, markdown.LIMIT - 10, markdown.LIMIT])
def test_the_summary_stays_below_githubs_limit(root: Path, tmp_path: Path, taken: int) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * taken, "utf-8")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    ci.publish(OUTCOMES * 50, root=root, environ=environ)
    assert summary.stat().st_size <= markdown.LIMIT
    assert (summary.stat().st_size > taken) == (taken == markdown.LIMIT - 2_000)


def test_a_summary_that_cannot_be_written_is_only_told(root: Path, tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)}
    lines = ci.publish(OUTCOMES, root=root, environ=environ)
    assert lines[1] == f"pytest-sre: cannot write the job's summary {tmp_path}: Is a directory"


def test_a_file_that_was_asked_for_must_be_written(root: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory"):
        ci.publish(OUTCOMES, root=root, environ={}, markdown_path=str(tmp_path))


def test_the_top_of_the_repository(root: Path, tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    assert repository(root, {}) == repo
    assert repository(root, {"GITHUB_WORKSPACE": str(repo)}) == repo
    # `actions/checkout` with `path:`; paths in the repository are what GitHub compares with.
    assert repository(root, {"GITHUB_WORKSPACE": str(tmp_path)}) == repo
    # A submodule belongs to the workspace's repository.
    (root / ".git").write_text("gitdir: elsewhere\n", "utf-8")
    assert repository(root, {"CI_PROJECT_DIR": str(repo)}) == repo
    assert repository(root, {"CI_PROJECT_DIR": "/elsewhere"}) == root


def test_a_workspace_without_git(tmp_path: Path) -> None:
    root = tmp_path / "sre"
    root.mkdir()
    assert repository(root, {"CI_PROJECT_DIR": str(tmp_path)}) == tmp_path
    assert repository(root, {}) == root


def test_paths_in_the_repository(root: Path, tmp_path: Path) -> None:
    top = tmp_path / "repo"
    assert in_repository("rules/x.yml", root, top) == "sre/alerts/rules/x.yml"
    assert in_repository("../../runbooks/x.md", root, top) == "runbooks/x.md"
    assert in_repository("../../../x.md", root, top) == (tmp_path / "x.md").as_posix()
