"""Alerts over native histograms, made ready for a search that knows classic ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Batch, Impossible, NotSynthesised, Plan
from pytest_sre.promql.ast import VectorSelector, walk
from pytest_sre.promql.native import histogram, histogram_selectors, mapped, part
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.synthesis.exponential import Native
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.shape import Shape

_SUFFIXES = ("bucket", "sum")
_Failed = NotSynthesised | Impossible


class Classic(RuleIndex):
    """Rules as if all native histograms were classic.

    ``names`` are the metrics, not recorded, that are native histograms; ``of`` has what became of rules, ``every`` all rules.
    """

    def __init__(self, rules: RuleIndex) -> None:
        """``rules`` as their author wrote them."""
        self.original = rules
        self.names: set[str] = set()
        self.of: dict[Rule, Rule] = {}
        self._author: dict[Rule, Rule] = {}
        self._histograms: set[Rule] = set()
        for rule in rules.rules:
            self._find(rule.expr)
        self.every = frozenset(rules.rules)
        made = [one for rule in rules.rules for one in self._made(rule)] if self.names else []
        intervals = {one: rules.interval(self._author.get(one, one)) for one in made}
        super().__init__(made, intervals)

    def _find(self, text: str) -> None:
        """Note which series and records an expression takes for native histograms."""
        if "histogram_" not in text:
            return
        try:
            nodes = list(walk(parse(text)))
        except PromqlError:
            return
        for node in nodes:
            inner = histogram(node, self.original)
            for selector in histogram_selectors(inner) if inner is not None else ():
                self._note(selector)

    def _note(self, selector: VectorSelector) -> None:
        behind = [rule for rule in self.original.behind(selector) if rule.kind == "record"]
        if not behind:
            self.names.add(selector.name)
        for rule in behind:
            if rule not in self._histograms:
                self._histograms.add(rule)
                for inner in histogram_selectors(parse(rule.expr)):
                    self._note(inner)

    def _made(self, rule: Rule) -> Iterator[Rule]:
        """The rule as it is here; of one that records native histograms also those for its parts."""
        if rule not in self._histograms:
            yield self.rule(rule)
        else:
            for suffix in _SUFFIXES:
                text = to_text(part(parse(rule.expr), suffix))
                made = replace(rule, name=f"{rule.name}_{suffix}", expr=text)
                self._author[made] = rule
                yield made

    def rule(self, rule: Rule) -> Rule:
        """A rule as it is here: the same where it has no native histograms."""
        if rule not in self.of:
            self.of[rule] = made = self._mapped(rule)
            self._author[made] = rule
        return self.of[rule]

    def _mapped(self, rule: Rule) -> Rule:
        read = {selector.name for selector in selectors(rule.expr)}
        if "histogram_" not in rule.expr and not read & self.names:
            return rule
        try:
            tree = parse(rule.expr)
        except PromqlError:
            return rule
        made = mapped(tree, self.original, self.names)
        return replace(rule, expr=to_text(made)) if made != tree else rule

    def written(self, rule: Rule) -> tuple[Rule, RuleIndex]:
        """A rule and all rules as their author wrote them."""
        return self._author.get(rule, rule), self.original

    def together(self, selector: VectorSelector) -> tuple[VectorSelector, ...]:
        """A native histogram always has both buckets and a sum, whatever is asked of it."""
        base, _, suffix = selector.name.rpartition("_")
        if base not in self.names or suffix not in _SUFFIXES:
            return (selector,)
        kept = tuple(matcher for matcher in selector.matchers if matcher.label != "le")
        whole = (replace(selector, name=f"{base}_{one}", matchers=kept) for one in _SUFFIXES)
        return tuple(dict.fromkeys((selector, *whole)))

    def is_native(self, alert: Rule) -> bool:
        """Whether an alert, as its author wrote it, or what is behind it has to do with native histograms."""
        if not self.names:
            return False
        every = (alert, *self.original.closure(alert))
        return any(rule in self._histograms or self.rule(rule) is not rule for rule in every)

    def native(self, alerts: Iterable[Rule]) -> Native:
        """How the series of these alerts, as their author wrote them, are to be emitted."""
        rules = [rule for alert in alerts for rule in (alert, *self.original.closure(alert))]
        read = {selector.name for rule in rules for selector in selectors(rule.expr)}
        return Native(frozenset(self.names), frozenset(read), not self._histograms.isdisjoint(rules))

    def told(self, failed: _Failed) -> _Failed:
        """What is said of an alert here, said of the alert as its author wrote it."""
        alert, _ = self.written(failed.alert)
        here = self.rule(alert)
        shown = alert.expr if here is not alert and failed.part == here.expr else failed.part
        return replace(failed, alert=alert, part=shown)


class NativeLabels(Exposed):
    """Snapshots' labels without their buckets: native histograms have others."""

    def buckets(self, names: Iterable[str], shape: Shape) -> tuple[str, ...]:
        """None."""
        return ()


def classic(rules: RuleIndex, alerts: Collection[Rule] = ()) -> Classic:
    """The rules, and ``alerts``, as if all native histograms were classic."""
    found = _classic(rules)
    more = [one for one in alerts if one not in found.every and "histogram_" in one.expr]
    return Classic(RuleIndex((*rules.rules, *more), rules.intervals)) if more else found


@lru_cache(maxsize=2)
def _classic(rules: RuleIndex) -> Classic:
    return Classic(rules)


def joined(plan: Plan, known: Classic, native: Plan) -> Plan:
    """A plan, and one for alerts over native histograms, in which these are classic."""
    batches = [_assembled(batch, known) for batch in native.batches]
    unproven = [known.told(one) for one in native.unproven]
    return Plan((*plan.batches, *batches), (*plan.unproven, *unproven))


def _assembled(batch: Batch, known: Classic) -> Batch:
    alerts = [known.written(one.alert)[0] for one in batch.scenarios]
    kind = known.native(alerts)
    scenarios = [
        replace(one, alert=alert, series=tuple(kind.assembled(one.series)))
        for one, alert in zip(batch.scenarios, alerts, strict=True)
    ]
    return Batch(tuple(scenarios), tuple(kind.assembled(batch.series)))
