"""Markdown runbooks."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_sre.model.runbook import (
    CodeBlock,
    Comment,
    Heading,
    InlineCode,
    Link,
    Runbook,
    Span,
    SpanKind,
    Text,
    TextKind,
)
from pytest_sre.sources.yamlfile import Map, YamlError, load_all

_FRONT_MATTER = re.compile(
    r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_KEY = re.compile(r"(?:[ \t]*(?:#.*)?\n)*[\w.-]+:(?:[ \t\n]|\Z)")
_HUGO_REFERENCE = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+[\"']([^\"'\n]+)[\"']\s*[%>]\}\}")
_HEADING_ID = re.compile(r"(?<!\s)\s*\{:?\s*#([^\s}]+)[^}]*\}\s*$")
_PLAIN: TextKind = "paragraph"
_KINDS: dict[str, TextKind] = {"list_item_open": "item", "th_open": "cell", "td_open": "cell"}
_SPANNED: dict[str, SpanKind] = {
    "paragraph_open": "text",
    "fence": "code",
    "code_block": "code",
    "html_block": "html",
    "heading_open": "heading",
    "list_item_open": "item",
    "table_open": "table",
    "blockquote_open": "quote",
}
_AGAIN = ("-", "-", "-", "_")  # before the number of a second heading of the same text, by style
_NO_WORD = re.compile(r"[^\w\- ]")
_NO_LETTER = re.compile(r"[\W_]+")
_NO_MKDOCS = re.compile(r"[^\w\s-]")
_GAPS = re.compile(r"[-\s]+")
_HYPHENS = re.compile(r"-{2,}")
_HTML_HEADING = re.compile(r"<h[1-6]\b[^<>]*>([^<>\n]+)</h[1-6]>", re.IGNORECASE)
_HTML_LINK = re.compile(r"<(?:a|img)\b[^<>]*?\s(?:href|src)\s*=\s*[\"']([^\"'<>]+)[\"']", re.IGNORECASE)
_HTML_ID = re.compile(r"<[a-zA-Z][^<>]*?\b(?:id|name)\s*=\s*[\"']?([^\s\"'>]+)")

# What Markdown, or Python's splitlines, takes for the end of a line; lines must be the same to all.
_LINE_ENDS = re.compile(r"\r\n?")
_NO_LINE_ENDS = dict.fromkeys(map(ord, "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), " ")


def parse_runbook(text: str) -> Runbook:
    """A page's headings, code, links and front matter, also inside lists, quotes and tables."""
    text = _LINE_ENDS.sub("\n", text).translate(_NO_LINE_ENDS)
    front_matter, error, body = _split_front_matter(text)
    reader = _Reader()
    reader.read(_HUGO_REFERENCE.sub(r"\1", body))
    ids = {name: line for line, name in reversed(reader.ids)}
    return Runbook(
        headings=tuple(_with_anchors(reader.headings, reader.ids)),
        blocks=tuple(reader.blocks),
        code=tuple(reader.code),
        links=tuple(reader.links),
        texts=tuple(reader.texts),
        comments=tuple(reader.comments),
        spans=tuple(reader.spans),
        length=text.count("\n") + 1,
        front_matter=front_matter,
        ids=ids,
        html_links=tuple(reader.html_links),
        references=frozenset(_HUGO_REFERENCE.findall(body)),
        front_matter_error=error,
    )


def _split_front_matter(text: str) -> tuple[Mapping[str, Any], tuple[int, str] | None, str]:
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, None, text
    # Blank lines in its place keep all line numbers.
    body = "\n" * found[0].count("\n") + text[found.end() :]
    if found[1] != "---":
        return {}, None, body
    try:
        documents = load_all(found[2], first_line=2)
    except YamlError as error:
        # Between two rules there may be prose.
        return {}, (error.line, str(error)) if _KEY.match(found[2]) else None, body
    value = documents[0].value if documents else None
    return (value if isinstance(value, Map) else {}), None, body


