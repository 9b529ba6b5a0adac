"""Run folders: one in use survives another run, one whose run is dead doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.stack.folder import run_folder


def test_only_folders_of_dead_runs_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with run_folder(keep=False) as mine:
        dead = mine.parent / "1-dead"
        kept = mine.parent / "2-kept"
        for folder in (dead, kept):
            folder.mkdir()
        (kept / "keep").touch()
        with run_folder(keep=False) as other:
            assert other != mine
            assert mine.is_dir()
            assert kept.is_dir()
            assert not dead.exists()
        assert not other.exists()
    assert not mine.exists()
