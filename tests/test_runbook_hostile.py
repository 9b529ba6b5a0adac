"""Pages that nobody can read, or that somebody made to be slow: a message or a result, never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pytest_sre.checks.runbooks.shell import bare
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_library import MAX_BYTES, Library, Unreadable
from pytest_sre.sources.runbook_settings import Runbooks

SAFETY_SECONDS = 60


def read(path: Path) -> str:
    """Why a page cannot be read; empty where it can."""
    try:
        Library(Runbooks(), path.parent, path.parent).page(path)
    except Unreadable as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# A\n" + b"x" * 10_000_000, "10000 kB; at most 250 kB are read"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8 text (byte 0)"),
        ("# Ä\n".encode("utf-16"), "not UTF-8 text (byte 0)"),
        ("# Ä\n".encode("latin-1"), "not UTF-8 text (byte 2)"),
        ("# Ä\n".encode("utf-8-sig"), ""),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, told: str) -> None:
    page = tmp_path / "x.md"
    page.write_bytes(content)
    assert read(page).startswith(told)
    assert bool(read(page)) == bool(told)


def test_a_folder_and_a_loop_say_why(tmp_path: Path) -> None:
    (tmp_path / "x.md").mkdir()
    (tmp_path / "y.md").symlink_to("y.md")
    assert read(tmp_path / "x.md").startswith("cannot be read: ")
    assert read(tmp_path / "y.md").startswith("cannot be read: ")


@pytest.mark.parametrize(
    "piece", ["> ", "- ", "# A\n", "_a ", "`", "<!--", '# a\n<a id="x"></a>\n\n', "sudo ", "[a]("]
)
def test_pages_as_large_as_may_be_are_parsed_in_bounded_time(piece: str) -> None:
    began = time.monotonic()
    page = parse_runbook(piece * (MAX_BYTES // len(piece)))
    assert page.length >= 1
    assert time.monotonic() - began < SAFETY_SECONDS


def test_what_stands_in_front_of_a_command_is_taken_off_in_linear_time() -> None:
    assert bare("sudo -u root A=b env C=d kubectl get pods") == "kubectl get pods"
    assert bare("sudo " * 100_000 + "ls") == "ls"
