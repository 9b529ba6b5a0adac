"""Markdown runbooks, and the way from an alert's ``runbook_url`` to the file that it means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_sre.model.runbook import CodeBlock, Heading, InlineCode, Link, LocalPage, Runbook
from pytest_sre.sources.yamlfile import Map, YamlError, load_all

_FRONT_MATTER = re.compile(
    r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_HUGO_REFERENCE = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+[\"']([^\"'\n]+)[\"']\s*[%>]\}\}")
_HEADING_ID = re.compile(r"\s*\{#([^\s}]+)[^}]*\}\s*$")
_HTML_ID = re.compile(r"<[a-zA-Z][^>]*?\b(?:id|name)\s*=\s*[\"']?([^\s\"'>]+)")
# .../blob/<ref>/<path> on GitHub, .../-/blob/<ref>/<path> on GitLab; a ref may itself hold slashes.
_FORGE_PATH = re.compile(r"/.+?/(?:-/)?(?:blob|tree|raw)/[^/]+/(.+)")


def parse_runbook(text: str) -> Runbook:
    """A page's headings, code, links and front matter, also inside lists, quotes and tables."""
    text = text.replace("\r\n", "\n")
    front_matter, body = _split_front_matter(text)
    reader = _Reader()
    reader.read(_HUGO_REFERENCE.sub(r"\1", body))
    return Runbook(
        headings=tuple(_with_anchors(reader.headings, reader.ids)),
        blocks=tuple(reader.blocks),
        code=tuple(reader.code),
        links=tuple(reader.links),
        length=text.count("\n") + 1,
        front_matter=front_matter,
    )


def _split_front_matter(text: str) -> tuple[Mapping[str, Any], str]:
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    # Blank lines in its place keep all line numbers.
    body = "\n" * found[0].count("\n") + text[found.end() :]
    if found[1] != "---":
        return {}, body
    try:
        documents = load_all(found[2], first_line=2)
    except YamlError:
        return {}, body
    value = documents[0].value if documents else None
    return (value if isinstance(value, Map) else {}), body


class _Reader:
    """Collects what one page holds, with lines."""

    def __init__(self) -> None:
        self.headings: list[tuple[int, str, int]] = []
        self.blocks: list[CodeBlock] = []
        self.code: list[InlineCode] = []
        self.links: list[Link] = []
        self.ids: list[tuple[int, str]] = []

    def read(self, text: str) -> None:
        """Walk all blocks; cells of a table have no line of their own, so the row's is kept."""
        line, level = 1, 0
        for token in MarkdownIt("commonmark").enable("table").parse(text):
            line = token.map[0] + 1 if token.map else line
            if token.type in ("fence", "code_block"):
                self.blocks.append(CodeBlock(token.info.strip(), token.content, line))
            elif token.type == "html_block":
                self._html(token.content, line)
            elif token.type == "heading_open":
                level = int(token.tag[1])
            elif token.type == "inline":
                children = token.children or []
                if level:
                    self.headings.append((level, "".join(t.content for t in children if _is_text(t)), line))
                self._inline(children, line)
                level = 0

    def _inline(self, children: list[Token], line: int) -> None:
        target, text, start = "", "", line
        for token in children:
            if token.type in ("softbreak", "hardbreak"):
                line += 1
                text += " "
            elif token.type == "code_inline":
                self.code.append(InlineCode(token.content, line))
                text += token.content
            elif token.type == "text":
                text += token.content
            elif token.type == "link_open":
                target, text, start = str(token.attrs.get("href", "")), "", line
            elif token.type == "link_close":
                self.links.append(Link(target, text, start))
            elif token.type == "html_inline":
                self._html(token.content, line)

    def _html(self, html: str, line: int) -> None:
        for found in _HTML_ID.finditer(html):
            self.ids.append((line + html.count("\n", 0, found.start()), found[1]))


def _is_text(token: Token) -> bool:
    return token.type in ("text", "code_inline")


def _with_anchors(headings: list[tuple[int, str, int]], ids: list[tuple[int, str]]) -> Iterator[Heading]:
    seen: dict[tuple[int, str], int] = {}
    for place, (level, text, line) in enumerate(headings):
        explicit = _HEADING_ID.search(text)
        text = (text[: explicit.start()] if explicit else text).strip()
        anchors = [explicit[1]] if explicit else []
        for style, slug in enumerate(_slugs(text)):
            count = seen.get((style, slug), 0)
            seen[style, slug] = count + 1
            anchors.append(f"{slug}-{count}" if count else slug)
        following = headings[place + 1][2] if place + 1 < len(headings) else None
        # <a id="x"> stands in the heading, within its section, or in the two lines above it.
        anchors += [
            name
            for at, name in ids
            if line - 2 <= at and (following is None or at < following - 2 or at == line)
        ]
        yield Heading(level, text, line, tuple(dict.fromkeys(anchors)))


def _slugs(text: str) -> tuple[str, str, str]:
    """A heading's fragment as GitHub and Hugo, as GitLab, and as older Hugo sites (Blackfriday) make it."""
    github = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
    blackfriday = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    return github, re.sub(r"-{2,}", "-", github), blackfriday


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
