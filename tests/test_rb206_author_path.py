"""RB206: commands do not need their author's folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb206_author_path as check


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


def _lines(code: str, tmp_path: Path, language: str = "bash") -> list[int]:
    return [hit.line for hit in hits_in(check, f"# Title\n\n```{language}\n{code}\n```\n", tmp_path)]


@pytest.mark.parametrize(
    "path",
    ["/Users/anna/x", "/home/alice/.kube/config", "C:\\Users\\Anna\\x", "'/home/alice'", "--file=/Users/me"],
)
def test_folders_of_somebody(path: str, tmp_path: Path) -> None:
    assert _lines(f"echo\ncat {path}", tmp_path) == [5]


@pytest.mark.parametrize(
    "path",
    [
        "/home/jenkins/x",
        "/home/user/x",
        "/home/ubuntu",
        "/home/gitlab-runner/builds",
        "/home/deploy-user/x",
        "/Users/Shared/x",
        "/home/<you>/x",
        "/home/$USER/x",
        "/home/{{ user }}/x",
        "/home/*/x",
        "/home",
        "~/x",
        "https://example.com/home/alice/x",
        "https://example.com/Users/alice",
        "/var/home/alice.txt",
    ],
)
def test_folders_that_everybody_has(path: str, tmp_path: Path) -> None:
    assert _lines(f"cat {path}", tmp_path) == []


def test_other_blocks_and_inline_code_count(tmp_path: Path) -> None:
    assert _lines("path: /Users/anna/x", tmp_path, "yaml") == [4]
    assert [hit.line for hit in hits_in(check, "# T\n\nSee `/Users/anna/x`.\n", tmp_path)] == [3]
