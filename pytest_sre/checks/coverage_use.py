"""What the alerts of a whole run use of Alertmanager's configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pytest_sre.model.observation import Observations
from pytest_sre.model.routing import Matcher, Route, Routing, preorder
from pytest_sre.model.routingtest import AlertKey, RoutingTest, alert_key
from pytest_sre.model.rules import Rule


@dataclass(frozen=True)
class Use:
    """What the alerts of a whole run, and the routing tests, use of a configuration."""

    routing: Routing
    seen: Observations
    tests: Sequence[RoutingTest]
    unknown: Sequence[Rule]
    """Alerts that could not be fired: where they end is not known."""

    @cached_property
    def fired(self) -> dict[AlertKey, Rule]:
        """Alerts as Alertmanager receives them, each with the rule that it is of."""
        every = ((rule, one) for rule, alert in self.seen.alerts.items() for one in alert.fired)
        return {alert_key(one.sent_labels): rule for rule, one in every if one.sent_labels}

    @cached_property
    def keys(self) -> tuple[AlertKey, ...]:
        """Alerts and routing tests."""
        return tuple(dict.fromkeys([*self.fired, *(alert_key(test.labels) for test in self.tests)]))

    @cached_property
    def ended(self) -> tuple[Route, ...]:
        """Routes at which something ends."""
        routes = list(preorder(self.routing.root))
        numbers = {number for key in self.keys for number in self.seen.ends.get(key, ())}
        return tuple(routes[number] for number in sorted(numbers))

    @cached_property
    def _ended(self) -> set[int]:
        # By identity: routes of a text in base64 may be equal, as they all have one line.
        return {id(route) for route in self.ended}

    @property
    def counted(self) -> str:
        """How much was routed, for people."""
        parts = [count(len(self.fired), "alert")]
        parts += [count(len(self.tests), "routing test")] if self.tests else []
        more = f"; {count(len(self.unknown), 'alert')} could not be fired" if self.unknown else ""
        return " and ".join(parts) + f" looked at{more}"

    def passed(self, route: Route) -> bool:
        """Whether something ends at a route or below it."""
        return any(id(one) in self._ended for one in preorder(route))

    def open(self, way: Sequence[Route]) -> bool:
        """Whether an alert that could not be fired may come this way."""
        matchers = [matcher for route in way for matcher in route.matchers]
        return any(all(_may(matcher, rule) for matcher in matchers) for rule in self.unknown)


def _may(matcher: Matcher, rule: Rule) -> bool:
    """Whether an alert of a rule may match, as far as the rule's file tells: never no where it doesn't."""
    text = rule.name if matcher.label == "alertname" else rule.labels.get(matcher.label)
    return text is None or "{{" in text or matches(matcher, {matcher.label: text})


def matches(matcher: Matcher, labels: dict[str, str]) -> bool:
    """What Alertmanager would say, for explanations; True where only Go can read the expression."""
    try:
        return matcher.matches(labels)
    except re.error:
        return True


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
