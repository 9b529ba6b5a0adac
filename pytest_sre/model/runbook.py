"""A runbook page as far as the checks look at it; lines count from 1."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; ``anchors`` holds every fragment that GitHub, GitLab, Hugo or the author give it."""

    level: int
    text: str
    line: int
    anchors: tuple[str, ...]


class Trail:
    """The headings above one line after another, in one pass; lines must not go back."""

    def __init__(self, headings: tuple[Heading, ...]) -> None:
        self._left = iter(headings)
        self._next = next(self._left, None)
        self._above: list[Heading] = []

    def at(self, line: int) -> tuple[Heading, ...]:
        """The headings above a line, innermost first."""
        while self._next is not None and self._next.line <= line:
            while self._above and self._above[-1].level >= self._next.level:
                self._above.pop()
            self._above.append(self._next)
            self._next = next(self._left, None)
        return tuple(reversed(self._above))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading (None: the whole page) and its lines, sub-sections included; ``end`` is exclusive."""

    heading: Heading | None
    start: int
    end: int

    def __contains__(self, line: object) -> bool:
        return isinstance(line, int) and self.start <= line < self.end


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced or indented block; ``line`` is that of the fence."""

    info: str
    content: str
    line: int
    fenced: bool = True

    @property
    def first_line(self) -> int:
        """The line of the content's first line."""
        return self.line + 1 if self.fenced else self.line

    @property
    def language(self) -> str:
        """The info string's first word, without the braces or dots that some renderers want."""
        words = self.info.strip("{}. ").replace(",", " ").split()
        return words[0].lower() if words else ""


@dataclass(frozen=True, slots=True)
class InlineCode:
    """Text between backticks within a line."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link's target as written, and its text."""

    target: str
    text: str
    line: int


_WHOLE = ("top", "readme")  # what browsers and GitHub understand on every page
TextKind = Literal["paragraph", "item", "cell", "heading"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, the first paragraph of a list's item, a cell or a heading.

    ``text`` is what a reader sees, with line breaks, ``source`` the Markdown that it is made of.
    """

    text: str
    source: str
    kind: TextKind
    line: int


@dataclass(frozen=True, slots=True)
class Comment:
    """The text of an HTML comment; ``end`` is exclusive."""

    text: str
    line: int
    end: int


SpanKind = Literal["text", "code", "html", "heading", "item", "table", "quote"]


@dataclass(frozen=True, slots=True)
class Span:
    """The lines of a block, containers too; ``end`` is exclusive."""

    kind: SpanKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Runbook:
    """One parsed page; ``length`` counts its lines, ``front_matter`` is empty where there is none.

    Images are links too. All are in the order of the page; ``spans`` have a container before what it holds.
    ``ids`` are the lines of what its author gave an id in HTML, ``references`` the links that Hugo resolves itself,
    ``html_links`` those of tags. ``front_matter_error`` is the line and the fault of front matter that is no YAML.
    """

    headings: tuple[Heading, ...]
    blocks: tuple[CodeBlock, ...]
    code: tuple[InlineCode, ...]
    links: tuple[Link, ...]
    texts: tuple[Text, ...]
    comments: tuple[Comment, ...]
    spans: tuple[Span, ...]
    length: int
    front_matter: Mapping[str, Any]
    ids: Mapping[str, int] = field(default_factory=dict)
    references: frozenset[str] = frozenset()
    html_links: tuple[Link, ...] = ()
    front_matter_error: tuple[int, str] | None = None
    _lines: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _trails: tuple[tuple[Heading, ...], ...] = field(init=False, repr=False, compare=False)
    _anchors: Mapping[str, Heading] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What is looked up for each line and each link is laid out once: pages may have thousands of headings."""
        trail = Trail(self.headings)
        anchors: dict[str, Heading] = {}
        # Exact first: "#A" and "#a" may both exist; GitHub follows a fragment in the wrong case all the same.
        for name, heading in _names(self.headings):
            anchors.setdefault(name, heading)
        for name, heading in _names(self.headings):
            anchors.setdefault(name.casefold(), heading)
        object.__setattr__(self, "_lines", tuple(heading.line for heading in self.headings))
        object.__setattr__(self, "_trails", tuple(trail.at(heading.line) for heading in self.headings))
        object.__setattr__(self, "_anchors", anchors)

    @property
    def whole(self) -> Section:
        """All of the page."""
        return Section(None, 1, self.length + 1)

    def section(self, anchor: str | None) -> Section | None:
        """What a URL's fragment points to: the whole page for None or "", None where it is dead."""
        if not anchor:
            return self.whole
        loose = anchor.casefold()
        named = self._anchors.get(anchor) or self._anchors.get(loose)
        if named:
            return self.section_of(named)
        if anchor in self.ids:
            above = self.trail(self.ids[anchor])
            return self.section_of(above[0]) if above else self.whole
        return self.whole if loose in _WHOLE else None

    def section_of(self, heading: Heading) -> Section:
        """From a heading to the next one of its level or above."""
        following = islice(self.headings, bisect_right(self._lines, heading.line), None)
        after = (one.line for one in following if one.level <= heading.level)
        return Section(heading, heading.line, next(after, self.length + 1))

    def trail(self, line: int) -> tuple[Heading, ...]:
        """The headings above a line, innermost first."""
        above = bisect_right(self._lines, line)
        return self._trails[above - 1] if above else ()


def _names(headings: tuple[Heading, ...]) -> Iterator[tuple[str, Heading]]:
    return ((name, heading) for heading in headings for name in heading.anchors)


@dataclass(frozen=True, slots=True)
class LocalPage:
    """Where a runbook URL leads: ``path`` need not exist; ``tried`` are all paths that were looked for."""

    path: Path
    anchor: str | None
    tried: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that an on-call engineer can execute as it stands.

    ``tier`` is E1 (command), E2 (query), E3 (link to such a page or a dashboard) or GUI (what its author says is a
    step), ``text`` its first line, normalised; ``group`` the part of the runbook that it stands in.
    """

    tier: Literal["E1", "E2", "E3", "GUI"]
    text: str
    line: int
    group: Literal["diagnosis", "mitigation", "other"]
