"""What the checks of an alert and its runbook together are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pytest_sre.checks.case import Case, index_of
from pytest_sre.model.runbook import Runbook, Section
from pytest_sre.model.runbook_query import Answer, Query
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources.runbook_queries import queries_of


@dataclass(frozen=True, eq=False)
class Together:
    """One alert with its part of a page."""

    case: Case
    runbook: Runbook
    section: Section

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """The queries of its part."""
        return queries_of(self.runbook, self.section)

    @cached_property
    def answers(self) -> Mapping[Query, Answer]:
        """What Prometheus said while the alert fired; nothing where it did not fire, or nobody asked."""
        return {one.query: one for one in (self.case.alert.answers if self.case.alert else ())}

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """The labels that the alert fired with, as its receivers see them; empty where it did not fire."""
        fired = self.case.alert.fired if self.case.alert else ()
        return {**fired[0].labels, **(fired[0].sent_labels or {})} if fired else {}

    @property
    def rules(self) -> RuleIndex:
        """The repository's rules."""
        return index_of(self.case.inventory)

    @cached_property
    def read(self) -> frozenset[str]:
        """The metrics that the alert reads, directly or through recording rules."""
        rules = (self.case.rule, *self.rules.closure(self.case.rule))
        return frozenset(one.name for rule in rules for one in selectors(rule.expr))
