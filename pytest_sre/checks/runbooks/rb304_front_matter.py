"""Is what the front matter says well-formed, and true?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.model.near import nearest
from pytest_sre.settings import in_words
from pytest_sre.sources.front_matter import FrontMatter, read
from pytest_sre.sources.yamlfile import line_of

ID = "RB304"
_PAGE = "see docs/checks/rb304_front_matter.md"


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each wrong value, each alert that does not exist, and each that is missing there."""
    runbook = case.page.runbook
    if runbook.front_matter_error:
        line, message = runbook.front_matter_error
        yield Hit(line, f"the front matter is not valid YAML: {message}", "mend it; nothing in it is read")
    if not runbook.front_matter:
        return
    said, wrong = read(runbook.front_matter)
    for one in wrong:
        # What is disabled in vain is told by RB900.
        if one.key != "sre.disable" or one.error["type"] != "value_error":
            yield Hit(one.line, f"{one.key}: {in_words(one.error)}", f"mend the value; {_PAGE}")
    yield from _early(case, said)
    yield from _alerts(case, said)


def _early(case: PageCase, said: FrontMatter) -> Iterator[Hit]:
    for key in ("reviewed", "last_reviewed"):
        day = getattr(said, key)
        if day and day > case.today + timedelta(days=1):  # it may be tomorrow already where it was written
            line = line_of(case.page.runbook.front_matter, key)
            yield Hit(line, f"{key}: {day} is in the future", "write the day of the last review")


def _alerts(case: PageCase, said: FrontMatter) -> Iterator[Hit]:
    names = sorted(case.known)
    if said.alerts is None or not names:
        return
    listed = case.page.runbook.front_matter["alerts"]
    at = line_of(case.page.runbook.front_matter, "alerts")
    for place, name in enumerate(said.alerts):
        if name not in names:
            near = nearest(name, names, 0.6)
            hint = f"did you mean {near}?" if near else "delete it, or mend its name"
            line = at if isinstance(listed, str) else line_of(listed, place, at)
            yield Hit(line, f"alerts: no rule file has an alert {name}", hint)
    for name in dict.fromkeys(rule.name for rule in case.alerts):
        if name not in said.alerts:
            yield Hit(at, f"alerts: {name} links here and is not in the list", "add it, or mend its link")
