"""What an incident, and what the coverage of Alertmanager's configuration, hang on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.changed.expression import normal
from pytest_sre.changed.facts import Facts, canonical
from pytest_sre.changed.meaning import Meanings
from pytest_sre.changed.side import Side
from pytest_sre.model.rules import Rule
from pytest_sre.sources.alert_labels import Labels
from pytest_sre.sources.alertmanager import parse_matchers
from pytest_sre.sources.incidents import AlertSpec, IncidentSpec, rules_of

_NUMBER = re.compile(r'("(?:\\.|[^"\\])*")|(?<![\w:.])[0-9](?:[\w.]|(?<=[eE])[+-])*')


def changed_incidents(old: Side, before: Meanings, new: Side, after: Meanings) -> Iterator[str]:
    """The names of incidents that say something else, or whose alerts may fire or be notified in another way."""
    known = {_said(spec, old, before) for spec in old.settings.file.incidents}
    for spec in new.settings.file.incidents:
        if old.unreadable or _said(spec, new, after) not in known:
            yield spec.name


def other_uses(old: Side, before: Meanings, new: Side, after: Meanings) -> bool:
    """Whether there are other alerts or routing tests, or such as may have other labels."""
    return bool(old.unreadable) or _uses(old, before) != _uses(new, after)


def _said(spec: IncidentSpec, side: Side, meanings: Meanings) -> str:
    silences = [sorted(map(str, parse_matchers(text))) for text in spec.silences]
    stated = [
        sorted(canonical([one.receiver, sorted(one.alerts)]) for one in spec.notifications),
        *(None if names is None else sorted(names) for names in (spec.inhibited, spec.silenced)),
    ]
    alerts = sorted(canonical(_alert(one, side, meanings)) for one in spec.alerts)
    return canonical([sorted(silences), stated, alerts])


def _alert(spec: AlertSpec, side: Side, meanings: Meanings) -> list[Any]:
    """An alert of an incident with all that acts on it; incidents give theirs labels of their own."""
    found = [spec.alert, spec.labels, spec.annotations]
    if spec.alert is None:
        return [*found, _values(meanings.routed(Labels(spec.labels, frozenset())))]
    rules = rules_of(spec.alert, side.inventory.rules)
    return [*found, *sorted(canonical(_acting(rule, spec.labels, meanings)) for rule in rules)]


def _acting(rule: Rule, given: Mapping[str, str], meanings: Meanings) -> list[Any]:
    labels = meanings.labels(rule)
    routed = meanings.routed(Labels({**labels.known, **given}, labels.possible))
    return [_values(meanings.firing(rule)), _values(routed)]


def _values(facts: Facts) -> list[str]:
    return sorted(canonical([key.aspect, key.name, fact.value]) for key, fact in facts.items())


def _uses(side: Side, meanings: Meanings) -> list[str]:
    alerts = [
        canonical([rule.name, _written(rule, meanings), sorted(behind)])
        for rule in side.inventory.rules
        if rule.kind == "alert"
        for behind in [[_written(one, meanings) for one in meanings.rules.closure(rule)]]
    ]
    tests = [canonical(test.labels) for test in side.settings.file.routing]
    common = [fact.value for key, fact in meanings.common.items() if key.aspect == "prometheus"]
    series = [
        canonical([one.alert, [s.series for s in one.input_series]]) for one in side.settings.file.series
    ]
    return [*sorted(alerts), "tests", *sorted(tests), "all", *common, "by hand", *sorted(series)]


def _written(rule: Rule, meanings: Meanings) -> str:
    """What a rule's labels hang on: not its thresholds, nor how far it looks back."""
    shape = _NUMBER.sub(lambda found: found[1] or "0", normal(rule.expr))
    return canonical([shape, {**meanings.rules.labels(rule), **rule.labels}])
