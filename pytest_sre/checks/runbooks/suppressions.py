"""Where an author says that a check does not apply: comments in the page, and its front matter.

`<!-- pytest-sre: disable=RB203 reason -->` holds for the next block (a heading: for its section), `disable-file=` and
`sre: {disable: [RB104]}` in the front matter for the page.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from pytest_sre.model.runbook import Comment, Runbook
from pytest_sre.model.runbook_checks import IDS

_ELSEWHERE = frozenset({"RB000", "RB001", "RB002", "RB003", "RB900"})
"""What no page can switch off: it is about alerts, or about what switches off."""
_SAID = re.compile(
    r"\s*pytest-sre:\s*(disable|disable-file)=([A-Za-z0-9, ]*?[A-Za-z0-9])(?:\s+(.*))?\s*", re.DOTALL
)
# `<!-- pytest-sre: step -->` belongs to checks/runbooks/steps.py.
_MEANT = re.compile(r"\s*pytest-sre\b(?!:\s*step\b)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One id that is switched off from ``start`` to ``end`` (exclusive); ``line`` is where that is said."""

    id: str
    line: int
    start: int
    end: int
    wrong: str = ""

    def covers(self, check: str, line: int) -> bool:
        """Whether a finding is suppressed."""
        return self.id == check and self.start <= line < self.end


def suppressions(runbook: Runbook) -> tuple[Suppression, ...]:
    """All that a page says, in order; what is said wrongly suppresses nothing and has a text in ``wrong``."""
    return (
        *_of_front_matter(runbook),
        *(one for comment in runbook.comments for one in _of(comment, runbook)),
    )


def _of_front_matter(runbook: Runbook) -> Iterator[Suppression]:
    own = runbook.front_matter.get("sre")
    listed = own.get("disable") if isinstance(own, dict) else None
    for place, name in enumerate(listed if isinstance(listed, list) else ()):
        lines = getattr(listed, "lines", [1])
        line = lines[place] if place < len(lines) else lines[0]
        yield _made(str(name), line, 1, runbook.length + 1)


def _of(comment: Comment, runbook: Runbook) -> Iterator[Suppression]:
    found = _SAID.fullmatch(comment.text)
    if not found:
        if _MEANT.match(comment.text):
            wrong = "this says nothing; write `<!-- pytest-sre: disable=RB203 reason -->`"
            yield Suppression("", comment.line, 0, 0, wrong)
        return
    start, end = (1, runbook.length + 1) if found[1] == "disable-file" else _next_block(comment, runbook)
    for name in found[2].replace(",", " ").split():
        yield _made(name, comment.line, start, end)


def _made(name: str, line: int, start: int, end: int) -> Suppression:
    if name in _ELSEWHERE:
        return Suppression(
            "", line, 0, 0, f"{name} is not told of a part of the page; see `runbooks: severities:`"
        )
    if name in IDS:
        return Suppression(name, line, start, end)
    return Suppression(
        "", line, 0, 0, f"there is no check {name}; see `pytest --sre-explain RB101` and the like"
    )


def _next_block(comment: Comment, runbook: Runbook) -> tuple[int, int]:
    """The lines of the block behind a comment; a heading stands for its section."""
    first = bisect_left(runbook.spans, comment.end - 1, key=attrgetter("start"))
    following = (runbook.spans[place] for place in range(first, len(runbook.spans)))
    span = next((one for one in following if one.end > comment.end), None)
    if span is None:
        return 0, 0
    heading = next((one for one in runbook.headings if one.line == span.start), None)
    if span.kind == "heading" and heading is not None:
        section = runbook.section_of(heading)
        return section.start, section.end
    return span.start, span.end
