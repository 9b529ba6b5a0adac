"""Is there something to type, paste or open for whoever is on call?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_for_an_alert, is_runbook, leads_elsewhere
from pytest_sre.checks.runbooks.rb103_empty_section import body_lines, has_body
from pytest_sre.checks.runbooks.sections import first_of
from pytest_sre.checks.runbooks.steps import has_step
from pytest_sre.model.runbook import Runbook, Section

ID = "RB101"
GROUPS = ("diagnosis", "mitigation")
_OTHERS = re.compile(
    r"https?://[^/]+/[^?#]*\b(?:runbooks?|sops?|playbooks?|alerts|troubleshoot\w*)\b[^?#]*\.(?:md|markdown|adoc|rst)\b",
    re.I,
)


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each runbook of the page that has no step."""
    if not is_runbook(case):
        return
    runbook, follow = case.page.runbook, partial(case.library.follow, page=case.page)
    for part in case.parts:
        heading = part.section.heading
        if leads_elsewhere(runbook, part.section) or not is_for_an_alert(case, part):
            continue
        if has_step(runbook, part.section, follow):
            continue
        yield Hit(
            part.section.start,
            f"{heading.text if heading else 'the page'} has no executable step",
            "write down what you would type; a step in a GUI counts below `<!-- pytest-sre: step -->`",
            expected="at least one command, query, or link to a page that has one, or to a dashboard",
            seen="; ".join(_told(name, case, part.section) for name in GROUPS),
            severity="warning" if _links_to_others(runbook, part.section) else None,
        )


def _links_to_others(runbook: Runbook, within: Section) -> bool:
    """Whether there are links to runbooks of another repository: they cannot be read here, and may have steps."""
    return any(link.line in within and _OTHERS.match(link.target) for link in runbook.links)


def _told(name: str, case: PageCase, within: Section) -> str:
    """What one group of steps consists of, as there are none: `diagnosis (line 12): only prose`."""
    runbook = case.page.runbook
    found = first_of(name, runbook, case.settings.runbooks.sections, within)
    if found is None:
        return f"{name}: no such section"
    heading = next((one for one in runbook.headings if one.line == found.line), None)
    section = runbook.section_of(heading) if heading else Section(None, found.line, within.end)
    return (
        f"{name} (line {found.line}): {'only prose' if has_body(body_lines(runbook), section) else 'empty'}"
    )
