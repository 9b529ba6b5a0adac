"""What a check is given and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, FileVerdict, TimedObservation
from pytest_sre.model.routingtest import Ends
from pytest_sre.model.rules import Rule
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Severities, SreYaml
from pytest_sre.sources.discover import Inventory

if TYPE_CHECKING:
    from pytest_sre.checks.runbooks.shelf import Shelf

PAGING_KINDS = frozenset({"pagerduty", "opsgenie", "victorops", "pushover", "incidentio", "webhook"})


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One alerting rule with all that was seen of it; ``alert`` and ``timed`` are None where nothing had to be run.

    ``versions`` are those of the servers, by program.
    """

    rule: Rule
    alert: AlertObservation | None
    files: dict[str, FileVerdict]
    settings: SreYaml
    inventory: Inventory
    root_of_paths: str
    timed: TimedObservation | None = None
    ends: Ends = field(default_factory=dict)
    shelf: Shelf | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken_file(self) -> FileVerdict | None:
        """The verdict on the rule's own file, where Prometheus does not load it."""
        verdict = self.files.get(self.rule.location.path)
        return verdict if verdict is not None and verdict.error else None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The question could not be asked, and why: neither success nor failure.

    Where it makes no sense ``by_design``, that is no failure with ``strict`` either.
    """

    reason: str
    by_design: bool = False


Verdict = tuple[Finding, ...] | Skipped


@lru_cache(maxsize=8)
def index_of(inventory: Inventory) -> RuleIndex:
    """The recording rules of a repository."""
    return RuleIndex(inventory.rules)


def calls_itself_a_page(rule: Rule, severities: Severities) -> bool:
    """Whether an alert's own labels say that it wakes somebody."""
    return severities.kind_of(rule.labels) == "page"
