"""Is there anybody to turn to when the runbook does not help?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_for_an_alert, is_runbook, leads_elsewhere
from pytest_sre.checks.runbooks.sections import sections
from pytest_sre.sources.runbook_library import Reached

ID = "RB302"
KEYS = frozenset(
    (
        *("owner", "owners", "team", "teams", "squad", "contact", "contacts", "escalation", "escalate_to"),
        *("maintainer", "maintainers", "oncall", "on_call", "support", "slack", "slack_channel", "channel"),
        *("pagerduty", "opsgenie", "service_owner", "owner_team", "team_name"),
    )
)
"""What front matter, and labels of alerts, say of people."""

_SAID = re.compile(
    r"\bescalat\w+"
    r"|\b(?:contact|reach out to|page|notify|ping|ask|call|engage|involve|inform|hand over to|speak to|support from)"
    r"\b[^.\n]{0,60}\b(?:teams?|support|on-?call|owners?|sres?|maintainers?|dbas?|squad|engineers?|administrators?|admins?)\b"
    r"|\b(?:support (?:case|ticket)|on-?call (?:rota|schedule|team)|owned by|maintained by)\b"
    r"|(?<![\w/#&(\[])#[a-z][\w-]{2,}(?![\w(])|(?<![\w./`])@[a-z][\w/-]{2,}|[\w.+-]{1,64}@[\w-]{1,64}\.[a-z]{2,}",
    re.I,
)
_LINK = re.compile(
    r"mailto:|tel:|https?://[^/]*(?:slack\.com|pagerduty\.com|opsgenie\.com|teams\.microsoft\.com)", re.I
)
_LONGEST = 5_000  # of a paragraph


def judge(case: PageCase) -> Iterator[Hit]:
    """At most one hit for a page; pages that are no runbooks are not asked."""
    runbook = case.page.runbook
    if case.settings.runbooks.escalation or _names_people(runbook.front_matter) or not is_runbook(case):
        return
    part = next((one for one in case.parts if _asks(case, one)), None)
    if part is None or _in_page(case):
        return
    yield Hit(
        part.section.start,
        "nobody to escalate to",
        "say whom to turn to, and when; for all pages with `runbooks: escalation:` in sre.yaml",
        expected="a section Escalation, `owner` in the front matter, or a label such as team of the alert",
        seen="none of them, and no team, channel or address in the page",
    )


def _asks(case: PageCase, part: Reached) -> bool:
    """Whether a part is a runbook, of an alert whose labels name nobody."""
    if leads_elsewhere(case.page.runbook, part.section) or not is_for_an_alert(case, part):
        return False
    return not part.alerts or not all(_names_people(rule.labels) for rule in part.alerts)


def _names_people(said: Mapping[str, Any]) -> bool:
    return any(value and key.lower().replace("-", "_") in KEYS for key, value in said.items())


def _in_page(case: PageCase) -> bool:
    runbook = case.page.runbook
    if any(_SAID.search(text.source[:_LONGEST]) for text in runbook.texts):
        return True
    if any(_LINK.match(link.target) for link in runbook.links):
        return True
    whole = runbook.whole
    return any("escalation" in one.names for one in sections(runbook, case.settings.runbooks.sections, whole))
