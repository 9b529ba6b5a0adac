"""From an alert's ``runbook_url``, or a link on a page, to the local file that it means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_sre.model.runbook import LocalPage
from pytest_sre.sources.git_origin import Repository

# .../blob/<ref>/<path> on GitHub, .../-/blob/<ref>/<path> on GitLab; a ref may itself hold slashes.
_FORGE_PATH = re.compile(r"/.+?/(?:-/)?(?:blob|tree|raw|edit|blame)/[^/]+/(.+)")
# Files that many repositories have say nothing of whose URL it is.
_COMMON = re.compile(r"(?i)(readme|index|_index|changelog|contributing|security|license|code_of_conduct)\b.*")
# Lines of a file, a text to highlight: no part of the page's structure.
_NO_ANCHOR = re.compile(r"L\d+(-L?\d+)?|:~:.*")
SUFFIXES = (".md", ".markdown", ".mdx")
_SITE_FOLDERS = ("content", "docs")
"""Where Hugo and MkDocs have their pages."""


def resolve_url(
    url: str, prefixes: Mapping[str, str], root: Path, repository: Repository | None = None
) -> LocalPage | None:
    """The local page that a runbook URL means, None where it belongs to no configured or recognised place.

    ``prefixes`` maps URL prefixes to folders relative to ``root``; the longest match wins and claims the
    URL even if the page is missing, and so does the repository's own URL. Relative paths start at ``root``; other
    file URLs of GitHub and GitLab count where the file exists.
    """
    parts = _split(url)
    if parts is None:
        return None
    anchor = anchor_of(parts)
    if not parts.scheme and not parts.netloc:
        return _page(root, parts.path, anchor, site=False) if parts.path else None
    for prefix in sorted(prefixes, key=len, reverse=True):
        rest = _rest(parts, prefix)
        if rest is not None:
            return _page(root / prefixes[prefix], rest, anchor, site=True)
    inside = repository.inside(url) if repository else None
    if repository and inside is not None:
        return _own_page(inside, anchor, repository)
    return _forge_page(parts.path, anchor, repository.top if repository else root)


def resolve_link(
    target: str, page: Path, prefixes: Mapping[str, str], root: Path, repository: Repository | None = None
) -> LocalPage | None:
    """The local page that a link on ``page`` means: as `resolve_url`, but relative to that page."""
    parts = _split(target)
    if parts is None or parts.scheme or parts.netloc:
        return resolve_url(target, prefixes, root, repository)
    anchor = anchor_of(parts)
    if not parts.path:
        return LocalPage(page, anchor, (page,))
    path = (root if parts.path.startswith("/") else page.parent) / unquote(parts.path).lstrip("/")
    return _choose(
        path, (root, page.parent, *(root / folder for folder in prefixes.values())), anchor, fold=True
    )


def resolved(local: LocalPage) -> LocalPage:
    """The same with symbolic links followed, as far as that goes: a loop, or too long a name, is just no file."""
    return LocalPage(Path(os.path.realpath(local.path)), local.anchor, local.tried)


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a path stays in a folder once `..` and symbolic links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url.strip())
    except ValueError:  # such as http://[
        return None


def anchor_of(parts: SplitResult) -> str | None:
    """The fragment as the page has it, None where it names no part of a page."""
    anchor = unquote(parts.fragment).removeprefix("user-content-").removeprefix("markdown-header-")
    return None if _NO_ANCHOR.fullmatch(anchor) else anchor or None


def _rest(given: SplitResult, prefix: str) -> str | None:
    """What follows a prefix in a URL's path; scheme and host compare without case, names are not cut."""
    wanted = _split(prefix)
    if wanted is None or (given.scheme.lower(), given.netloc.lower()) != (
        wanted.scheme.lower(),
        wanted.netloc.lower(),
    ):
        return None
    path, start = given.path or "/", wanted.path.rstrip("/")
    if not (path + "/").startswith(start + "/"):
        return None
    return path[len(start) :].lstrip("/")


def _own_page(inside: str, anchor: str | None, repository: Repository) -> LocalPage | None:
    """A page of the repository itself; one that is missing here may well exist on another branch."""
    path = repository.file(inside)
    if path is not None:
        return _page(repository.top, path, anchor, site=False)
    return _existing(inside.partition("/")[2], anchor, repository.top)


def _forge_page(path: str, anchor: str | None, root: Path) -> LocalPage | None:
    found = _FORGE_PATH.fullmatch(path)
    if not found or _COMMON.fullmatch(found[1].rpartition("/")[2]):
        return None
    return _existing(found[1], anchor, root)


def _existing(rest: str, anchor: str | None, root: Path) -> LocalPage | None:
    while rest:
        page = _page(root, rest, anchor, site=False)
        if page and page.path.is_file():
            return page
        rest = rest.partition("/")[2]
    return None


def _page(folder: Path, rest: str, anchor: str | None, *, site: bool) -> LocalPage | None:
    """The page below a folder; a site has its pages in a folder of its own, and URLs of its own making."""
    rest = unquote(rest).lstrip("/")
    first = _choose(folder / rest, (folder,), anchor, fold=site)
    if first is None or not site or os.path.isfile(first.path):
        return first
    for name in _SITE_FOLDERS:
        page = (
            _choose(folder / name / rest, (folder,), anchor, fold=True) if (folder / name).is_dir() else None
        )
        if page and os.path.isfile(page.path):
            return page
    return first


def _choose(path: Path, folders: tuple[Path, ...], anchor: str | None, *, fold: bool) -> LocalPage | None:
    """The first file that a path may mean, the likeliest name if there is none; None outside the folders."""
    if "\0" in str(path):
        return None
    named = candidates(Path(os.path.normpath(path)))
    tried = tuple(p for p in named if any(_is_below(p, folder) for folder in folders))
    there = [p for p in tried if os.path.isfile(p)]
    if not there and fold:
        there = [p for one in tried for p in _near(one, folders) if p.is_file()]
    # A file of that very name may stand beside the page.
    found = next((p for p in there if p.suffix.lower() in SUFFIXES), there[0] if there else None)
    return LocalPage(found or tried[min(1, len(tried) - 1)], anchor, tried) if tried else None


def _near(path: Path, folders: tuple[Path, ...]) -> Iterator[Path]:
    """Files whose URL is this path on a site that, as Hugo, writes URLs in lower case and with hyphens for spaces."""
    start = next((folder for folder in folders if path.is_relative_to(folder)), None)
    if start is None:
        return
    reached = [start]
    for part in path.relative_to(start).parts:
        reached = [found for folder in reached for found in _named(folder, part)]
    yield from reached


def _named(folder: Path, part: str) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (
        folder / name for name in names if part in (name, name.lower(), name.lower().replace(" ", "-"))
    )


def candidates(path: Path) -> tuple[Path, ...]:
    """The files that a URL's path may stand for."""
    if path.suffix in SUFFIXES:
        return (path,)
    named = (path.with_name(path.name + ".md"),) if path.name not in ("", "..") else ()
    rendered = (path.with_suffix(".md"),) if path.suffix == ".html" else ()
    return (path, *named, *rendered, *(path / name for name in ("index.md", "_index.md", "README.md")))
