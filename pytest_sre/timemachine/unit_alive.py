"""Which of many rules matter for a few series: those that may find one, themselves or by way of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import fits
from pytest_sre.promql.static import gives_nothing
from pytest_sre.timemachine.order import STATES


def alive(rules: Sequence[Rule], series: Sequence[Labels]) -> set[Rule]:
    """The rules that may have a result or an error over these series."""
    found = _Found(series)
    waiting = list(rules)
    while True:
        woken = [rule for rule in waiting if not _dead(rule, found)]
        if not woken:
            return found.rules
        for rule in woken:
            found.add(rule)
        waiting = [rule for rule in waiting if rule not in found.rules]


def _dead(rule: Rule, found: _Found) -> bool:
    try:
        return gives_nothing(parse(rule.expr), found.selects)
    except PromqlError:
        return False


class _Found:
    """The series that there are, and the rules that may make more."""

    def __init__(self, series: Sequence[Labels]) -> None:
        self.rules: set[Rule] = set()
        self._series: dict[str, list[Mapping[str, str]]] = {}
        self._makers: dict[str, list[Rule]] = {}
        for labels in series:
            one = dict(labels)
            self._series.setdefault(one.get("__name__", ""), []).append(one)

    def add(self, rule: Rule) -> None:
        self.rules.add(rule)
        for name in (rule.name,) if rule.kind == "record" else STATES:
            self._makers.setdefault(name, []).append(rule)

    def selects(self, selector: VectorSelector) -> bool:
        """Whether there is, or may be made, a series that the selector finds."""
        names = [selector.name] if selector.name else {*self._series, *self._makers}
        return any(self._finds(name, selector) for name in names)

    def _finds(self, name: str, selector: VectorSelector) -> bool:
        if any(
            all(matcher.matches(labels) for matcher in selector.matchers)
            for labels in self._series.get(name, ())
        ):
            return True
        return any(rule.kind == "alert" or fits(rule, selector) for rule in self._makers.get(name, ()))
