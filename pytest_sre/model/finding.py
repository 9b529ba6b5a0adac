"""What a check reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
_INDENT = 12
# Servers' own texts may hold colours and other control characters; no report can show them.
_UNSHOWN = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a user's file: path relative to the root (POSIX separators), line counted from 1."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where, which check, what was expected, what was seen, and what to do next."""

    check: str
    location: Location
    summary: str
    expected: str = ""
    seen: str = ""
    next_step: str = ""
    details: tuple[str, ...] = ()
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.location}: {self.text}"

    @property
    def headline(self) -> str:
        """The first line of the text."""
        return f"{self.title} [{self.check}]"

    @property
    def title(self) -> str:
        """The summary, on one line whatever it quotes."""
        return plain(self.summary).replace("\n", " ")

    @property
    def text(self) -> str:
        """All of it but the place."""
        return "\n".join([self.headline, *self._body()])

    @property
    def body(self) -> str:
        """What stands below the summary: expected, seen, details, next step."""
        return "\n".join(line.removeprefix("  ") for line in self._body())

    def _body(self) -> Iterator[str]:
        for title, text in (("expected", self.expected), ("seen", self.seen)):
            yield from _titled(title, text)
        for line in self.details:
            yield from (f"  {part}" for part in plain(line).split("\n"))
        yield from _titled("next", self.next_step)


def _titled(title: str, text: str) -> Iterator[str]:
    if text:
        first, *more = plain(text).rstrip("\n").split("\n")
        yield f"  {title + ':':<10}{first}"
        yield from (" " * _INDENT + line for line in more)


def plain(text: str) -> str:
    """A text without what a terminal, XML or Markdown cannot show; line ends are ``\\n``."""
    return _UNSHOWN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
