"""Files on their way into containers and back: the same absolute paths on both sides."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from pytest_sre.errors import StackError

# The image's user, whoever that is, must read it all, and write its data.
_FOLDER, _FILE = 0o777, 0o666
_SHARED = {"/tmp": 0o1777, "/var/tmp": 0o1777}


def pack(paths: Iterable[Path]) -> IO[bytes]:
    """A tar file, to be unpacked at `/`, of files and of folders with all that is in them; raises StackError."""
    out = tempfile.TemporaryFile()  # noqa: SIM115 — the caller closes it
    try:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            given = [Path(os.path.abspath(path)) for path in paths]
            for folder in _leading(given):
                _add_folder(tar, folder, _SHARED.get(str(folder), 0o755))
            for path in given:
                _add(tar, path)
    except OSError as error:
        out.close()
        raise StackError(
            f"cannot hand {error.filename or 'files'} to a container: {error.strerror}"
        ) from None
    out.seek(0)
    return out


def _leading(paths: Iterable[Path]) -> list[Path]:
    """All folders above the paths, outermost first; engines would make them for root only."""
    above = {parent for path in paths for parent in path.parents if parent != Path(path.anchor)}
    return sorted(above, key=lambda folder: len(folder.parts))


def _add(tar: tarfile.TarFile, path: Path) -> None:
    if not path.is_dir():
        _add_file(tar, path)
        return
    for folder, _, files in os.walk(path):
        _add_folder(tar, Path(folder), _FOLDER)
        for name in files:
            _add_file(tar, Path(folder, name))


def _add_folder(tar: tarfile.TarFile, path: Path, mode: int) -> None:
    entry = tarfile.TarInfo(str(path).lstrip("/"))
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def _add_file(tar: tarfile.TarFile, path: Path) -> None:
    with path.open("rb") as source:
        entry = tarfile.TarInfo(str(path).lstrip("/"))
        entry.size, entry.mode = os.fstat(source.fileno()).st_size, _FILE
        tar.addfile(entry, source)


def unpack(chunks: Iterable[bytes], folder: Path) -> None:
    """Write what an engine archived of ``folder`` to the same place here; only folders and files are taken."""
    with tempfile.TemporaryFile() as spool:
        spool.writelines(chunks)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as tar:
            for entry in tar:
                path = folder.parent / PurePosixPath(entry.name)
                if ".." in path.parts or not path.is_relative_to(folder):
                    raise StackError(f"the container engine sent {entry.name}, which is not in {folder}")
                if entry.isdir():
                    path.mkdir(exist_ok=True)
                elif content := tar.extractfile(entry):
                    path.write_bytes(content.read())
