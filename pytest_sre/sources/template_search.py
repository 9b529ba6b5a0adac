"""Files of templates that a configuration names by a path that exists in production only."""

from __future__ import annotations

import contextlib
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_sre.sources.walk import walk_all


def by_name(pattern: str, folder: Path) -> list[list[Path]]:
    """What lies below a folder and has the name of a pattern's last part: for each name the files, only those that differ.

    Where a name has several, nobody knows which of them production has. What can't be read is not there.
    """
    name = Path(pattern).name
    found: dict[str, dict[bytes, Path]] = {}
    for path in walk_all(folder):
        if fnmatchcase(path.name, name) and path.is_file():
            with contextlib.suppress(OSError):
                found.setdefault(path.name, {}).setdefault(path.read_bytes(), path)
    return [list(files.values()) for _, files in sorted(found.items()) if files]
