"""Are the sections there that a reader looks for first: how to find out, and what to do?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_for_an_alert, is_runbook, leads_elsewhere
from pytest_sre.checks.runbooks.sections import REQUIRED, SYNONYMS, first_of, named
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook import Section
from pytest_sre.sources.runbook_library import Reached

ID = "RB104"


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each runbook of the page that lacks sections of the profile."""
    if not is_runbook(case):
        return
    runbook, settings = case.page.runbook, case.settings.runbooks
    for part in whole_parts(case):
        required = REQUIRED[settings.profile]
        own = settings.sections
        missing = [name for name in required if not first_of(name, runbook, own, part.section)]
        if missing and is_for_an_alert(case, part) and not leads_elsewhere(runbook, part.section):
            heading = part.section.heading
            headings = [one.text for one in runbook.headings if one.line in part.section]
            words = ", ".join((*SYNONYMS[missing[0]], *own.get(missing[0], ()))[:4])
            yield Hit(
                part.section.start,
                f"{heading.text if heading else 'the page'} has no section for {' and '.join(missing)}",
                f"add one ({words}), or tell your own word for it with `runbooks: sections:` in sre.yaml",
                expected=", ".join(required),
                seen="sections: " + (", ".join(headings[:12]) or "none"),
            )


def whole_parts(case: PageCase) -> Iterator[Reached]:
    """The runbooks of a page, each once; a link to one's `## Mitigation` means the runbook around it."""
    found: dict[Section, list[Rule]] = {}
    for part in case.parts:
        found.setdefault(_around(part.section, case), []).extend(part.alerts)
    return (Reached(section, tuple(alerts)) for section, alerts in found.items())


def _around(section: Section, case: PageCase) -> Section:
    runbook, own = case.page.runbook, case.settings.runbooks.sections
    if section.heading and not named(section.heading.text, own):
        return section
    for heading in runbook.trail(section.start)[:-1] if section.heading else ():
        if not named(heading.text, own):
            return runbook.section_of(heading)
    return runbook.whole
