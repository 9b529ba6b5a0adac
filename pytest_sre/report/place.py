"""Where a file lies in the repository: CI shows findings by that path, whatever pytest's root folder is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


def repository(root: Path, environ: Mapping[str, str]) -> Path:
    """The repository's top folder: CI's workspace or, where the checkout lies within it, git's top level."""
    root = root.resolve()
    given = [Path(environ[name]).resolve() for name in _WORKSPACES if environ.get(name)]
    workspace = next((path for path in given if root.is_relative_to(path)), None)
    if workspace and (workspace / ".git").exists():
        return workspace
    top = next((path for path in (root, *root.parents) if (path / ".git").exists()), None)
    return top or workspace or root


def in_repository(path: str, root: Path, top: Path) -> str:
    """A path relative to pytest's root, as a path relative to the repository; outside of it an absolute one."""
    whole = Path(os.path.normpath(root.resolve() / path))
    return whole.relative_to(top).as_posix() if whole.is_relative_to(top) else whole.as_posix()
