"""Which labels an alert will have, as far as that can be told without firing it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pytest_sre.model.routing import Matcher
from pytest_sre.model.rules import Rule
from pytest_sre.promql.result_labels import mentioned_labels, result_labels
from pytest_sre.sources.prometheus import PrometheusConfig


@dataclass(frozen=True, slots=True)
class Labels:
    """``known`` values ("" is no such label); ``possible`` are the other labels that there may be, None: any."""

    known: Mapping[str, str]
    possible: frozenset[str] | None

    def value(self, label: str) -> str | None:
        """A label's value, "" where there is no such label, None where it can't be told."""
        if label in self.known:
            return self.known[label]
        return None if self.possible is None or label in self.possible else ""


def static_labels(rule: Rule, group_labels: Mapping[str, str], prometheus: PrometheusConfig) -> Labels:
    """The labels of an alert as Alertmanager receives it."""
    own = {**group_labels, **rule.labels}
    possible, mentioned = result_labels(rule.expr), mentioned_labels(rule.expr)
    templated = {name for name, value in own.items() if "{{" in value}
    known = {name: value for name, value in own.items() if name not in templated}
    known["alertname"] = rule.name
    if possible is not None:
        possible = (possible | templated) - known.keys()
    external = prometheus.globals.get("external_labels") or {}
    for name, value in external.items() if isinstance(external, Mapping) else ():
        in_series = mentioned is None or name in mentioned or (possible is not None and name in possible)
        if name not in own and not in_series and "$" not in str(value):
            known[name] = str(value)
        elif name not in known and possible is not None:
            possible |= {name}
    relabelled = [*prometheus.alert_relabel_configs, *sum(prometheus.alertmanager_relabel_configs, ())]
    return _after_relabelling(_without(known, templated), possible, relabelled)


def decide(matcher: Matcher, value: str | None) -> bool | None:
    """Whether a matcher holds; None where the value, or what Go makes of the expression, isn't known."""
    if value is None:
        return None
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    pattern = _compiled(matcher.value)
    return None if pattern is None else (pattern.fullmatch(value) is not None) == (matcher.op == "=~")


@lru_cache(maxsize=20_000)
def _compiled(text: str) -> re.Pattern[str] | None:
    """Kept here, because `re` keeps a few hundred only and a big routing tree has more."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _without(known: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    left_out = set(names)
    return {name: value for name, value in known.items() if name not in left_out}


def _after_relabelling(
    known: dict[str, str], possible: frozenset[str] | None, configs: Iterable[Any]
) -> Labels:
    """What relabelling may touch isn't known any more."""
    for config in configs:
        action = str(config.get("action", "replace")).lower() if isinstance(config, Mapping) else "labelmap"
        if action in ("keep", "drop", "keepequal", "dropequal"):
            continue
        target = str(config.get("target_label", "")) if isinstance(config, Mapping) else ""
        if action in ("labeldrop", "labelkeep"):
            touched = {name for name in known if _dropped(name, str(config.get("regex", "(.*)")), action)}
        elif action == "labelmap" or not target or "$" in target:
            return Labels({}, None)
        else:
            touched = {target}
        known = _without(known, touched)
        possible = None if possible is None else possible | touched
    return Labels(known, possible)


def _dropped(name: str, regex: str, action: str) -> bool:
    try:
        return (re.fullmatch(regex, name) is not None) == (action == "labeldrop")
    except re.error:
        return True
