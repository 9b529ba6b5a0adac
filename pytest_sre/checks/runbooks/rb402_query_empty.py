"""Does a diagnosis query return something while the alert fires?

Asked only where it can be known: the series of a run are made from what alerts read, so an empty answer tells something
only about a metric that this alert reads, and a matcher whose label that metric has: it was filled in from the alert, or
is a misspelt value or label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.alert_case import Together
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.checks.runbooks.sections import canonical
from pytest_sre.model.routing import Matcher
from pytest_sre.model.runbook_query import Answer, Part, Query
from pytest_sre.promql.ast import Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.nearest import mistyped, slip
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.sources.runbook_placeholders import WORDS, fill

ID = "RB402"
_HEALTHY = re.compile(
    r"\b(?:verif|validat|confirm|prevent|afterwards?\b|healthy|mitigat|resol|recover)", re.I
)
_NOT_DIAGNOSIS = frozenset({"verification", "prevention", "mitigation", "escalation", "prerequisites"})


def judge(together: Together) -> Iterator[Hit]:
    """One hit for each query that returned nothing and should have."""
    for query in together.queries:
        answer = together.answers.get(query)
        if answer and answer.empty and answer.parts and _is_diagnosis(together, query):
            for reason in _reasons(together, answer):
                yield Hit(
                    query.line,
                    f"this query returns nothing while {together.case.rule.name} fires: {reason}",
                    "mend the query, so that it shows what is wrong",
                    expected="at least one series",
                    seen=answer.asked.strip(),
                )
                break


def _is_diagnosis(together: Together, query: Query) -> bool:
    own = together.case.settings.runbooks.sections
    for heading in together.runbook.trail(query.line):
        if heading.level > 1 and (
            canonical(heading.text, own) in _NOT_DIAGNOSIS or _HEALTHY.search(heading.text)
        ):
            return False
    return True


def _reasons(together: Together, answer: Answer) -> Iterator[str]:
    """What matches nothing; nothing is said of a query that is meant to be empty while something burns."""
    try:
        asked, neutral = parse(answer.asked), parse(fill(answer.query.text, {}))
    except PromqlError:
        return
    if WORDS[0] in answer.asked or any(_may_be_empty(node) for node in walk(asked)):
        return
    before = dict(zip(_selectors(asked), _selectors(neutral), strict=False))
    for selector, part in zip(dict.fromkeys(_selectors(asked)), answer.parts, strict=False):
        if not part.found and part.name in together.read:
            for matcher, written in zip(selector.matchers, before[selector].matchers, strict=False):
                yield from _blamed(matcher, WORDS[0] in written.value, part)


def _may_be_empty(node: Expr) -> bool:
    return (isinstance(node, Call) and node.name.startswith("absent")) or (
        isinstance(node, Binary) and node.op == "unless"
    )


def _selectors(expr: Expr) -> list[VectorSelector]:
    return [node for node in walk(expr) if isinstance(node, VectorSelector)]


def _blamed(matcher: Matcher, filled: bool, part: Part) -> Iterator[str]:
    """Why a matcher cannot match any series of the metric, where that is certain."""
    if matcher.op not in ("=", "=~") or not matcher.value:
        return
    values = part.values.get(matcher.label)
    if values is None:
        near = slip(matcher.label, part.values)
        if near:
            yield f"{part.name} has no label {matcher.label}; did you mean {near}?"
    elif filled:
        if not _matches(matcher, values):
            shown = ", ".join(values[:3]) + (", …" if len(values) > 3 else "")
            yield f"the {matcher.label} of {part.name} is never {matcher.value} but {shown}"
    elif matcher.op == "=":
        near = mistyped(matcher.value, values)
        if near:
            yield f"no {part.name} has {matcher.label}={matcher.value}; did you mean {near}?"


def _matches(matcher: Matcher, values: tuple[str, ...]) -> bool:
    if matcher.op == "=":
        return matcher.value in values
    try:
        pattern = re.compile(matcher.value)
    except re.error:
        return True
    return any(pattern.fullmatch(value) for value in values)
