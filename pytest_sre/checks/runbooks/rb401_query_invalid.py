"""Is each query of an alert's runbook PromQL? Prometheus says so where it runs, our own parser where it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.alert_case import Together
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.sources.runbook_queries import error_of

ID = "RB401"
_PLACE = re.compile(r"(?:^|: )(\d+):\d+: parse error: ")
_LEAD = re.compile(r'^invalid parameter "query": ')


def judge(together: Together) -> Iterator[Hit]:
    """One hit for each query that is refused, whatever its placeholders stand for."""
    for query in together.queries:
        answer = together.answers.get(query)
        error = answer.error if answer else error_of(query.text)
        if not error:
            continue
        asked = answer.asked if answer else query.text
        place = _PLACE.search(error)
        within = min(int(place[1]) - 1, query.text.count("\n")) if place else 0
        yield Hit(
            query.line + within,
            f"this is not PromQL: {_told(error)}",
            "mend the query; where it is none, take promql off the fence",
            expected="a query that Prometheus takes" if answer else "a query that parses",
            seen=asked.strip(),
        )


def _told(error: str) -> str:
    return _LEAD.sub("", error.strip()).replace("\n", " ")
