"""Which files of a clone git does not keep: a link to one of these may be alive elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_SUBMODULE = re.compile(r"^\s*path\s*=\s*(\S+)\s*$", re.MULTILINE)


class Unkept:
    """What `.gitignore` and `.gitmodules` say below a folder; each is read once.

    It is enough to recognise too much: what is ignored and taken back with `!` counts as ignored.
    """

    def __init__(self, top: Path) -> None:
        """Nothing is read yet."""
        self.top = top
        self._patterns: dict[Path, tuple[str, ...]] = {}

    def covers(self, path: Path) -> bool:
        """Whether a path is ignored, or lies in a submodule."""
        folders = (folder for folder in path.parents if folder.is_relative_to(self.top))
        return any(
            _matches(pattern, path.relative_to(folder)) for folder in folders for pattern in self._of(folder)
        )

    def _of(self, folder: Path) -> tuple[str, ...]:
        if folder not in self._patterns:
            self._patterns[folder] = tuple(_ignored(folder))
        return self._patterns[folder]


def _ignored(folder: Path) -> Iterator[str]:
    for line in _text(folder / ".gitignore").splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith(("#", "!")):
            yield pattern.rstrip("/")
    yield from (f"/{name.strip('/')}" for name in _SUBMODULE.findall(_text(folder / ".gitmodules")))


def _matches(pattern: str, path: Path) -> bool:
    """A pattern with a slash is about the path from its own folder, another about any part of it."""
    if "/" not in pattern:
        return any(fnmatchcase(part, pattern) for part in path.parts)
    below = [path, *path.parents][:-1]
    return any(fnmatchcase(one.as_posix(), pattern.removeprefix("**/").lstrip("/")) for one in below)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
