"""Is the last review of the page too long ago?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.sources.front_matter import as_date, due, read
from pytest_sre.sources.yamlfile import line_of

ID = "RB301"
_WRITTEN = re.compile(
    r"^[^\w\n]*(?:last[ -]review(?:ed)?|reviewed|(?:last )?review date)(?: on| at)?[ *]*:[ *]*(\d{4}-\d\d-\d\d)\b",
    re.I | re.M,
)


def judge(case: PageCase) -> Iterator[Hit]:
    """At most one hit, at the date of the last review; pages without such a date are not asked."""
    reviewed = _reviewed(case)
    if reviewed is None:
        return
    line, day = reviewed
    own = read(case.page.runbook.front_matter)[0].review_interval
    interval = own or case.settings.runbooks.review_interval
    until = due(day, interval)
    if until < case.today:
        yield Hit(
            line,
            f"the last review was on {day} and held until {until}",
            "read it as if the alert fired now, mend it, and write down the day",
            expected=f"a review every {interval}",
            seen=f"overdue by {(case.today - until).days} days",
        )


def _reviewed(case: PageCase) -> tuple[int, date] | None:
    """Line and day of the last review: in the front matter, else in a line such as `Last reviewed: 2026-03-01`."""
    given = case.page.runbook.front_matter
    said = read(given)[0] if given else None
    days = {key: getattr(said, key) for key in ("reviewed", "last_reviewed") if getattr(said, key, None)}
    if days:
        key = max(days, key=lambda one: days[one])
        return line_of(given, key), days[key]
    for text in case.page.runbook.texts:
        found = _WRITTEN.search(text.text)
        if found:
            try:
                return text.line + text.text.count("\n", 0, found.start()), as_date(found[1])
            except ValueError:
                return None
    return None
