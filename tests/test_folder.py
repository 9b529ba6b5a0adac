"""Run folders: one in use survives another run, one whose run is dead doesn't."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_sre.errors import StackError
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
    assert kept.is_dir()


def test_the_last_run_removes_the_folder_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with run_folder(keep=False):
        with run_folder(keep=False) as other:
            pass
        assert not other.exists()
        assert other.parent.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_runs_that_begin_while_others_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def run(_: int) -> bool:
        with run_folder(keep=False) as folder:
            (folder / "mine").touch()
            return folder.is_dir()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(400)))
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_its_place_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"pytest-sre-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StackError, match="set TMPDIR"), run_folder(keep=False):
        pass
    assert not (tmp_path / "elsewhere").exists()
