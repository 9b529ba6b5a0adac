"""The runbook pages of a repository: which there are, what each holds, where its links lead."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.errors import UserError
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook import LocalPage, Runbook, Section
from pytest_sre.sources.discover import glob_files, relative
from pytest_sre.sources.git_origin import repository_of, top_of
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_links import SUFFIXES, resolve_link, resolve_url, resolved
from pytest_sre.sources.runbook_settings import Runbooks
from pytest_sre.sources.unkept import Unkept

MAX_BYTES = 250_000
"""Real runbooks are below 200 kB; Markdown can be written so that a megabyte takes minutes."""


def is_page(path: Path) -> bool:
    """Whether a path is a file that may be a runbook."""
    return path.suffix.lower() in SUFFIXES and os.path.isfile(path)  # Path.is_file raises for too long names


class Unreadable(Exception):
    """A page that is there and cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page: ``path`` as shown, ``file`` absolute."""

    path: str
    file: Path
    runbook: Runbook


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A page's part that alerts link to: the whole page, or the section of an anchor."""

    section: Section
    alerts: tuple[Rule, ...]


class Library:
    """Reads each page once; ``root`` is what shown paths are relative to, ``folder`` what configured ones are."""

    def __init__(self, settings: Runbooks, root: Path, folder: Path) -> None:
        self.settings, self.root, self.folder = settings, root, folder
        self.repository, self.top = repository_of(folder.resolve()), top_of(folder.resolve()) or self.root
        self.unkept = Unkept(self.top)
        self._pages: dict[Path, Page | Unreadable] = {}

    def page(self, path: Path) -> Page:
        """A page that is there; raises Unreadable."""
        if path not in self._pages:
            try:
                self._pages[path] = Page(self.shown(path), path, parse_runbook(_text(path)))
            except Unreadable as error:
                self._pages[path] = error
        found = self._pages[path]
        if isinstance(found, Unreadable):
            raise found
        return found

    def shown(self, path: Path) -> str:
        """A path as users see it."""
        return relative(self.root, path)

    def link(self, rule: Rule) -> tuple[str, str]:
        """The annotation that holds an alert's runbook link, and the link; both empty where there is none."""
        return self.settings.link(rule.annotations)

    def of_url(self, url: str) -> LocalPage | None:
        """The local page that a runbook URL means; None: it lies elsewhere."""
        return resolve_url(url, self.settings.urls, self.folder, self.repository)

    def of_link(self, target: str, page: Page) -> LocalPage | None:
        """The local page (or other file) that a link on a page means; None: it leads elsewhere."""
        return resolve_link(target, page.file, self.settings.urls, self.folder, self.repository)

    def follow(self, target: str, page: Page) -> tuple[Runbook, str | None] | None:
        """The readable page that a link on a page leads to, and the fragment."""
        linked = self.of_link(target, page)
        if linked is None or not is_page(linked.path):
            return None
        try:
            return self.page(linked.path).runbook, linked.anchor
        except Unreadable:
            return None

    def files(self, rules: Mapping[Rule, LocalPage]) -> Iterator[Path]:
        """All pages that are audited: those that alerts link to, and those of the globs. Raises UserError."""
        for local in rules.values():
            if is_page(local.path):
                yield local.path
        for pattern in self.settings.pages:
            try:
                found = sorted(filter(is_page, glob_files(self.folder, pattern)))
            except ValueError as error:  # such as a**b
                raise UserError(f"runbooks: pages: {pattern}: {error}") from None
            if not found:
                raise UserError(f"runbooks: pages: {pattern} matches no Markdown page in {self.folder}")
            yield from found


def reached(library: Library, rules: tuple[Rule, ...]) -> dict[Rule, LocalPage]:
    """The local page of each alert that links to one, whether it exists or not; templates are passed over."""
    found = {}
    for rule in rules:
        url = library.link(rule)[1] if rule.kind == "alert" else ""
        local = library.of_url(url) if url and "{{" not in url else None
        if local is not None:
            found[rule] = resolved(local)
    return found


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(
                f"{size / 1e3:.0f} kB; at most {MAX_BYTES / 1e3:.0f} kB are read: split the page"
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
