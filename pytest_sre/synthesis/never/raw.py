"""What is known of series that no rule records."""

from __future__ import annotations

import re

from pytest_sre.model.routing import Matcher
from pytest_sre.synthesis.never.facts import Facts
from pytest_sre.synthesis.never.labels import NAME, Labels
from pytest_sre.synthesis.never.matchers import Values
from pytest_sre.synthesis.never.span import ANYTHING, POSITIVE, SHARE, Span, only

_UNSIGNED = re.compile(r"_(total|bucket)$")
_SIGNED_WORDS = re.compile(
    r"(^|_)(balance|profit|pnl|net|diff|difference|delta|change|drift|offset|skew|lag|remaining|left|growth)(_|$)"
)
_ALERTS = Labels({
    NAME: Values(frozenset({"ALERTS"})),
    "alertstate": Values(frozenset({"pending", "firing"}), why="alerts are pending or firing"),
})  # fmt: skip
_SCRAPED = Labels({
    label: Values(None, (Matcher(label, "!=", ""),), "every scraped series has it") for label in ("job", "instance")
})  # fmt: skip


def base(name: str, scraped: bool) -> Labels | None:
    """The labels of all series of a name; with ``scraped`` those that each scrape gives, where it is no record's."""
    if name == "ALERTS":
        return _ALERTS
    known = scraped and name and ":" not in name
    return _SCRAPED.having({NAME: Values(frozenset({name}))}) if known else None


def values(name: str, facts: Facts) -> Span:
    """The values of a metric."""
    if name == "up":
        return SHARE
    if name == "ALERTS":
        return only(1.0)
    kind = facts.type(name)
    if kind in ("counter", "histogram"):
        return ANYTHING if kind == "histogram" and name.endswith("_sum") else POSITIVE
    unsigned = _UNSIGNED.search(name) and not _SIGNED_WORDS.search(name)
    return POSITIVE if unsigned and not kind else ANYTHING
