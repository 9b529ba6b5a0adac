"""Does the page say how to see whether a step helped?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.changes import changes, looks, says_to_look
from pytest_sre.checks.runbooks.scripts import commands_on
from pytest_sre.checks.runbooks.sections import sections
from pytest_sre.model.runbook import Runbook, Section
from pytest_sre.sources.runbook_queries import queries_of

ID = "RB303"
_SQL = frozenset(("sql", "psql", "postgresql", "postgres", "mysql", "cql"))


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each section whose last change has no check behind it."""
    runbook = case.page.runbook
    ran = sorted(commands_on(runbook, _SQL, 2))
    changing = [(line, text) for line, text in ran if changes(text)]
    if not changing:
        return
    own = case.settings.runbooks.sections
    whole = runbook.whole
    last_check = max(
        (one.line for one in sections(runbook, own, whole) if "verification" in one.names), default=0
    )
    shown = sorted(_checks(runbook, ran, whole))
    for section, (line, text) in _last(runbook, changing).items():
        if line >= last_check and not any(line < one < section.end for one in shown):
            yield Hit(
                line,
                "changes something, and nothing below says how to see whether it helped",
                "add a command or a query that shows it, and what it should show",
                seen=text[:120],
            )


def _last(runbook: Runbook, changing: list[tuple[int, str]]) -> dict[Section, tuple[int, str]]:
    """The last change of each section below the page's title."""
    found = {}
    for line, text in changing:
        above = [one for one in runbook.trail(line) if one.level > 1]
        found[runbook.section_of(above[-1]) if above else runbook.whole] = (line, text)
    return found


def _checks(runbook: Runbook, ran: list[tuple[int, str]], whole: Section) -> Iterator[int]:
    """The lines at which somebody looks, in commands, queries and texts."""
    yield from (line for line, text in ran if looks(text) and not changes(text))
    yield from (query.line for query in queries_of(runbook, whole))
    yield from (text.line for text in runbook.texts if says_to_look(text.text))
