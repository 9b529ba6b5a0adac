"""docs/ci.md shows the files of examples/ci as they are, and those are valid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import REPO

from pytest_sre.plugin import pytest_addoption

FILES = sorted((REPO / "examples" / "ci").glob("*.yml"))
PAGE = (REPO / "docs" / "ci.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
HOOKS = REPO / ".pre-commit-hooks.yaml"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def commands(path: Path) -> list[str]:
    """All shell commands of a CI file."""
    document = load(path)
    if path.stem.startswith("gitlab"):
        return [line for job in document.values() for line in job["script"]]
    return [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_page_shows_the_file(path: Path) -> None:
    assert path.read_text("utf-8") in BLOCKS
    assert f"[{path.name}](../examples/ci/{path.name})" in PAGE


class Options:
    """A parser that remembers the names of options."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        pytest_addoption(self)  # type: ignore[arg-type]

    def getgroup(self, *_: str) -> Options:
        return self

    def addoption(self, name: str, **_: object) -> None:
        self.names.add(name)

    def addini(self, *_: object, **__: object) -> None:
        pass


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_commands_have_options_that_exist(path: Path) -> None:
    runs = [command for command in commands(path) if command.startswith("pytest ")]
    used = {word.partition("=")[0] for command in runs for word in shlex.split(command)}
    used = {word for word in used if word.startswith("--sre")}
    assert {"--sre-alerts", "--sre-backend"} <= used <= Options().names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_has_the_whole_history_and_keeps_the_reports(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ("fetch-depth: 0" in text) or ('GIT_DEPTH: "0"' in text)
    assert "--sre-changed" in text
    assert "--junitxml=sre/junit.xml" in text
    assert "pip install pytest-sre" in commands(path)
    assert not re.search(r"https?:|\b[\w-]+\.(io|com|org)\b", text)


def test_the_hook() -> None:
    (hook,) = load(HOOKS)
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("sre-alerts", "python", False)
    wanted = re.compile(hook["files"])
    for name in ("rules/x.yml", "sre.yaml", "runbooks/x.md", "templates/x.tmpl", "fixtures/x.prom"):
        assert wanted.search(name)
    assert not wanted.search("src/main.py")


def test_the_hook_imports_neither_tests_nor_conftest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest("raise SystemExit('imported')")
    pytester.makepyfile(test_own="raise SystemExit('imported')")
    rules = "groups:\n- name: a\n  rules:\n  - alert: Down\n    expr: up == 0\n"
    pytester.mkdir("rules").joinpath("x.yml").write_text(rules, "utf-8")
    (hook,) = load(HOOKS)
    result = pytester.runpytest_subprocess(*shlex.split(hook["entry"])[1:], "-k", "runbook")
    result.assert_outcomes(passed=1, deselected=7)
