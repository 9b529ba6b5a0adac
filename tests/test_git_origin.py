"""Where a repository was cloned from, and which of its own URLs lead to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.sources.git_origin import Repository, repository_of


def cloned(folder: Path, config: str, head: str = "ref: refs/heads/feature/x\n") -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text(config)
    (folder / ".git" / "HEAD").write_text(head)
    return folder


def origin(url: str, name: str = "origin") -> str:
    return f'[core]\n\tbare = false\n[remote "{name}"]\n\turl = {url}\n\tfetch = +refs/heads/*\n[branch "main"]\n'


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://github.com/acme/infra.git", "github.com", "acme/infra"),
        ("https://token:x@GitHub.com/acme/infra", "github.com", "acme/infra"),
        ("git@github.com:acme/infra.git", "github.com", "acme/infra"),
        ("ssh://git@gitlab.example.com:2222/a/b/infra.git", "gitlab.example.com", "a/b/infra"),
        ("gitlab.example.com:a/infra/", "gitlab.example.com", "a/infra"),
    ],
)
def test_forms_of_an_origin(tmp_path: Path, url: str, host: str, path: str) -> None:
    found = repository_of(cloned(tmp_path, origin(url)))
    assert found is not None
    assert (found.host, found.path, found.top) == (host, path, tmp_path)
    assert found.branches[0] == "feature/x"


def test_the_only_remote_counts_whatever_its_name_but_not_one_of_several(tmp_path: Path) -> None:
    one = origin("git@github.com:a/b.git", "upstream")
    assert repository_of(cloned(tmp_path / "one", one)) is not None
    two = one + origin("git@github.com:c/b.git", "mine")
    assert repository_of(cloned(tmp_path / "two", two)) is None


@pytest.mark.parametrize("config", ["", "[remote", '[remote "origin"]\n url = /srv/git/x.git\n', "\0\xff"])
def test_nobody_knows(tmp_path: Path, config: str) -> None:
    assert repository_of(cloned(tmp_path, config)) is None


def test_a_folder_of_a_work_tree_belongs_to_its_repository(tmp_path: Path) -> None:
    main = cloned(tmp_path / "main", origin("git@github.com:a/b.git"))
    own = main / ".git" / "worktrees" / "w"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    (own / "HEAD").write_text("ref: refs/heads/other\n")
    (tmp_path / "w" / "deep").mkdir(parents=True)
    (tmp_path / "w" / ".git").write_text(f"gitdir: {own}\n")
    found = repository_of(tmp_path / "w" / "deep")
    assert found is not None
    assert (found.top, found.path, found.branches[0]) == (tmp_path / "w", "a/b", "other")


GITHUB = Repository(Path("/x"), "github.com", "acme/infra", ("feature/x", "main"))


@pytest.mark.parametrize(
    ("url", "inside", "path"),
    [
        ("https://github.com/acme/infra/blob/main/docs/a%20b.md", "main/docs/a b.md", "docs/a b.md"),
        ("https://github.com/Acme/Infra/tree/feature/x/docs", "feature/x/docs", "docs"),
        ("https://github.com/acme/infra/edit/main/a.md?plain=1", "main/a.md", "a.md"),
        ("https://raw.githubusercontent.com/acme/infra/refs/heads/main/a.md", "main/a.md", "a.md"),
        ("https://github.com/acme/infra/blob/v1.2/a.md", "v1.2/a.md", None),
        ("https://github.com/acme/infra/blob/mainline/a.md", "mainline/a.md", None),
        ("https://www.github.com/acme/infra", "", None),
    ],
)
def test_own_urls_of_files(url: str, inside: str, path: str | None) -> None:
    assert GITHUB.inside(url) == inside
    assert GITHUB.file(inside) == path


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/infra/issues/1",
        "https://github.com/acme/infra/wiki/Home",
        "https://github.com/acme/infrastructure/blob/main/a.md",
        "https://gitlab.com/acme/infra/-/blob/main/a.md",
        "https://raw.githubusercontent.com/other/infra/main/a.md",
    ],
)
def test_urls_that_lead_elsewhere(url: str) -> None:
    assert GITHUB.inside(url) is None
