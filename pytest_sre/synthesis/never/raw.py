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
    r"(^|_)(balance|profit|pnl|cash|flow|net|diff|difference|delta|change|drift|offset|skew|lag|remaining|left|growth)(_|$)"
)
_GAUGE = re.compile(r"(^up|_info|_ratio|_percent|_celsius)$")
_COUNTED = re.compile(r"_(total|count|sum|bucket)$")
_ALERTS = Labels({
    NAME: Values(frozenset({"ALERTS"})),
    "alertstate": Values(frozenset({"pending", "firing"}), why="alerts are pending or firing"),
})  # fmt: skip
_SCRAPED = Labels({
    label: Values(None, (Matcher(label, "!=", ""),), "every scraped series has it") for label in ("job", "instance")
})  # fmt: skip


def of_scraping(name: str) -> bool:
    """Whether Prometheus itself writes a metric, one series for each target, whatever the target exposes."""
    return name == "up" or name.startswith("scrape_")


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


def is_gauge(name: str, facts: Facts) -> bool:
    """Whether a metric is a gauge beyond doubt.

    Many exporters call counters gauges: a name that ends as counters' do is believed more.
    """
    kind = facts.type(name)
    return not _COUNTED.search(name) and (kind == "gauge" or (not kind and _GAUGE.search(name) is not None))
