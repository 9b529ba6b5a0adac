"""A repository's files, those of tools and dependencies left out, and their text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_sre.sources.rulefile import Broken

MAX_BYTES = 32 * 1024 * 1024
_PRUNED = {"node_modules", "venv", "__pycache__", "build", "dist", "site-packages", "vendor"}


def walk(root: Path) -> Iterator[Path]:
    """The YAML files below a folder, those of tools and dependencies left out."""
    for path in walk_all(root):
        if path.name.endswith((".yml", ".yaml")) and path.is_file() and path.stat().st_size <= MAX_BYTES:
            yield path.resolve()


def walk_all(root: Path) -> Iterator[Path]:
    """All that lies below a folder, folders and what belongs to tools and dependencies left out."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".")
            and name not in _PRUNED
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        yield from (Path(folder, name) for name in sorted(files))


def read(path: Path) -> str:
    """A file's text; raises Broken."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Broken(1, f"not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise Broken(1, f"cannot be read: {error.strerror}") from None
