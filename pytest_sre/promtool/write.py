"""Test files into the user's folder, and over nothing but our own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_sre.errors import UserError
from pytest_sre.promtool.rules import HEADER

OPTION = "--sre-export-promtool"


def check(folder: Path) -> None:
    """Fail at once where nothing could be written in the end; raises UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{OPTION}: cannot make the folder {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{OPTION}: cannot write in the folder {folder}: permission denied")


def write(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Write all files, or none where one is not ours; raises UserError."""
    texts = [(folder / name, text) for name, text in files]
    for path, _ in texts:
        if path.exists() and not _ours(path):
            raise UserError(
                f"{OPTION}: {path} exists and was not written by an export; move it away or name another folder"
            )
    for path, text in texts:
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise UserError(f"{OPTION}: cannot write {path}: {error.strerror}") from None


def _ours(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().startswith(HEADER)
    except (OSError, UnicodeDecodeError):
        return False
