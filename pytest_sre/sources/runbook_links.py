"""From an alert's ``runbook_url``, or a link on a page, to the local file that it means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_sre.model.runbook import LocalPage

# .../blob/<ref>/<path> on GitHub, .../-/blob/<ref>/<path> on GitLab; a ref may itself hold slashes.
_FORGE_PATH = re.compile(r"/.+?/(?:-/)?(?:blob|tree|raw)/[^/]+/(.+)")


def resolve_url(url: str, prefixes: Mapping[str, str], root: Path) -> LocalPage | None:
    """The local page that a runbook URL means, None where it belongs to no configured or recognised place.

    ``prefixes`` maps URL prefixes to folders relative to ``root``; the longest match wins and claims the
    URL even if the page is missing. Relative paths start at ``root``; file URLs of GitHub and GitLab count
    where the file exists.
    """
    parts = _split(url)
    if parts is None:
        return None
    anchor = unquote(parts.fragment) or None
    if not parts.scheme and not parts.netloc:
        return _page(root, parts.path, anchor, fold=False) if parts.path else None
    for prefix in sorted(prefixes, key=len, reverse=True):
        rest = _rest(parts, prefix)
        if rest is not None:
            return _page(root / prefixes[prefix], rest, anchor, fold=True)
    return _forge_page(parts.path, anchor, root)


def resolve_link(target: str, page: Path, prefixes: Mapping[str, str], root: Path) -> LocalPage | None:
    """The local page that a link on ``page`` means: as `resolve_url`, but relative to that page."""
    parts = _split(target)
    if parts is None or parts.scheme or parts.netloc:
        return resolve_url(target, prefixes, root)
    anchor = unquote(parts.fragment) or None
    if not parts.path:
        return LocalPage(page, anchor, (page,))
    path = (root if parts.path.startswith("/") else page.parent) / unquote(parts.path).lstrip("/")
    return _choose(
        path, (root, page.parent, *(root / folder for folder in prefixes.values())), anchor, fold=True
    )


def _is_below(path: Path, folder: Path) -> bool:
    """Whether a path stays in a folder once `..` and symbolic links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url.strip())
    except ValueError:  # such as http://[
        return None


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


def _forge_page(path: str, anchor: str | None, root: Path) -> LocalPage | None:
    found = _FORGE_PATH.fullmatch(path)
    rest = found[1] if found else ""
    while rest:
        page = _page(root, rest, anchor, fold=False)
        if page and page.path.is_file():
            return page
        rest = rest.partition("/")[2]
    return None


def _page(folder: Path, rest: str, anchor: str | None, *, fold: bool) -> LocalPage | None:
    # Hugo writes all of a page's URL in lower case, so there a file may differ from its URL in case alone.
    return _choose(folder / unquote(rest).lstrip("/"), (folder,), anchor, fold=fold and rest == rest.lower())


def _choose(path: Path, folders: tuple[Path, ...], anchor: str | None, *, fold: bool) -> LocalPage | None:
    """The first file that a path may mean, the likeliest name if there is none; None outside the folders."""
    if "\0" in str(path):
        return None
    named = _candidates(Path(os.path.normpath(path)))
    tried = tuple(p for p in named if any(_is_below(p, folder) for folder in folders))
    found = next((p for p in tried if os.path.isfile(p)), None)
    for wanted in tried if fold and not found else ():
        near = wanted.parent.iterdir() if os.path.isdir(wanted.parent) else ()
        found = found or next((p for p in near if p.name.lower() == wanted.name and p.is_file()), None)
    return LocalPage(found or tried[min(1, len(tried) - 1)], anchor, tried) if tried else None


def _candidates(path: Path) -> tuple[Path, ...]:
    if path.suffix == ".md":
        return (path,)
    named = (path.with_name(path.name + ".md"),) if path.name not in ("", "..") else ()
    return (path, *named, *(path / name for name in ("index.md", "_index.md", "README.md")))
