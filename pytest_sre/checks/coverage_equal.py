"""Can the labels in `equal` of an inhibit rule ever agree between its sources and its targets?

A label of which a series decides can have any value in production: what it was when the alert fired proves nothing.
Only a value that the rule file fixes, or that the alert can't have, does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_sre.checks.coverage_use import Use, matches
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.routing import Matcher
from pytest_sre.model.routingtest import AlertKey
from pytest_sre.model.rules import Rule
from pytest_sre.promql.pinned import pinned
from pytest_sre.report.chain import label_text
from pytest_sre.sources.alert_labels import Labels, static_labels
from pytest_sre.sources.alertmanager import side_matchers
from pytest_sre.sources.discover import Inventory

Values = tuple["str | None", ...]
"""Of each label in `equal` its value, "" for no such label, None where production decides."""


@dataclass(frozen=True, slots=True)
class _Member:
    """What may be a source or a target, ``both`` where it is the other as well."""

    key: AlertKey
    values: Values
    both: bool


class Equals:
    """What is known for sure of the labels of all alerts and routing tests."""

    def __init__(self, use: Use, inventory: Inventory) -> None:
        """Look at each alert once."""
        groups = (group for file in inventory.rule_files for group in file.groups)
        given = {rule: group.document.get("labels") for group in groups for rule in group.rules}
        self._use, self._inventory = use, inventory
        self._alerts = [(key, dict(key), self._known(key, given)) for key in use.keys]

    def finding(self, check: str, rule: Mapping[str, Any], place: Location) -> Finding | None:
        """A warning where no source and target of an inhibit rule can have equal labels."""
        names = [str(name) for name in rule.get("equal") or ()]
        sources, targets = (_distinct(self._members(rule, side, names)) for side in ("source", "target"))
        pairs = [(s, t) for s in sources for t in targets if not (s.both and t.both)]
        if not pairs or any(not _apart(s, t) for s, t in pairs):
            return None
        source, target = min(pairs, key=lambda pair: len(_apart(*pair)))
        return Finding(
            check,
            place,
            "this inhibit rule never inhibits: the labels in `equal` never agree",
            expected=f"a source and a target with equal {', '.join(names)}",
            seen=f"none among the alerts; {self._use.counted}",
            details=tuple(_nearest(source, target, names)),
            next_step="take the label out of `equal`, or give it to the alerts on both sides with one value",
            severity="warning",
        )

    def _members(
        self, rule: Mapping[str, Any], side: Literal["source", "target"], names: Sequence[str]
    ) -> Iterator[_Member]:
        mine = side_matchers(rule, side)
        other = side_matchers(rule, "target" if side == "source" else "source")
        for key, labels, known in self._alerts:
            if all(_may(matcher, labels, known) for matcher in mine):
                # Alertmanager: what is on both sides is not inhibited by what is on both sides.
                both = all(_must(matcher, labels, known) for matcher in (*mine, *other))
                yield _Member(key, tuple(known.value(name) for name in names), both)

    def _known(self, key: AlertKey, given: Mapping[Rule, Any]) -> Labels:
        labels = dict(key)
        rule = self._use.fired.get(key)
        if rule is None:  # a routing test: people leave out what has nothing to do with routes
            return Labels(labels, None)
        group = given.get(rule)
        prometheus = self._inventory.prometheus
        group_labels = {k: str(v) for k, v in group.items()} if isinstance(group, Mapping) else {}
        found = static_labels(rule, group_labels, prometheus)
        known = dict(found.known)
        if not (prometheus.alert_relabel_configs or any(prometheus.alertmanager_relabel_configs)):
            # What the rule sets itself, if only by a template, is not what its selectors ask for.
            own = {*group_labels, *rule.labels}
            kept = {label: value for label, value in pinned(rule.expr).items() if label not in own}
            known = {**kept, **known}
        # Without a prometheus.yml nobody knows what external labels there are.
        possible = found.possible if prometheus.path else None
        return Labels({k: v for k, v in known.items() if labels.get(k, "") == v}, possible)


def _may(matcher: Matcher, labels: dict[str, str], known: Labels) -> bool:
    return known.value(matcher.label) is None or matches(matcher, labels)


def _must(matcher: Matcher, labels: dict[str, str], known: Labels) -> bool:
    return known.value(matcher.label) is not None and matches(matcher, labels)


def _distinct(members: Iterator[_Member]) -> list[_Member]:
    """One of those that are alike."""
    return list({(one.values, one.both): one for one in members}.values())


def _apart(source: _Member, target: _Member) -> list[int]:
    """The numbers of labels that differ for sure."""
    both = zip(source.values, target.values, strict=True)
    return [i for i, (a, b) in enumerate(both) if a is not None and b is not None and a != b]


def _nearest(source: _Member, target: _Member, names: Sequence[str]) -> Iterator[str]:
    yield f"source    {label_text(dict(source.key))}"
    yield f"target    {label_text(dict(target.key))}"
    for i in _apart(source, target):
        values = [f'"{one.values[i]}"' if one.values[i] else "not there" for one in (source, target)]
        yield f"{names[i]} is {values[0]} in the source, {values[1]} in the target"
