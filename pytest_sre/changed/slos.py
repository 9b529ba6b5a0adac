"""The SLOs of sre.yaml: what is asked of each, and which of them an alert is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from pytest_sre.changed.expression import normal
from pytest_sre.changed.facts import Fact, Facts, Key, canonical
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import Selector
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.resolve import selectors
from pytest_sre.settings import SreYaml
from pytest_sre.sources import duration
from pytest_sre.sources.slos import SloSpec


class Slos:
    """The SLOs of one side, as they act under its policy. An alert is about an SLO if it may read what the SLO counts."""

    def __init__(self, file: SreYaml) -> None:
        """Read all of them."""
        policy = sorted(
            (entry.gone_within, entry.notify, entry.before_spent)
            for entry in (spec.as_model() for spec in file.policy)
        )
        self.asked: Mapping[str, str] = {spec.name: canonical([_said(spec), policy]) for spec in file.slos}
        self._by_metric: dict[str, list[tuple[str, Selector]]] = defaultdict(list)
        for spec in file.slos:
            slo = spec.as_model("")
            for selector in (slo.part, slo.total):
                self._by_metric[selector.name].append((spec.name, selector))
        self._memo: dict[VectorSelector, frozenset[str]] = {}

    def about(self, rule: Rule, behind: Collection[Rule]) -> frozenset[str]:
        """The SLOs whose series a rule may read, itself or through the recording rules ``behind`` it."""
        if not self._by_metric:
            return frozenset()
        texts = [rule.expr, *(one.expr for one in behind)]
        return frozenset().union(*(self._read(one) for text in texts for one in selectors(text)))

    def facts(self, rule: Rule, behind: Collection[Rule]) -> Facts:
        """What is asked of the SLOs that a rule is about."""
        return {
            Key("slo", name): Fact(self.asked[name], f"SLO {name}")
            for name in sorted(self.about(rule, behind))
        }

    def _read(self, selector: VectorSelector) -> frozenset[str]:
        if selector not in self._memo:
            own = {matcher.label: matcher.value for matcher in selector.matchers if matcher.op == "="}
            self._memo[selector] = frozenset(
                name
                for name, counted in self._by_metric.get(selector.name, ())
                if not any(
                    one.op == "=" and own.get(one.label, one.value) != one.value for one in counted.matchers
                )
            )
        return self._memo[selector]


def _said(spec: SloSpec) -> list[object]:
    parts = [normal(text) if text else "" for text in (spec.errors, spec.good, spec.total)]
    return [spec.objective, duration.seconds(spec.window), *parts]
