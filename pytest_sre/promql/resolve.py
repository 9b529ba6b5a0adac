"""Which recording rules stand behind a name, how far the chain goes, and what is raw at its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import Expr, VectorSelector, walk
from pytest_sre.promql.parse import PromqlError, parse

DEFAULT_INTERVAL = 60.0
"""Prometheus' own `evaluation_interval`, in seconds."""
ALERTS = "ALERTS"
"""The metric that Prometheus writes for every alert that is pending or firing."""
_MANY_ALERTS = 16


@lru_cache(maxsize=20_000)
def selectors(expr_text: str) -> tuple[VectorSelector, ...]:
    """The distinct selectors of an expression text, in order; none where it is not PromQL."""
    try:
        expr = parse(expr_text)
    except PromqlError:
        return ()
    return selectors_of(expr)


def selectors_of(expr: Expr) -> tuple[VectorSelector, ...]:
    """The distinct selectors of an expression, in order."""
    return tuple(dict.fromkeys(node for node in walk(expr) if isinstance(node, VectorSelector)))


class RuleIndex:
    """All rules of a repository, found by what they write."""

    def __init__(self, rules: Iterable[Rule], intervals: Mapping[Rule, float] | None = None) -> None:
        """Index ``rules``; ``intervals`` are those of their groups, in seconds."""
        self.intervals = intervals or {}
        self.rules = tuple(rules)
        self._by_name: dict[str, list[Rule]] = defaultdict(list)
        self._by_label: dict[tuple[str, str], dict[str | None, list[Rule]]] = {}
        self._alerts: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            (self._by_name if rule.kind == "record" else self._alerts)[rule.name].append(rule)
        self._cache: dict[tuple[str, tuple[object, ...]], tuple[Rule, ...]] = {}

    def recording(self, name: str) -> tuple[Rule, ...]:
        """The rules that record a name, in the order given."""
        return tuple(self._by_name.get(name, ()))

    def written(self, rule: Rule) -> tuple[Rule, RuleIndex]:
        """A rule and all rules as their author wrote them: here they are just that."""
        return rule, self

    def together(self, selector: VectorSelector) -> tuple[VectorSelector, ...]:
        """What a selector of raw series reads, with all series that cannot be without these: here it alone."""
        return (selector,)

    def interval(self, rule: Rule) -> float:
        """Seconds between two evaluations of a rule in production."""
        return self.intervals.get(rule, DEFAULT_INTERVAL)

    def records(self, selector: VectorSelector) -> bool:
        """Whether any rule records series that the selector can match; else it reads raw series."""
        return bool(self.behind(selector))

    def behind(self, selector: VectorSelector) -> tuple[Rule, ...]:
        """The rules whose series the selector can match: those that record its name with labels that fit.

        Behind ``ALERTS`` are the alerts that its ``alertname`` names, where they are few and may be firing.
        """
        if selector.name not in self._by_name and selector.name != ALERTS:
            return ()
        key = (selector.name, selector.matchers)
        found = self._cache.get(key)
        if found is None:
            candidates = self._alerting(selector) if selector.name == ALERTS else self._narrowed(selector)
            found = self._cache[key] = tuple(r for r in candidates if fits(r, selector))
        return found

    def _alerting(self, selector: VectorSelector) -> Iterable[Rule]:
        """The alerts that write the ``ALERTS`` a selector asks for by name."""
        named = [m for m in selector.matchers if m.label == "alertname" and m.op in ("=", "=~")]
        states = [m for m in selector.matchers if m.label == "alertstate"]
        if not named or not all(m.matches({"alertstate": "firing"}) for m in states):
            return ()
        exact = next((m.value for m in named if m.op == "="), None)
        names = [exact] if exact in self._alerts else [] if exact is not None else list(self._alerts)
        every = [m for m in selector.matchers if m.label == "alertname"]
        found = [name for name in names if all(m.matches({"alertname": name}) for m in every)]
        rules = [rule for name in found for rule in self._alerts[name]]
        return rules if len(rules) <= _MANY_ALERTS else ()

    def _narrowed(self, selector: VectorSelector) -> Iterable[Rule]:
        """The shortest list of candidates that an equality matcher gives, so that cost stays flat."""
        best: list[Rule] = self._by_name[selector.name]
        if len(best) < 8:
            return best
        for matcher in selector.matchers:
            if matcher.op == "=" and matcher.value:
                table = self._table(selector.name, matcher.label)
                found = table.get(matcher.value, []) + table.get(None, [])
                if len(found) < len(best):
                    best = found
        return best

    def _table(self, name: str, label: str) -> dict[str | None, list[Rule]]:
        """Rules of one name by their value of a label that the rule itself sets (None: not set)."""
        key = (name, label)
        if key not in self._by_label:
            table: dict[str | None, list[Rule]] = defaultdict(list)
            for rule in self._by_name[name]:
                value = rule.labels.get(label)
                table[None if value is None or "{{" in value else value].append(rule)
            self._by_label[key] = dict(table)
        return self._by_label[key]

    def closure(self, rule: Rule) -> tuple[Rule, ...]:
        """The recording rules (and alerts, for ``ALERTS``) that a rule needs, transitively, nearest first; cycles are cut."""
        return self.closure_of(rule.expr, rule)

    def closure_of(self, text: str, start: Rule | None = None) -> tuple[Rule, ...]:
        """As `closure`, for an expression text."""
        seen: dict[Rule, None] = {}
        queue = [text]
        while queue:
            for selector in selectors(queue.pop(0)):
                for found in self.behind(selector):
                    if found not in seen and found is not start:
                        seen[found] = None
                        queue.append(found.expr)
        return tuple(seen)

    def texts(self, rule: Rule) -> list[str]:
        """Its expression and those of the recording rules that it needs."""
        return [rule.expr, *(found.expr for found in self.closure(rule))]

    def depth(self, rule: Rule) -> int:
        """How many rule groups must be evaluated one after the other before ``rule`` sees its data.

        A recording rule that stands earlier in the same group costs nothing.
        """
        return self._depth(rule, frozenset())

    def _depth(self, rule: Rule, open_rules: frozenset[Rule]) -> int:
        deepest = 0
        for selector in selectors(rule.expr):
            for found in self.behind(selector):
                if found is rule or found in open_rules:
                    continue
                same = (found.location.path, found.group) == (rule.location.path, rule.group)
                hop = 0 if same and found.index < rule.index else 1
                deepest = max(deepest, hop + self._depth(found, open_rules | {rule}))
        return deepest

    def raw_names(self, rule: Rule) -> frozenset[str]:
        """The metric names that no rule records, through the whole chain."""
        return frozenset(
            selector.name
            for text in self.texts(rule)
            for selector in selectors(text)
            if selector.name and not self.records(selector)
        )


def fits(rule: Rule, selector: VectorSelector) -> bool:
    """Whether the labels that a rule sets itself satisfy the selector (the others are not known yet)."""
    for matcher in selector.matchers:
        value = rule.labels.get(matcher.label)
        if value is not None and "{{" not in value and not matcher.matches(rule.labels):
            return False
    return True
