"""Does an alert lead here? Who is on call comes by an alert's link, and to the end of it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_runbook, says_moved

ID = "RB004"


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit at most; where no alert has a local runbook at all, their rules lie elsewhere."""
    runbook = case.page.runbook
    if not is_runbook(case):
        return
    if says_moved(runbook, runbook.whole):
        yield Hit(
            runbook.headings[0].line if runbook.headings else 1,
            "this page only says that the runbook has moved",
            "link the alerts to where the runbook is now, and delete this page",
            seen=f"alerts that link here: {', '.join(rule.name for rule in case.alerts) or 'none'}",
        )
    elif case.orphan:
        yield Hit(
            1,
            "no alert links to this page",
            "link the alert, or delete the page",
            expected=f"an annotation {case.settings.runbooks.annotations[0]} that leads here",
        )
