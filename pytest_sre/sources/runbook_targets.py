"""Is a link of a page alive? Only what cannot be otherwise counts as dead."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pytest_sre.model.runbook import Link, Runbook
from pytest_sre.sources.runbook_library import Library, Page, Unreadable
from pytest_sre.sources.runbook_links import SUFFIXES, anchor_of, candidates

# Made by a template or standing for something: Hugo, Jekyll, MkDocs' macros, Docusaurus, placeholders, globs.
_MADE = re.compile(r"\{[{%]|%7B|[<>$*@|]|%3C|%3E", re.IGNORECASE)
_MAKES_HEADINGS = re.compile(r"\{\{|\{%|--8<--|!include|<[A-Z]\w*[\s/>]|:::|\[TOC\]")
_CODE = re.compile(r"`[^`\n]*`")
# Tabs of MkDocs, footnotes, routes of single-page applications.
_MADE_ANCHOR = re.compile(r"__|fn(ref)?[:\-\d]|cite|[!/].*")


@dataclass(frozen=True, slots=True)
class Dead:
    """A target that is not there: the ``path`` that was looked for, or, with ``anchor``, the page that lacks it."""

    path: Path
    anchor: str = ""
    page: Runbook | None = None


def dead(link: Link, page: Page, library: Library) -> Dead | None:
    """What a link misses; None where it is alive, or nobody can know."""
    target = link.target.strip()
    if not target or link.text.startswith("^") or _MADE.search(target) or target in page.runbook.references:
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    anchor = anchor_of(parts) or ""
    if parts.scheme or parts.netloc:
        return _own(target, anchor, library)
    if parts.path.startswith("/") or "\\" in target or "%5C" in target:
        return None
    if not parts.path:
        return _anchor(page, anchor)
    path = unquote(parts.path)
    return None if "\0" in path else _relative(path, anchor, page, library)


def _own(url: str, anchor: str, library: Library) -> Dead | None:
    """A URL of the repository itself, on a branch that ought to be as it is here."""
    repository = library.repository
    inside = repository.inside(url) if repository else None
    path = repository.file(inside) if repository and inside else None
    return _file([library.top / path], anchor, library) if path else None


def _relative(path: str, anchor: str, page: Page, library: Library) -> Dead | None:
    folder = page.file.parent
    bases = [folder]
    if not path.lower().endswith(SUFFIXES):
        bases.append(folder / page.file.stem)  # a page's URL on a site ends with a slash
        if "content" in folder.parts:
            # Hugo: neither pages without suffix nor images need be where their URL says.
            return _file([folder / path], anchor, library) if (folder / path).exists() else None
    return _file([base / path for base in bases], anchor, library, folder)


def _file(paths: list[Path], anchor: str, library: Library, folder: Path | None = None) -> Dead | None:
    """``folder`` is the page's: without git it may lie outside of all that is known to be the project."""
    named = [Path(os.path.normpath(path)) for path in paths]
    found = next((one for path in named for one in candidates(path) if _exists(one)), None)
    if found is None:
        ours = any(named[0].is_relative_to(one) for one in (library.top, folder) if one)
        return Dead(named[0]) if ours and not library.unkept.covers(named[0]) else None
    if not anchor:
        return None
    if found.is_dir():
        found = next((one for one in candidates(found) if one.is_file()), found)
    if found.suffix.lower() not in SUFFIXES:
        return None
    try:
        return _anchor(library.page(found), anchor)
    except Unreadable:
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long
        return False


def _anchor(page: Page, anchor: str) -> Dead | None:
    if not anchor or page.runbook.section(anchor) or _MADE_ANCHOR.match(anchor) or _makes_headings(page):
        return None
    return Dead(page.file, anchor, page.runbook)


@lru_cache(maxsize=256)
def _makes_headings(page: Page) -> bool:
    """Whether something on a page may become headings that nobody can see here; asked once, however many links."""
    return any(_MAKES_HEADINGS.search(_CODE.sub("", source)) for source in _sources(page.runbook))


def _sources(page: Runbook) -> Iterator[str]:
    yield from (text.source for text in page.texts)
