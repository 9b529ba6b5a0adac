"""A revision's files, written to a folder. The index and the work tree are not touched, attributes don't count."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from pytest_sre.changed.git import Revision, entries, stream
from pytest_sre.errors import UserError

MAX_BYTES = 32 * 1024 * 1024
_LINK, _FILES = "120000", ("100644", "100755")
# Rule files, templates and pages may have any name, so what is left out is what surely is none of these: most files of
# a big repository. Of 100,000 files, of which 90,000 are sources, 10,000 are written in 3 s; all of them take 17 s.
_NOT_OURS = """
    .7z .a .avi .bin .bmp .bz2 .c .cc .class .cpp .cs .css .csv .dart .db .dll .dylib .eot .exe .gif .go .gz .h .hpp
    .ico .ipynb .jar .java .jpeg .jpg .js .jsonl .jsonnet .jsx .kt .less .libsonnet .lock .map .mod .mov .mp3 .mp4
    .o .otf .parquet .pb .pdf .php .pkl .png .proto .py .pyc .pyi .rb .rs .scala .scss .snap .so .sql .sum .svg
    .swift .tar .tf .tgz .ts .tsx .ttf .vue .war .wasm .wav .webm .webp .whl .woff .woff2 .xz .zip .zst
"""


def export(revision: Revision, into: Path) -> None:
    """Write a revision's files below ``into``, but for sources, media and submodules; raises UserError."""
    left_out = frozenset(_NOT_OURS.split())
    wanted: dict[str, list[tuple[str, str]]] = {}
    for mode, sha, path in entries(revision):
        if mode == _LINK or (mode in _FILES and PurePosixPath(path).suffix.lower() not in left_out):
            wanted.setdefault(sha, []).append((mode, path))
    links: list[tuple[str, str]] = []
    folders: set[Path] = set()
    for sha, content in _blobs(revision, list(wanted)):
        for mode, path in wanted[sha]:
            if mode == _LINK:
                links.append((path, os.fsdecode(content)))
            elif content is not None:
                _write(into, path, content, folders)
    # Last, so that nothing is ever written through one of them.
    for path, target in links:
        _link(revision.top, into, path, target)


def _blobs(revision: Revision, shas: list[str]) -> Iterator[tuple[str, bytes]]:
    """The contents of objects, but for those that are too big."""
    with tempfile.TemporaryDirectory(prefix="pytest-sre-") as folder:
        # From a file: git would stop reading a pipe as soon as nobody reads its answers.
        requests = Path(folder, "requests")
        requests.write_text("".join(f"{sha}\n" for sha in shas), "ascii")
        with stream(revision.top, ("cat-file", "--batch", "--buffer"), requests) as process:
            assert process.stdout is not None
            for sha in shas:
                content = _blob(process.stdout, revision)
                if content is not None:
                    yield sha, content


def _blob(output: IO[bytes], revision: Revision) -> bytes | None:
    words = output.readline().split()
    if len(words) != 3:
        raise UserError(
            f"--sre-changed: objects of {revision} are not in this clone, which is probably a partial one. "
            "Fetch them: `git fetch --refetch --no-filter`, or clone without `--filter`"
        )
    size = int(words[2])
    if size <= MAX_BYTES:
        return output.read(size + 1)[:size]
    while size >= 0:
        size -= len(output.read(min(size + 1, MAX_BYTES)))
    return None


def _write(into: Path, path: str, content: bytes, folders: set[Path]) -> None:
    target = into / path
    # fsck forbids such paths, but not every server asks it.
    if os.path.isabs(path) or {"..", ".git"} & set(path.split("/")):
        return
    if target.parent not in folders:
        target.parent.mkdir(parents=True, exist_ok=True)
        folders.add(target.parent)
    target.write_bytes(content)


def _link(top: Path, into: Path, path: str, target: str) -> None:
    """A link that leads where it did: within the tree to the tree's copy, out of it to the same place."""
    led = os.path.normpath(os.path.join(top, os.path.dirname(path), target))
    inside = led == str(top) or led.startswith(f"{top}{os.sep}")
    place = into / path
    if {"..", ".git"} & set(path.split("/")) or place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(into / os.path.relpath(led, top) if inside else led)
