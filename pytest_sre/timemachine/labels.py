"""How alerts are labelled on virtual time: templates are rendered by the real promtool, never by us."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity
from pytest_sre.stack import templates
from pytest_sre.stack.backend import Stack
from pytest_sre.timemachine.states import Labeller, alert_labels

_BY_VALUE = re.compile(r"\$value|\.Value|\bquery\b|\bnow\b")
_Key = tuple[Rule, Labels, str]


@dataclass(slots=True)
class AlertLabels:
    """Labels of the alerts of rules, rendered in batches; ``external_url`` is Prometheus' own.

    ``special`` has the external labels and URL of rules that have others.
    """

    stack: Stack
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    special: Mapping[Rule, tuple[Mapping[str, str], str]] = field(default_factory=dict)
    _known: dict[_Key, Labels] = field(default_factory=dict)

    def of(self, rule: Rule, activity: Activity) -> Labeller:
        """How the samples of an activity are labelled. Raises StackError."""
        if not _templated(rule):
            return alert_labels(rule)
        self.prepare([(rule, activity)])
        return lambda sample, value: self._known[self._key(rule, sample, value)]

    def prepare(self, activities: Iterable[tuple[Rule, Activity]]) -> None:
        """Render all that will be asked for at once. Raises StackError."""
        wanted: dict[_Key, float] = {}
        for rule, activity in activities:
            if _templated(rule):
                wanted.update(self._wanted(rule, activity))
        fresh = [(key, value) for key, value in wanted.items() if key not in self._known]
        if not fresh:
            return
        requests = [self._request(rule, sample, value) for (rule, sample, _), value in fresh]
        for (key, _), rendered in zip(fresh, templates.render(self.stack, requests), strict=True):
            self._known[key] = tuple(sorted(rendered.labels.items()))

    def _wanted(self, rule: Rule, activity: Activity) -> Iterator[tuple[_Key, float]]:
        for row in activity.rows:
            for value in dict.fromkeys(row.values):
                yield self._key(rule, row.labels, value), value

    def _key(self, rule: Rule, sample: Labels, value: float) -> _Key:
        return rule, sample, repr(value) if by_value(rule) else ""

    def _request(self, rule: Rule, sample: Labels, value: float) -> templates.Request:
        labels, url = self.special.get(rule, (self.external_labels, self.external_url))
        external = tuple(sorted((key, str(text)) for key, text in labels.items()))
        return templates.Request(tuple(rule.labels.items()), (), sample, value, rule.name, external, url)


def by_value(rule: Rule) -> bool:
    """Whether a label may be another one for another value."""
    return any(_BY_VALUE.search(text) for text in rule.labels.values() if "{{" in text)


def _templated(rule: Rule) -> bool:
    return any("{{" in text for text in rule.labels.values())
