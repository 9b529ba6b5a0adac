"""Alert state over virtual time, as Prometheus keeps it in memory.

Source: `AlertingRule.Eval` of https://github.com/prometheus/prometheus/blob/main/rules/alerting.go
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Active, Activity, AlertHistory, Period

Labeller = Callable[[Labels, float], Labels]
"""From a sample's labels and value to its alert's labels."""
_DUPLICATE = "vector contains metrics with the same labelset after applying alert labels"


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


@dataclass(slots=True)
class _Memory:
    rule: Rule
    active: dict[Labels, _Alert] = field(default_factory=dict)
    periods: list[Period] = field(default_factory=list)

    def end(self, alert: _Alert, at: float | None) -> None:
        self.periods.append(Period(alert.labels, alert.active_at, alert.fired_at, at))


def alert_labels(rule: Rule) -> Labeller:
    """How the alerts of a rule without templated labels are labelled."""
    own = {**rule.labels, "alertname": rule.name}

    def labels(sample: Labels, value: float) -> Labels:
        merged = {key: text for key, text in sample if key != "__name__"} | own
        return tuple(sorted((key, text) for key, text in merged.items() if text))

    return labels


def history(
    rule: Rule, activity: Activity, labels: Labeller, *, limit: int = 0, looks: Collection[float] = ()
) -> AlertHistory:
    """The stays of a rule's alerts.

    ``limit`` is the group's (0: none), ``looks`` the ticks at which all active alerts are wanted.
    """
    memory = _Memory(rule)
    errors = dict(activity.errors)
    shown: dict[float, tuple[Active, ...]] = {}
    present = _by_tick(activity)
    for tick in activity.ticks:
        samples = present.get(tick, [])
        if (samples or memory.active) and tick not in errors:
            trouble = _step(memory, tick, samples, labels, limit)
            if trouble:
                errors[tick] = trouble
        if tick in looks:
            shown[tick] = tuple(_shown(memory))
    for alert in memory.active.values():
        memory.end(alert, None)
    periods = sorted(memory.periods, key=lambda one: (one.active_at, one.labels))
    return AlertHistory(rule, tuple(periods), shown, errors)


def _by_tick(activity: Activity) -> dict[float, list[tuple[Labels, float]]]:
    found: dict[float, list[tuple[Labels, float]]] = {}
    for row in activity.rows:
        for time, value in zip(row.times, row.values, strict=True):
            found.setdefault(time, []).append((row.labels, value))
    return found


def _step(
    memory: _Memory, tick: float, samples: list[tuple[Labels, float]], labels: Labeller, limit: int
) -> str:
    """One evaluation; returns what Prometheus would report as its error."""
    results: dict[Labels, tuple[Labels, float]] = {}
    for sample, value in samples:
        key = labels(sample, value)
        if key in results:
            return _DUPLICATE
        results[key] = (sample, value)
    for key, (sample, value) in results.items():
        alert = memory.active.get(key)
        if alert is None:
            memory.active[key] = _Alert(key, sample, value, tick)
        else:
            alert.sample, alert.value = sample, value
    for key, alert in list(memory.active.items()):
        if key in results:
            alert.kept_since = None
        elif not _kept(memory.rule, alert, tick):
            del memory.active[key]
            memory.end(alert, tick)
            continue
        if alert.fired_at is None and tick - alert.active_at >= memory.rule.hold:
            alert.fired_at = tick
    if limit and len(memory.active) > limit:
        count = len(memory.active)
        for alert in memory.active.values():
            memory.end(alert, tick)
        memory.active.clear()
        return f"exceeded limit of {limit} with {count} alerts"
    return ""


def _kept(rule: Rule, alert: _Alert, tick: float) -> bool:
    """Whether `keep_firing_for` holds an alert whose expression has no result any more."""
    if alert.fired_at is None or not rule.keep_firing_for:
        return False
    if alert.kept_since is None:
        alert.kept_since = tick
    return tick - alert.kept_since < rule.keep_firing_for


def _shown(memory: _Memory) -> Iterator[Active]:
    for alert in memory.active.values():
        yield Active(alert.labels, alert.sample, alert.value, alert.state, alert.active_at)
