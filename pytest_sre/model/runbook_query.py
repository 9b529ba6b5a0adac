"""The queries of a runbook, and what Prometheus answered while the alert fired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL query as its author wrote it; ``line`` is its first, ``sure`` whether the page itself says that it is one."""

    text: str
    line: int
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A selector of a query that returned nothing.

    ``found`` is whether it alone matches a series, ``values`` are those that each label of its metric has.
    """

    name: str
    found: bool
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Prometheus said of a query: ``asked`` is what was run, ``error`` why Prometheus refused it.

    ``parts`` are its selectors in order, where it returned nothing and all metrics that it reads were there.
    """

    query: Query
    asked: str
    error: str = ""
    empty: bool = False
    parts: tuple[Part, ...] = ()