class _Reader:
    """Collects what one page holds, with lines."""

    def __init__(self) -> None:
        self.headings: list[tuple[int, str, int]] = []
        self.blocks: list[CodeBlock] = []
        self.code: list[InlineCode] = []
        self.links: list[Link] = []
        self.texts: list[Text] = []
        self.comments: list[Comment] = []
        self.ids: list[tuple[int, str]] = []
        self.spans: list[Span] = []
        self.html_links: list[Link] = []

    def read(self, text: str) -> None:
        """Walk all blocks; cells of a table have no line of their own, so the row's is kept."""
        line, level, kind = 1, 0, _PLAIN
        for token in MarkdownIt("commonmark").enable("table").parse(text):
            if token.map:
                line = token.map[0] + 1
                if token.type in _SPANNED:
                    self.spans.append(Span(_SPANNED[token.type], line, token.map[1] + 1))
            if token.type in ("fence", "code_block"):
                fenced = token.type == "fence"
                self.blocks.append(CodeBlock(token.info.strip(), token.content, line, fenced))
            elif token.type == "html_block":
                self._html(token.content, line)
            elif token.type == "heading_open":
                level, kind = int(token.tag[1]), "heading"
            elif token.type in _KINDS:
                kind = _KINDS[token.type]
            elif token.type == "inline":
                children = token.children or []
                if level:
                    self.headings.append((level, "".join(t.content for t in children if _is_text(t)), line))
                self.texts.append(Text(_spoken(children), token.content, kind, line))
                self._inline(children, line)
                level, kind = 0, _PLAIN

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
            elif token.type == "image":
                self.links.append(Link(str(token.attrs.get("src", "")), token.content, line))
            elif token.type == "html_inline":
                self._html(token.content, line)

    def _html(self, html: str, line: int) -> None:
        for found in _HTML_ID.finditer(html):
            self.ids.append((line + html.count("\n", 0, found.start()), found[1]))
        for found in _HTML_HEADING.finditer(html):
            line_of_it = line + html.count("\n", 0, found.start())
            self.ids += [(line_of_it, slug) for slug in _slugs(found[1])]
        for found in _HTML_LINK.finditer(html) if "<!--" not in html else ():
            self.html_links.append(Link(found[1], "", line + html.count("\n", 0, found.start())))
        for place in _comments(html):
            start = line + html.count("\n", 0, place.start)
            end = line + html.count("\n", 0, place.stop) + 1
            self.comments.append(
                Comment(html[place].removeprefix("<!--").removesuffix("-->").strip(), start, end)
            )


def _comments(html: str) -> Iterator[slice]:
    """Where comments are; those that never end are none."""
    start, end = html.find("<!--"), 0
    while start >= 0:
        end = html.find("-->", start + 4)
        if end < 0:
            return
        yield slice(start, end + 3)
        start = html.find("<!--", end + 3)


def _is_text(token: Token) -> bool:
    return token.type in ("text", "code_inline")


def _spoken(children: list[Token]) -> str:
    """What a reader sees of a line of text: code included, line breaks kept, comments left out."""
    return "".join(
        "\n" if token.type in ("softbreak", "hardbreak") else token.content
        for token in children
        if _is_text(token) or token.type in ("softbreak", "hardbreak", "image")
    )


def _with_anchors(headings: list[tuple[int, str, int]], ids: list[tuple[int, str]]) -> Iterator[Heading]:
    seen: dict[tuple[int, str], int] = {}
    ids = sorted(ids, key=itemgetter(0))
    for place, (level, text, line) in enumerate(headings):
        explicit = _HEADING_ID.search(text)
        text = (text[: explicit.start()] if explicit else text).strip()
        anchors = [explicit[1]] if explicit else []
        for style, slug in enumerate(_slugs(text)):
            count = seen.get((style, slug), 0)
            seen[style, slug] = count + 1
            anchors.append(f"{slug}{_AGAIN[style]}{count}" if count else slug)
        following = headings[place + 1][2] if place + 1 < len(headings) else None
        anchors += _given(line, following, ids)
        yield Heading(level, text, line, tuple(dict.fromkeys(anchors)))


def _given(line: int, following: int | None, ids: list[tuple[int, str]]) -> Iterator[str]:
    """<a id="x"> stands in the heading, within its section, or in the two lines above it."""
    for place in range(bisect_left(ids, line - 2, key=itemgetter(0)), len(ids)):
        at, name = ids[place]
        if following is not None and at >= following - 2 and at > line:
            return
        if following is None or at < following - 2 or at == line:
            yield name


def _slugs(text: str) -> tuple[str, str, str, str]:
    """A heading's fragment as GitHub and Hugo, GitLab, older Hugo sites (Blackfriday) and MkDocs make it."""
    github = _NO_WORD.sub("", text.strip().lower()).replace(" ", "-")
    blackfriday = _NO_LETTER.sub("-", text.lower()).strip("-")
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    mkdocs = _GAPS.sub("-", _NO_MKDOCS.sub("", plain).strip().lower())
    return github, _HYPHENS.sub("-", github), blackfriday, mkdocs
