"""A run writes what CI shows: once, whatever number of processes, and skips are at the user's line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from servers import Pair

RULES = """\
groups:
- name: a
  rules:
  - alert: Burn
    expr: up == 0
    labels: {severity: page}
  - alert: Down
    expr: up == 0
    annotations: {runbook_url: "https://elsewhere.example/down"}
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("PYTEST_ADDOPTS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    (pytester.path / ".git").mkdir()
    (pytester.mkdir("sre") / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (pytester.path / "sre" / "rules.yml").write_text(RULES, "utf-8")
    return pytester


def run(suite: pytest.Pytester, *args: str) -> pytest.RunResult:
    """The checks that need no server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(suite.path / "sre")
        return suite.runpytest_subprocess("--sre-alerts", "-k", "runbook", *args)


@pytest.mark.parametrize("args", [(), ("-n", "2")])
def test_reports_are_written_once(suite: pytest.Pytester, args: tuple[str, ...]) -> None:
    result = run(suite, "--sre-markdown=new/sre.md", "--sre-codequality=new/quality.json", *args)
    commands = [line for line in result.outlines if line.startswith("::")]
    assert [line.partition("%0A")[0] for line in commands] == [
        "::error file=sre/rules.yml,line=4,title=Burn%3A%3Arunbook::Burn pages and has no runbook [RB001]"
    ]
    text = (suite.path / "summary.md").read_text("utf-8")
    assert text == (suite.path / "sre/new/sre.md").read_text("utf-8")
    assert text.startswith(
        "## ❌ 1 of 2 alerts failed: `Burn`\n\n| check | proven | failed | NOT proven | errors |\n"
    )
    assert text.count("\n## ") == 0
    assert text.count("\n| `runbook` | 0 | 1 | 1 | 0 |\n") == 1
    (entry,) = json.loads((suite.path / "sre/new/quality.json").read_text("utf-8"))
    assert entry["location"] == {"path": "sre/rules.yml", "lines": {"begin": 4}}


def test_a_skip_is_at_the_users_line(suite: pytest.Pytester) -> None:
    run(suite, "-rs").stdout.fnmatch_lines(
        ["SKIPPED [[]1[]] rules.yml:7: https://elsewhere.example/down maps to *"]
    )


@pytest.mark.parametrize("path", ["rules.yml/sre.md", "."])
@pytest.mark.parametrize("option", ["json", "markdown", "codequality"])
def test_a_report_that_cannot_be_written_is_a_usage_error(
    suite: pytest.Pytester, option: str, path: str
) -> None:
    result = run(suite, f"--sre-{option}={path}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: pytest-sre: cannot write *: * folder"])
    assert "::loads" not in result.stdout.str()  # told before anything is done


def test_outside_of_ci_nothing_is_printed(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    result = run(suite)
    assert not [line for line in result.outlines if line.startswith("::")]
    assert not (suite.path / "summary.md").exists()


def test_the_shop_reads_like_a_review(
    pair: Pair, repo: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTEST_ADDOPTS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(repo)
    pytester.runpytest_subprocess("--sre-alerts", *pair.options, "--sre-markdown=sre.md")
    text = (repo / "sre.md").read_text("utf-8")
    assert text.startswith("## ✅ 13 alerts proven\n")
    assert re.search(r"\n- Prometheus \d+\.\d+\.\d+\S*, Alertmanager \d+\.\d+\.\d+\S*\n$", text)
