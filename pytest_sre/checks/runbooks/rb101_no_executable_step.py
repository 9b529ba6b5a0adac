"""Is there something to type, paste or open for whoever is on call?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pytest_sre.checks.runbook_steps import executable_steps
from pytest_sre.checks.runbooks.case import Hit, PageCase

ID = "RB101"


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each runbook of the page that has no step."""
    for part in case.parts:
        heading = part.section.heading
        anchor = heading.anchors[0] if heading and heading.anchors else None
        follow = partial(case.library.follow, page=case.page)
        if not executable_steps(case.page.runbook, anchor, follow):
            yield Hit(
                part.section.start,
                f"{heading.text if heading else 'the page'} has no executable step",
                "write down what you would type",
                expected="at least one command, query, or link to a page that has one, or to a dashboard",
                seen="only prose",
            )
