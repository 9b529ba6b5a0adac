"""A run's folder: readable by us only, and gone when the run is, whatever ended it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pytest_sre.errors import StackError


@contextlib.contextmanager
def run_folder(keep: bool) -> Iterator[Path]:
    """A folder for one run; folders whose run was killed are removed first. Raises StackError."""
    base = Path(tempfile.gettempdir(), f"pytest-sre-{os.getuid()}")
    # Who holds the lock on a folder lives: the kernel drops it with its holder, whatever kills that.
    with _gate(base):
        _reap(base)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        if keep:
            (folder / "keep").touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)
            _remove_if_empty(base)
        lock.close()


@contextlib.contextmanager
def _gate(base: Path) -> Iterator[None]:
    """One run at a time looks at the folder of all runs; it is made where it is not there. Raises StackError."""
    while (gate := _locked(base)) is None:
        pass  # the last run is removing it
    with gate:
        yield


def _locked(base: Path) -> IO[str] | None:
    """The lock on the folder of all runs; None when another run has just removed it."""
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    with contextlib.ExitStack() as closing, contextlib.suppress(FileNotFoundError):
        found = base.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
            raise StackError(f"{base} belongs to somebody else; set TMPDIR to a folder of your own")
        gate = closing.enter_context((base / "lock").open("a"))
        fcntl.flock(gate, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(gate.fileno()), (base / "lock").stat()):
            closing.pop_all()
            return gate
    return None


def _remove_if_empty(base: Path) -> None:
    with contextlib.suppress(OSError, StackError), _gate(base):
        if [path.name for path in base.iterdir()] == ["lock"]:
            (base / "lock").unlink()
            base.rmdir()


def is_held(folder: Path) -> bool:
    """Whether a run folder belongs to a run that lives or is kept; what can't be looked into counts as held."""
    try:
        if (folder / "keep").exists():
            return True
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # BlockingIOError: locked; PermissionError: somebody else's
        return True
    return False


def run_of(folder: Path) -> Path:
    """The run folder that a folder belongs to: the nearest one with a lock; itself when there is none."""
    return next((path for path in (folder, *folder.parents) if (path / "lock").exists()), folder)


def _reap(base: Path) -> None:
    for folder in base.iterdir():
        if folder.is_dir() and not is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)
