"""When rules are evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.promql.resolve import DEFAULT_INTERVAL, RuleIndex
from pytest_sre.sources import duration


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
        self._interval = default_interval(globals_)
        self._offset = _seconds(globals_, "rule_query_offset", 0.0)

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

    def group(self, rule: Rule) -> RuleGroup:
        """The group that a rule belongs to."""
        return self._group[rule]

    def ordered(self, wanted: Collection[Rule]) -> list[Rule]:
        """Rules in the order of their files, and so of their groups."""
        return sorted(wanted, key=self._place.__getitem__)


def default_interval(globals_: Mapping[str, Any]) -> float:
    """The interval of groups that have none; as in Prometheus, 0 is as good as not given."""
    return _seconds(globals_, "evaluation_interval", 0.0) or DEFAULT_INTERVAL


def _seconds(globals_: Mapping[str, Any], name: str, default: float) -> float:
    """A setting; where it is wrong, promtool says so."""
    try:
        return duration.seconds(str(globals_[name]))
    except (KeyError, ValueError):
        return default
