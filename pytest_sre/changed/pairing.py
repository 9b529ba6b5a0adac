"""Which old alert a new one was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from pytest_sre.changed.expression import normal
from pytest_sre.changed.rules import Rules
from pytest_sre.model.rules import Rule

_Mark = Callable[[Rules, Rule], Hashable]


@dataclass(frozen=True, slots=True)
class Pairs:
    """``previous`` maps new alerts to old ones, whatever their names; the rest is new or gone."""

    previous: dict[Rule, Rule]
    new: tuple[Rule, ...]
    gone: tuple[Rule, ...]


# From the surest sign to the weakest: equal meaning (at the same place before elsewhere, so that moves are moves),
# then the name with what tells alerts of one name apart, then the same rule under another name.
_SIGNS: tuple[_Mark, ...] = (
    lambda rules, rule: (rule.name, rules.content(rule), rule.location.path, rule.group),
    lambda rules, rule: (rule.name, rules.content(rule)),
    lambda rules, rule: (rule.name, _labels(rule), rule.location.path, rule.group),
    lambda rules, rule: (rule.name, _labels(rule)),
    lambda rules, rule: (rule.name, normal(rule.expr)),
    lambda rules, rule: (rule.name, rule.location.path, rule.group, rule.labels.get("severity")),
    lambda rules, rule: (rule.name, rule.labels.get("severity")),
    lambda rules, rule: rule.name,
    lambda rules, rule: rules.content(rule),
    lambda rules, rule: (normal(rule.expr), _labels(rule), rule.hold),
    lambda rules, rule: (normal(rule.expr), _labels(rule)),
)


def pair(old: Rules, new: Rules) -> Pairs:
    """Match the alerts of two sides; each sign is looked at once, so the cost is linear."""
    before, after = _alerts(old), _alerts(new)
    previous: dict[Rule, Rule] = {}
    for sign in _SIGNS:
        waiting: dict[Hashable, list[Rule]] = defaultdict(list)
        for rule in reversed(before):
            waiting[sign(old, rule)].append(rule)
        for rule in after:
            found = waiting.get(sign(new, rule))
            if found:
                previous[rule] = found.pop()
        taken = set(previous.values())
        before = [rule for rule in before if rule not in taken]
        after = [rule for rule in after if rule not in previous]
    return Pairs(previous, tuple(after), tuple(before))


def _alerts(rules: Rules) -> list[Rule]:
    return [rule for rule in rules.group_of if rule.kind == "alert"]


def _labels(rule: Rule) -> Hashable:
    return tuple(sorted(rule.labels.items()))
