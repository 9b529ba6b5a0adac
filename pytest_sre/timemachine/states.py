"""Alert state over virtual time, as Prometheus keeps it in memory.

Source: `AlertingRule.Eval` of https://github.com/prometheus/prometheus/blob/main/rules/alerting.go
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Active, Activity, AlertHistory, Period

Labeller = Callable[[Labels, float], Labels]
"""From a sample's labels and value to its alert's labels."""
_DUPLICATE = "vector contains metrics with the same labelset after applying alert labels"


_MILLISECONDS = 3
"""Digits: differences of times are rounded to what Prometheus counts in."""


@dataclass(slots=True)
class _Alert:
    labels: Labels
    sample: Labels
    value: float
    active_at: float
    fired_at: float | None = None
    kept_since: float | None = None

    @property
    def state(self) -> str:
        return "pending" if self.fired_at is None else "firing"


def alert_labels(rule: Rule) -> Labeller:
    """How the alerts of a rule without templated labels are labelled."""
    own = {**rule.labels, "alertname": rule.name}

    @cache
    def merged(sample: Labels) -> Labels:
        pairs = {key: text for key, text in sample if key != "__name__"} | own
        return tuple(sorted((key, text) for key, text in pairs.items() if text))

    return lambda sample, _: merged(sample)


def history(
    rule: Rule, activity: Activity, labels: Labeller, *, limit: int = 0, looks: Collection[float] = ()
) -> AlertHistory:
    """The stays of a rule's alerts.

    ``limit`` is the group's (0: none), ``looks`` the ticks at which all active alerts are wanted.
    """
    memory = Memory(rule, limit)
    errors = dict(activity.errors)
    shown: dict[float, tuple[Active, ...]] = {}
    present = _by_tick(activity)
    wanted = frozenset(looks)
    for tick in activity.ticks if present or wanted else ():
        samples = present.get(tick, ())
        if (samples or memory.active) and tick not in errors:
            trouble = memory.step(tick, samples, labels)
            if trouble:
                errors[tick] = trouble
        if tick in wanted:
            shown[tick] = tuple(memory.shown())
    return AlertHistory(rule, tuple(memory.stays()), shown, errors)


def _by_tick(activity: Activity) -> dict[float, list[tuple[Labels, float]]]:
    found: dict[float, list[tuple[Labels, float]]] = {}
    for row in activity.rows:
        for time, value in zip(row.times, row.values, strict=True):
            found.setdefault(time, []).append((row.labels, value))
    return found


@dataclass(slots=True)
class Memory:
    """What Prometheus remembers of one rule's alerts; ``limit`` is the group's (0: none)."""

    rule: Rule
    limit: int = 0
    active: dict[Labels, _Alert] = field(default_factory=dict)
    _past: list[Period] = field(default_factory=list)

    def step(self, tick: float, samples: Iterable[tuple[Labels, float]], labels: Labeller) -> str:
        """One evaluation that gave ``samples``; returns what Prometheus would report as its error."""
        results: dict[Labels, tuple[Labels, float]] = {}
        for sample, value in samples:
            key = labels(sample, value)
            if key in results:
                return _DUPLICATE
            results[key] = (sample, value)
        for key, (sample, value) in results.items():
            alert = self.active.get(key)
            if alert is None:
                alert = self.active[key] = _Alert(key, sample, value, tick)
            alert.sample, alert.value, alert.kept_since = sample, value, None
        for key in self.active.keys() - results.keys():
            if not self._kept(self.active[key], tick):
                self._past.append(_stay(self.active.pop(key), tick))
        for alert in self.active.values():
            if alert.fired_at is None and round(tick - alert.active_at, _MILLISECONDS) >= self.rule.hold:
                alert.fired_at = tick
        count = len(self.active)
        if self.limit and count > self.limit:
            self._forget(tick)
            return f"exceeded limit of {self.limit} with {count} alerts"
        return ""

    def _kept(self, alert: _Alert, tick: float) -> bool:
        """Whether `keep_firing_for` holds an alert whose expression has no result any more."""
        if alert.fired_at is None or not self.rule.keep_firing_for:
            return False
        if alert.kept_since is None:
            alert.kept_since = tick
        return round(tick - alert.kept_since, _MILLISECONDS) < self.rule.keep_firing_for

    def _forget(self, tick: float) -> None:
        """Above the limit all alerts are gone; nobody ever sees what became of them at this tick."""
        for alert in self.active.values():
            if alert.active_at < tick:
                alert.fired_at = None if alert.fired_at == tick else alert.fired_at
                self._past.append(_stay(alert, tick))
        self.active.clear()

    def shown(self) -> Iterator[Active]:
        """The alerts as they are now."""
        for alert in self.active.values():
            yield Active(alert.labels, alert.sample, alert.value, alert.state, alert.active_at)

    def stays(self) -> list[Period]:
        """All stays so far, by their beginning; those that last have no end."""
        still = (_stay(alert, None) for alert in self.active.values())
        return sorted((*self._past, *still), key=lambda one: (one.active_at, one.labels))


def _stay(alert: _Alert, ended: float | None) -> Period:
    return Period(alert.labels, alert.active_at, alert.fired_at, ended)
