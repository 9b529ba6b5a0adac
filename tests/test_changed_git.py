"""The base revision and its files: real git repositories in every state."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from history import changed, commit, git, settings_of, start

from pytest_sre.changed.base import Tree
from pytest_sre.changed.export import export
from pytest_sre.changed.git import Revision, base_revision
from pytest_sre.errors import UserError
from pytest_sre.settings import MetricsPages

RULES = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository with one rule file."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "rules.yml").write_text(RULES)
    return start(folder)


@pytest.fixture
def clone(work: Path, tmp_path: Path) -> Path:
    """A clone with a branch of its own, whose origin has moved on."""
    git(tmp_path, "clone", "--quiet", str(work), "clone")
    git(tmp_path / "clone", "switch", "--quiet", "-c", "topic")
    commit(tmp_path / "clone", "topic")
    return tmp_path / "clone"


def head(folder: Path, name: str = "HEAD") -> str:
    return git(folder, "rev-parse", name)


def test_uncommitted_and_untracked_files_count(work: Path, tmp_path: Path) -> None:
    (work / "rules.yml").write_text(RULES.replace("== 0", "== 1"))
    (work / "more.yml").write_text(RULES.replace("alert: A", "alert: B").replace("== 0", "== 2"))

    assert changed(work, tmp_path).why == {"A": ["expression"], "B": ["new"]}


def test_without_a_base_on_main(work: Path) -> None:
    assert base_revision(work, "", {}) == Revision("HEAD", head(work), work)


def test_without_a_base_on_a_branch(work: Path) -> None:
    first = head(work)
    git(work, "switch", "--quiet", "-c", "topic")
    commit(work)

    assert base_revision(work, "", {}) == Revision("main", first, work)


def test_without_a_base_the_remotes_branch_counts(clone: Path, work: Path) -> None:
    commit(work, "later")
    git(clone, "fetch", "--quiet")

    found = base_revision(clone, "", {})

    assert (found.name, found.sha) == ("origin/main", head(clone, "main"))
    assert str(found) == f"origin/main ({found.sha[:10]})"


def test_a_branch_that_only_the_remote_has(clone: Path, work: Path) -> None:
    git(work, "branch", "release/2")
    git(clone, "fetch", "--quiet")

    assert base_revision(clone, "release/2", {}).name == "origin/release/2"


@pytest.mark.parametrize("name", ["main", "v1", "HEAD~1", "sha"])
def test_a_given_base(name: str, clone: Path) -> None:
    git(clone, "tag", "-a", "v1", "-m", "v1", "main")
    name = head(clone, "main") if name == "sha" else name

    assert base_revision(clone, name, {}) == Revision(name, head(clone, "main"), clone)


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"GITHUB_BASE_REF": "main"}, "origin/main"),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}, "origin/main"),
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "FIRST"}, "FIRST"),
        (
            {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "0" * 40, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"},
            "origin/main",
        ),
        ({"CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "FIRST", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD"}, "FIRST"),
        ({"GITHUB_BASE_REF": "", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": ""}, "origin/main"),
    ],
)
def test_the_target_of_a_merge_request(env: dict[str, str], name: str, clone: Path) -> None:
    first = head(clone, "main")
    env = {key: value.replace("FIRST", first) for key, value in env.items()}

    assert base_revision(clone, "", env) == Revision(name.replace("FIRST", first), first, clone)


def test_a_shallow_clone_says_how_to_fetch_more(work: Path, tmp_path: Path) -> None:
    git(work, "switch", "--quiet", "-c", "topic")
    commit(work, "topic")
    git(work, "switch", "--quiet", "main")
    commit(work, "main")
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--depth=1",
        "--no-single-branch",
        "-b",
        "topic",
        f"file://{work}",
        "shallow",
    )

    with pytest.raises(
        UserError, match=r"shallow.*`fetch-depth: 0`.*`GIT_DEPTH: 0`.*`git fetch --unshallow`"
    ):
        base_revision(tmp_path / "shallow", "", {"GITHUB_BASE_REF": "main"})


def test_a_base_that_was_not_fetched(work: Path, tmp_path: Path) -> None:
    git(work, "branch", "other")
    commit(work)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{work}", "shallow")

    with pytest.raises(
        UserError, match=r"no branch, tag or commit other .*git fetch origin other.*fetch-depth: 0"
    ):
        base_revision(tmp_path / "shallow", "", {"GITHUB_BASE_REF": "other"})


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "-x", "HEAD:rules.yml"])
def test_an_unknown_base(name: str, work: Path) -> None:
    with pytest.raises(UserError, match=f"no branch, tag or commit {name} here"):
        base_revision(work, name, {})


def test_no_common_history(work: Path) -> None:
    git(work, "switch", "--quiet", "--orphan", "alien")
    commit(work)

    with pytest.raises(UserError, match="no history in common"):
        base_revision(work, "main", {})


def test_no_commits_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")

    with pytest.raises(UserError, match="no commits yet"):
        base_revision(tmp_path, "", {})


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is in no git repository"):
        base_revision(tmp_path, "", {})


def test_a_bare_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")

    with pytest.raises(UserError, match="no work tree"):
        base_revision(tmp_path, "", {})


def test_no_git(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(UserError, match="needs the program git"):
        base_revision(work, "", {})


def test_a_repository_of_somebody_else(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(work, 12345, 12345)
    os.chown(work / ".git", 12345, 12345)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("SUDO_UID", raising=False)

    with pytest.raises(UserError, match=r"belongs to another user.*safe\.directory"):
        base_revision(work, "", {})


def test_a_worktree_and_a_hooks_environment(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(work, "worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "tree"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nothing")

    assert base_revision(tmp_path / "tree", "", {}) == Revision("main", head(work), tmp_path / "tree")


def test_nothing_of_the_users_configuration_runs(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    (work / ".gitattributes").write_text("* filter=trap diff=trap\nrules.yml export-ignore\n")
    commit(work)
    for key in (
        "core.pager",
        "core.fsmonitor",
        "filter.trap.smudge",
        "diff.trap.textconv",
        "core.sshCommand",
    ):
        git(work, "config", key, str(trap))
    (work / ".git/hooks").mkdir(exist_ok=True)
    (work / ".git/hooks/post-index-change").symlink_to(trap)
    (work / ".git/index").unlink()

    export(base_revision(work, "", {}), tmp_path / "out")

    assert (tmp_path / "out/rules.yml").read_text() == RULES
    assert not (tmp_path / "sprung").exists()
    assert not (work / ".git/index").exists()


def test_a_partial_clone_is_not_filled_up(work: Path, tmp_path: Path) -> None:
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{work}", "partial")

    with pytest.raises(UserError, match=r"not in this clone.*--refetch"):
        export(base_revision(tmp_path / "partial", "", {}), tmp_path / "out")


def test_odd_names_links_and_submodules(work: Path, tmp_path: Path) -> None:
    names = [
        "ünï.yml",
        "with space.yml",
        'quo"te.yml',
        "new\nline.yml",
        "tab\t.md",
        "deep/er/x.tmpl",
        "no-suffix",
        "-x.yml",
    ]
    for name in names:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(f"text of {name}")
    (work / "main.go").write_text("package main")
    (work / "link.yml").symlink_to("deep/er/x.tmpl")
    (work / "absolute.yml").symlink_to(work / "ünï.yml")
    (work / "outside.yml").symlink_to("../elsewhere.yml")
    (work / "folder").symlink_to("deep")
    (tmp_path / "elsewhere.yml").write_text("outside")
    other = start(tmp_path / "other")
    git(work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    commit(work)
    into = tmp_path / "out"

    export(base_revision(work, "HEAD", {}), into)

    assert {name: (into / name).read_text() for name in names} == {name: f"text of {name}" for name in names}
    assert (
        (into / "link.yml").read_text() == (into / "folder/er/x.tmpl").read_text() == "text of deep/er/x.tmpl"
    )
    assert (into / "absolute.yml").resolve() == (into / "ünï.yml").resolve()
    assert (into / "outside.yml").read_text() == "outside"
    assert not (into / "sub").exists()
    assert not (into / "main.go").exists()
    assert git(work, "status", "--porcelain") == ""


def test_a_root_that_is_reached_through_a_link(work: Path, tmp_path: Path) -> None:
    (work / "team").mkdir()
    (work / "team/rules.yml").write_text(RULES)
    commit(work)
    (tmp_path / "alias").symlink_to(work)
    root = tmp_path / "alias" / "team"
    (root / "rules.yml").write_text(RULES.replace("== 0", "== 1"))

    settings = settings_of(
        root, metrics=(MetricsPages(path="../../outside/*.prom"),), rules=(str(root / "*.yml"),)
    )

    assert changed(root, tmp_path, settings=settings).why == {"A": ["expression"]}


def test_paths_in_the_exported_tree(work: Path, tmp_path: Path) -> None:
    tree = Tree(work, tmp_path / "out")

    assert tree.moved(work / "a/b") == tmp_path / "out/a/b"
    assert tree.moved(work) == tmp_path / "out"
    assert tree.moved(tmp_path / "elsewhere") == tmp_path / "elsewhere"
    assert tree.moved_text(work / "team", "../rules/*.yml") == "../rules/*.yml"
    assert tree.moved_text(work / "team", "../../x/*.prom") == str(tmp_path / "x/*.prom")
    assert tree.moved_text(work, str(work / "rules/*.yml")) == str(tmp_path / "out/rules/*.yml")
