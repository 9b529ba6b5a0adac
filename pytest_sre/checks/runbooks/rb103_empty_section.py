"""Has each section that a reader looks for a body?"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_runbook
from pytest_sre.checks.runbooks.sections import FURTHER, Own, is_numbered, named, plain
from pytest_sre.checks.runbooks.steps import ALERT_NAME
from pytest_sre.model.runbook import Heading, Runbook, Section

ID = "RB103"

_GROUPS = frozenset(("troubleshooting", "procedure", "procedures", "steps", "actions", "recovery", "runbook"))
"""Words that also stand above several sections of the same level."""

_SAYS_ALL = re.compile(r"[:–—(]|\s-\s")
"""`Severity: critical` needs no body."""


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each canonical section without text, code, link or sub-section."""
    runbook = case.page.runbook
    if not is_runbook(case):
        return
    lines = body_lines(runbook)
    for heading, following in zip(runbook.headings, (*runbook.headings[1:], None), strict=False):
        if _is_title(heading, runbook) or not any(heading.line in part.section for part in case.parts):
            continue
        own = case.settings.runbooks.sections
        if not named(heading.text, own) or _SAYS_ALL.search(plain(heading.text)):
            continue
        if not _ends(heading, following, own):
            continue
        end = following.line if following else runbook.length + 1
        if not has_body(lines, Section(heading, heading.line, end)):
            yield Hit(
                heading.line,
                f"the section {heading.text.strip()} is empty",
                "write it, or delete the heading",
                expected="text, a command, or a link",
                seen="nothing" + (f" before {following.text}" if following else " to the end of the page"),
            )


def body_lines(runbook: Runbook) -> list[int]:
    """The lines at which a reader sees anything beside headings; comments are not seen."""
    titles = {one.line for one in runbook.headings}
    found = [one.line for one in runbook.texts if one.kind != "heading" and one.text.strip()]
    found += [one.line for one in runbook.blocks if one.content.strip()]
    found += [one.line for one in runbook.links if one.line not in titles]
    hidden = {line for one in runbook.comments for line in range(one.line, one.end)}
    html = (one for one in runbook.spans if one.kind == "html")
    found += [line for one in html for line in range(one.start, one.end) if line not in hidden]
    return sorted(found)


def has_body(lines: list[int], section: Section) -> bool:
    """Whether one of the lines is in a section."""
    place = bisect_left(lines, section.start)
    return place < len(lines) and lines[place] < section.end


def _is_title(heading: Heading, runbook: Runbook) -> bool:
    return heading.level == 1 and heading is runbook.headings[0]


def _ends(heading: Heading, following: Heading | None, own: Own) -> bool:
    """Whether the section ends at the next heading; where levels are careless that may be its first part."""
    if following is None:
        return True
    if following.level > heading.level or (is_numbered(following.text) and not is_numbered(heading.text)):
        return False
    names = named(following.text, own)
    if names:
        return plain(heading.text) not in _GROUPS and not set(names) & set(named(heading.text, own))
    return plain(following.text) in FURTHER or bool(ALERT_NAME.fullmatch(following.text))
