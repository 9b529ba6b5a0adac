"""Scripted git histories: real git, real files, nothing of the user's configuration."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sre.changed.base import Tree, read_base
from pytest_sre.changed.compare import Comparison, compare
from pytest_sre.changed.export import export
from pytest_sre.changed.git import base_revision
from pytest_sre.changed.side import Side
from pytest_sre.settings import FILE_NAMES, Settings, SreYaml, read_sre_yaml
from pytest_sre.sources.discover import discover

ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    """Run git, which must succeed."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    """Commit everything; the new commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def start(folder: Path) -> Path:
    """A repository whose first commit holds what is in the folder; its branch is main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "first")
    return folder


def settings_of(root: Path, **given: object) -> Settings:
    """The settings of a run in a folder; ``given`` are values from the command line."""
    path = next((root / name for name in FILE_NAMES if (root / name).is_file()), None)
    file = read_sre_yaml(path) if path else SreYaml()
    return Settings(root=root, folder=root, search=root, file=file.model_copy(update=given))


@dataclass
class Run:
    """A comparison, in words."""

    comparison: Comparison
    why: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.why = {}
        for rule, reasons in self.comparison.reasons.items():
            self.why.setdefault(rule.name, []).extend(map(str, reasons))


def changed(root: Path, into: Path, base: str = "", settings: Settings | None = None) -> Run:
    """What `--sre-changed` would select in a folder; the base is written below ``into``."""
    settings = settings or settings_of(root)
    revision = base_revision(root, base, {})
    tree = Tree(revision.top, into / "base")
    tree.into.mkdir()
    export(revision, tree.into)
    return Run(compare(read_base(settings, tree), Side(settings, discover(settings))))
