"""Does the page say to take care before what cannot be undone?"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from typing import TypeVar

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.danger import danger
from pytest_sre.checks.runbooks.scripts import commands_on
from pytest_sre.model.runbook import CodeBlock, Heading, Runbook, Section, Text

ID = "RB203"
Part = TypeVar("Part", Text, CodeBlock)

_SQL = frozenset(("sql", "psql", "postgresql", "postgres", "mysql", "cql", "javascript", "js", "redis"))
# These are cautions wherever they stand in the section.
_CAUTION = re.compile(
    r"\b(?:caution|warn(?:ing)?s?|careful(?:ly)?|danger(?:ous)?|data[ -]?loss|los(?:e|es|ing|t)\b|loss\b|irrevers\w+|irrecoverabl\w+"
    r"|unrecoverabl\w+|(?:can(?:no|'|’)?t|not) be (?:undone|recovered|restored|reversed|reverted)|permanent(?:ly)?"
    r"|destructive|beware|risk\w*|last resort|at your own|unsafe|disrupt\w*|downtime|outage|delet(?:es|ing)\b.{0,40}\bdata"
    r"|double[- ]check|important|attention|never|do not|don't|don’t)\b|⚠|❗|🚨|☢|❌",
    re.I,
)
# These are, where they come first.
_CONDITION = re.compile(
    r"\b(?:back(?:ed|ing)?[ -]?ups?|snapshots?|make (?:absolutely |very |really )?(?:sure|certain)|be (?:sure|certain)|ensure|confirm\w*"
    r"|verif\w+|validate|only (?:if|when|after|once|do|in)|if (?:you are|you're) sure|safe to|no longer|unused|not (?:in use|needed|used|required))\b",
    re.I,
)


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each command; the section is that of its heading and what leads to it."""
    runbook = case.page.runbook
    cautioned: dict[int, float] = {}
    for line, command in commands_on(runbook, _SQL, 3):
        what = danger(command)
        if not what:
            continue
        trail = runbook.trail(line)
        section = trail[0].line if trail else 0
        if section not in cautioned:
            cautioned[section] = _cautioned_from(_near(runbook, trail))
        if line < cautioned[section]:
            yield Hit(
                line,
                f"cannot be undone, and its section has no word of caution: {what}",
                "say what is lost and what to check first, for instance `> [!WARNING]`",
                seen=command[:120],
            )


def _cautioned_from(near: Iterator[tuple[int, str]]) -> float:
    """The line from which commands of a section are cautioned; infinity where nothing is said."""
    first = math.inf
    for line, text in near:
        if _CAUTION.search(text):
            return 0
        if line < first and _CONDITION.search(text):
            first = line
    return first


def _near(runbook: Runbook, trail: tuple[Heading, ...]) -> Iterator[tuple[int, str]]:
    """Line and text of all that is said in the section, and above it in the introductions of the outer ones."""
    sections = [_introduction(runbook, runbook.section_of(heading)) for heading in trail[1:]]
    sections.append(runbook.section_of(trail[0]) if trail else runbook.whole)
    for section in sections:
        for text in _within(runbook.texts, section):
            yield text.line, text.text
    for block in _within(runbook.blocks, sections[-1]):
        yield from _comments(block)


def _within(parts: tuple[Part, ...], section: Section) -> tuple[Part, ...]:
    """Those of a section; they are in the order of their lines."""
    line = attrgetter("line")
    return parts[bisect_left(parts, section.start, key=line) : bisect_left(parts, section.end, key=line)]


def _introduction(runbook: Runbook, section: Section) -> Section:
    """A section up to its first sub-heading."""
    inner = (one.line for one in runbook.headings if section.start < one.line < section.end)
    return Section(section.heading, section.start, next(inner, section.end))


def _comments(block: CodeBlock) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(block.content.splitlines(), block.first_line):
        mark = re.search(r"(?:^|\s)(?:#|--)\s", line)
        if mark:
            yield number, line[mark.end() :]
