"""What a check of runbooks is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from pytest_sre.model.finding import Severity
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook import Section
from pytest_sre.settings import Severities, SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.runbook_library import Library, Page, Reached


@dataclass(frozen=True, slots=True)
class Hit:
    """What is wrong at a line of the page, and how to mend it.

    ``severity`` is None where it is that of the check.
    """

    line: int
    message: str
    mend: str
    expected: str = ""
    seen: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PageCase:
    """One page with all that its checks may ask.

    ``parts`` are its runbooks: the sections that alerts link to by an anchor, else the whole page. An ``orphan`` has no
    alert that links to it, though others have. ``known`` are the names of all alerts of all scopes.
    """

    page: Page
    parts: tuple[Reached, ...]
    library: Library
    settings: SreYaml
    inventory: Inventory
    today: date = field(default_factory=date.today)
    orphan: bool = False
    known: frozenset[str] = frozenset()

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """All alerts that link to the page."""
        return tuple(dict.fromkeys(rule for part in self.parts for rule in part.alerts))

    @property
    def severities(self) -> Severities:
        """Which alerts are pages."""
        return self.settings.severities


def parts_of(page: Page, alerts: Iterable[tuple[Rule, str | None]]) -> tuple[Reached, ...]:
    """The runbooks of a page, by line; alerts whose anchor is dead belong to none."""
    found: dict[Section, list[Rule]] = {}
    for rule, anchor in alerts:
        section = page.runbook.section(anchor)
        if section is not None:
            found.setdefault(section, []).append(rule)
    if not found:
        found[page.runbook.whole] = []
    ordered = sorted(found.items(), key=lambda one: (one[0].start, one[0].end))
    return tuple(Reached(section, tuple(rules)) for section, rules in ordered)
