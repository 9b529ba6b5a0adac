"""Pages that are no runbooks: indexes, templates, and those that only say where the runbook is now."""

from __future__ import annotations

import re

from pytest_sre.checks.runbooks.case import PageCase
from pytest_sre.checks.runbooks.sections import canonical, sections
from pytest_sre.model.runbook import Runbook, Section
from pytest_sre.sources.runbook_library import Reached

PASCAL_NAME = re.compile(r"[A-Z][A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*")
"""What only alerts are called."""

_NO_RUNBOOK = re.compile(
    r"_?index|_?readme|.*template.*|contributing|changelog|example|_.*|(?:add|new|howto)[-_]runbook", re.I
)
_MOVED = re.compile(
    r"\b(?:has|have|was|were|is|been)\s+(?:been\s+)?(?:moved|migrated|relocated|renamed|merged|replaced|superseded)\b"
    r"|^\W*moved\b|\bnow (?:lives|found) (?:at|in)\b",
    re.I,
)
_RETIRED = re.compile(
    r"\b(?:alert|runbook|page|rule)s?\b.{0,40}\b(?:deprecated|removed|retired|obsolete|no longer (?:exists?|used|supported))\b"
    r"|^\W*(?:deprecated|obsolete|retired)\b",
    re.I,
)
_RETIRED_TITLE = re.compile(r"[\[(]\s*(?:deprecated|obsolete|retired|removed)\s*[\])]", re.I)
_FEW_WORDS = 25
_SHORT = 80


def is_runbook(case: PageCase) -> bool:
    """Whether a page must hold what runbooks hold; what alerts link to is never taken for an index."""
    return bool(case.alerts) or not _NO_RUNBOOK.fullmatch(case.page.file.stem)


def is_for_an_alert(case: PageCase, part: Reached) -> bool:
    """Whether a part of a page is what somebody opens when an alert fires, not a page that such pages link to.

    Alerts link to it, it is called as an alert, or it has sections of a runbook.
    """
    runbook, stem = case.page.runbook, case.page.file.stem
    if part.alerts or any(sections(runbook, case.settings.runbooks.sections, part.section)):
        return True
    titles = [one.text for one in runbook.headings if one.line in part.section][:1] or [stem]
    alike = PASCAL_NAME.fullmatch(stem) and letters(stem) in letters(titles[0])
    return bool(alike or PASCAL_NAME.fullmatch(titles[0]))


def letters(text: str) -> str:
    """A name in lower case without spaces and the like."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def says_moved(runbook: Runbook, within: Section) -> bool:
    """Whether a part of a page is short, and says that the runbook is elsewhere now."""
    texts = [one.text for one in runbook.texts if one.line in within and one.kind != "heading"]
    return sum(len(text.split()) for text in texts) <= _SHORT and any(map(_MOVED.search, texts))


def leads_elsewhere(runbook: Runbook, within: Section) -> bool:
    """Whether a part of a page only says that the runbook moved, that the alert is retired, or links to another."""
    texts = [one.text for one in runbook.texts if one.line in within and one.kind != "heading"]
    words = sum(len(text.split()) for text in texts)
    titles = [one.text for one in runbook.headings if one.line in within]
    if any(_RETIRED_TITLE.search(title) for title in titles[:1]):
        return True
    if says_moved(runbook, within) or (words <= _SHORT and any(map(_RETIRED.search, texts))):
        return True
    if any(block.line in within for block in runbook.blocks) or any(canonical(one, {}) for one in titles):
        return False
    links = [one.text for one in runbook.links if one.line in within]
    return bool(links) and words - sum(len(text.split()) for text in links) <= _FEW_WORDS
