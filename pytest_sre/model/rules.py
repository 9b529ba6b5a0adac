"""Alerting and recording rules as their author wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_sre.model.finding import Location


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. ``hold`` is ``for`` in seconds; ``index`` its place in the group, counted from 0.

    ``labels`` are the rule's own and, below them, its group's.
    """

    kind: Literal["alert", "record"]
    name: str
    expr: str
    location: Location
    expr_line: int
    group: str
    index: int
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    keep_firing_for: float = 0.0
    annotation_lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def expression(self) -> Location:
        """Where its expression stands."""
        return Location(self.location.path, self.expr_line)


@dataclass(frozen=True, slots=True, eq=False)
class RuleGroup:
    """One rule group; ``document`` is the parsed YAML mapping it came from.

    ``interval`` and ``query_offset`` are in seconds (None: the server's), ``limit`` is of alerts or series (0: none).
    ``part`` tells the objects of one file apart (two PrometheusRules may use the same group name).
    """

    name: str
    location: Location
    rules: tuple[Rule, ...]
    document: Mapping[str, Any]
    interval: float | None = None
    part: int = 0
    query_offset: float | None = None
    limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class RuleFile:
    """All groups that one file holds, whatever wraps them (plain, PrometheusRule, List)."""

    path: str
    groups: tuple[RuleGroup, ...]

    @property
    def alerts(self) -> tuple[Rule, ...]:
        """The alerting rules, in file order."""
        return tuple(rule for group in self.groups for rule in group.rules if rule.kind == "alert")
