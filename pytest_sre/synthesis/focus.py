"""Where several rules record one name: one of them at a time, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.model.routing import Matcher
from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.synthesis.regexes import examples

CHOICES = 4
_OTHER = 10


def focused(alert: Rule, rules: RuleIndex) -> Iterator[RuleIndex]:
    """Smaller indexes in which every name that the alert needs is recorded once; none if that is so anyway."""
    for choice in range(CHOICES):
        chosen, most = _chain(alert, rules, choice)
        if choice >= most or most < 2:
            return
        yield RuleIndex(chosen, rules.intervals)


def _chain(alert: Rule, rules: RuleIndex, choice: int) -> tuple[list[Rule], int]:
    """One rule for each selector through the whole chain, and how many there were at most to choose from."""
    chosen: dict[Rule, None] = {}
    queue, most = [alert.expr], 1
    while queue:
        for selector in selectors(queue.pop(0)):
            found = rules.behind(selector)
            most = max(most, len(found))
            if not found:
                continue
            ranked = sorted(found, key=lambda rule: -_affinity(rule, selector)) if len(found) > 1 else found
            rule = ranked[choice % len(ranked)]
            if rule not in chosen and rule is not alert:
                chosen[rule] = None
                queue.append(rule.expr)
    return list(chosen), most


def _affinity(rule: Rule, selector: VectorSelector) -> int:
    """How many of the label values that a selector asks for a rule speaks of; less than 0 where it asks for others."""
    wanted = {matcher.label: matcher for matcher in selector.matchers if matcher.value}
    others = sum(
        matcher.op == "=" and not wanted[matcher.label].matches({matcher.label: matcher.value})
        for inner in selectors(rule.expr)
        for matcher in inner.matchers
        if matcher.label in wanted and matcher.label not in rule.labels
    )
    return sum(_spoken(matcher, rule) for matcher in wanted.values()) - _OTHER * others


def _spoken(matcher: Matcher, rule: Rule) -> bool:
    if matcher.op not in ("=", "=~"):
        return False
    values = (matcher.value,) if matcher.op == "=" else examples(matcher.value)
    return any(value and (value in rule.expr or value in rule.labels.values()) for value in values)
