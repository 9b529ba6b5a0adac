"""What a rule says, and the recording rules behind it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_sre.changed.expression import normal, uses_default_step
from pytest_sre.changed.facts import Aspect, Fact, Facts, Key, canonical
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.printer import duration
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources.duration import seconds
from pytest_sre.sources.prometheus import PrometheusConfig

_INTERVAL = 60.0
_OF_RULE = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
_OF_GROUP = {"name", "rules", "interval", "query_offset", "evaluation_delay", "limit", "labels"}


class Rules:
    """All rules of one revision, as they act under its prometheus.yml."""

    def __init__(self, files: Iterable[RuleFile], prometheus: PrometheusConfig) -> None:
        """Index the rules."""
        groups = [group for file in files for group in file.groups]
        self.group_of: Mapping[Rule, RuleGroup] = {rule: group for group in groups for rule in group.rules}
        self._globals = prometheus.globals
        self._index = RuleIndex(self.group_of)
        self._recorded: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.group_of:
            if rule.kind == "record":
                self._recorded[rule.name].append(rule)
        self._memo: dict[Rule, Facts] = {}
        self._contents: dict[Rule, str] = {}
        self._direct: dict[str, tuple[Rule, ...]] = {}

    def facts(self, rule: Rule) -> Facts:
        """What a rule says itself, its group's settings included."""
        if rule not in self._memo:
            self._memo[rule] = {Key("rule", fact.title): fact for fact in self._said(rule)}
        return self._memo[rule]

    def content(self, rule: Rule) -> str:
        """All that a rule says itself, but for an alert's name, as one text."""
        if rule not in self._contents:
            said = sorted((fact.title, fact.value) for fact in self.facts(rule).values())
            self._contents[rule] = canonical(said)
        return self._contents[rule]

    def closure(self, rule: Rule) -> Mapping[Rule, int]:
        """The recording rules behind a rule, at any depth, each with its distance (1: read by the rule itself)."""
        found: dict[Rule, int] = {}
        level, texts = 0, [rule.expr]
        while texts:
            level += 1
            reached = dict.fromkeys(one for text in texts for one in self._behind(text))
            fresh = [one for one in reached if one not in found and one is not rule]
            found.update(dict.fromkeys(fresh, level))
            texts = list(dict.fromkeys(one.expr for one in fresh))
        return found

    def labels(self, rule: Rule) -> Mapping[str, str]:
        """The labels that a rule's group gives it."""
        found = self.group_of[rule].document.get("labels")
        return {k: str(v) for k, v in found.items()} if isinstance(found, Mapping) else {}

    def _behind(self, text: str) -> tuple[Rule, ...]:
        if text not in self._direct:
            found = (one for selector in selectors(text) for one in self._read_by(selector))
            self._direct[text] = tuple(dict.fromkeys(found))
        return self._direct[text]

    def _read_by(self, selector: VectorSelector) -> Iterator[Rule]:
        if selector.name:
            yield from self._index.behind(selector)
            return
        named = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
        for name, rules in self._recorded.items():
            try:
                if named and all(matcher.matches({"__name__": name}) for matcher in named):
                    yield from rules
            except re.error:
                yield from rules

    def _said(self, rule: Rule) -> Iterator[Fact]:
        group = self.group_of[rule].document
        yield Fact(normal(rule.expr), "expression")
        yield Fact(duration(rule.hold), "for", shown=True)
        yield Fact(duration(rule.keep_firing_for), "keep_firing_for", shown=True)
        for name, value in sorted({**self.labels(rule), **rule.labels}.items()):
            yield Fact(value, f"label {name}", shown=True)
        for name, value in sorted(rule.annotations.items()):
            yield Fact(value, f"annotation {name}")
        yield Fact(self._interval(rule), "evaluation interval", shown=True)
        yield Fact(self._offset(group), "query offset", shown=True)
        yield Fact(str(group.get("limit") or 0), "limit", shown=True)
        if uses_default_step(rule.expr):
            yield Fact(
                _text(self._globals.get("evaluation_interval"), _INTERVAL),
                "step of its subqueries",
                shown=True,
            )
        written = group["rules"][rule.index]
        yield from _others(written, _OF_RULE, "")
        yield from _others(group, _OF_GROUP, "group's ")

    def _interval(self, rule: Rule) -> str:
        own = self.group_of[rule].interval
        return duration(own) if own else _text(self._globals.get("evaluation_interval"), _INTERVAL)

    def _offset(self, group: Mapping[str, Any]) -> str:
        own = next(
            (group[key] for key in ("query_offset", "evaluation_delay") if group.get(key) is not None), None
        )
        return _text(own if own is not None else self._globals.get("rule_query_offset"), 0.0)


def recording_facts(rules: Rules, closure: Mapping[Rule, int]) -> Facts:
    """The recording rules behind an alert; several may record one name."""
    by_name: dict[str, list[Rule]] = defaultdict(list)
    for rule in closure:
        by_name[rule.name].append(rule)
    aspect: Aspect = "recording"
    return {
        Key(aspect, name): Fact(
            canonical(sorted(map(rules.content, found))),
            f"recording rule {name}",
            f"{min(closure[one] for one in found)} levels down"
            if min(closure[one] for one in found) > 1
            else "",
        )
        for name, found in by_name.items()
    }


def raw_names(rule: Rule, closure: Mapping[Rule, int]) -> frozenset[str]:
    """The metric names that a rule and those behind it read."""
    texts = [rule.expr, *(one.expr for one in closure)]
    return frozenset(selector.name for text in texts for selector in selectors(text))


def _others(document: Mapping[str, Any], known: set[str], owner: str) -> Iterator[Fact]:
    for key, value in document.items():
        if key not in known and value is not None:
            yield Fact(canonical(value), f"{owner}{key}")


def _text(written: object, default: float) -> str:
    try:
        return duration(seconds(str(written)) if written is not None else default)
    except ValueError:
        return str(written)
