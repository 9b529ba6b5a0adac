"""When rules are evaluated, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources import duration

DEFAULT_INTERVAL = "1m"
"""Prometheus' own `evaluation_interval`."""


class Schedule:
    """The groups of a repository, under the globals of its prometheus.yml. All times in seconds."""

    def __init__(self, files: Iterable[RuleFile], globals_: Mapping[str, Any], rules: RuleIndex) -> None:
        self.rules = rules
        self._group: dict[Rule, RuleGroup] = {}
        self._place: dict[Rule, int] = {}
        for file in files:
            for group in file.groups:
                for rule in group.rules:
                    self._group[rule] = group
                    self._place[rule] = len(self._place)
        self._interval = duration.seconds(str(globals_.get("evaluation_interval", DEFAULT_INTERVAL)))
        self._offset = duration.seconds(str(globals_.get("rule_query_offset", "0")))

    def interval(self, rule: Rule) -> float:
        """How often a rule is evaluated."""
        return self._group[rule].interval or self._interval

    def offset(self, rule: Rule) -> float:
        """How far in the past it looks: its group's `query_offset`, or the server's."""
        own = self._group[rule].query_offset
        return self._offset if own is None else own

    def limit(self, rule: Rule) -> int:
        """How many alerts or series it may give; 0: as many as it likes."""
        return self._group[rule].limit

    def ordered(self, wanted: Collection[Rule]) -> list[Rule]:
        """Rules in the order of a round: groups after those that they read, as in their files where they read each other."""
        members: dict[RuleGroup, list[Rule]] = {}
        for rule in sorted(wanted, key=self._place.__getitem__):
            members.setdefault(self._group[rule], []).append(rule)
        graph: TopologicalSorter[RuleGroup] = TopologicalSorter(
            {group: self._reads(rules) & members.keys() for group, rules in members.items()}
        )
        try:
            groups = list(graph.static_order())
        except CycleError:
            groups = list(members)
        return [rule for group in groups for rule in members[group]]

    def _reads(self, rules: Iterable[Rule]) -> set[RuleGroup]:
        behind = {
            found
            for rule in rules
            for selector in selectors(rule.expr)
            for found in self.rules.behind(selector)
        }
        return {self._group[found] for found in behind} - {self._group[rule] for rule in rules}
