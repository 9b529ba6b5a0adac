"""Make alerts fire in the real Prometheus, unmodified and without waiting for their `for`.

How: history is in place before Prometheus starts, and with it the state from which it restores pending alerts after
their second evaluation. Where the predicted labels were wrong, the state is written from the labels that Prometheus
shows, and it is started once more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sre.live import native, recorded
from pytest_sre.model.observation import Change
from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Value
from pytest_sre.model.scenario import Batch, Labels
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import prometheus, remote_write, rulecopy
from pytest_sre.stack.backend import Server, Stack, answering
from pytest_sre.stack.prometheus import RuleState
from pytest_sre.stack.rulecopy import RuleCopies
from pytest_sre.timemachine.engine import Engine, open_engine

MARGIN = 60.0  # seconds that a restored alert is past its `for`
EVALUATIONS = 4  # of its group: one that doesn't fire by then (restored after the second) does not fire
RULES_PER_SECOND = 1500  # what Prometheus evaluates on one core with room to spare (0.45 ms of CPU a rule)
SAFETY_TIMEOUT = 300.0  # seconds; the series go on for 540


@dataclass(frozen=True, slots=True, eq=False)
class Fire:
    """A Prometheus in which a batch burns: ready since ``ready`` (seconds since the epoch)."""

    batch: Batch
    copies: RuleCopies
    name: str
    server: Server
    began: float
    ready: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kindling:
    """What every batch of a run needs."""

    stack: Stack
    settings: PrometheusServer
    config: PrometheusConfig
    inventory: Inventory
    index: RuleIndex


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a batch's Prometheus starts with; ``began`` in seconds since the epoch, ``history`` is still to be written."""

    copies: RuleCopies
    changes: tuple[Change, ...]
    began: float
    history: tuple[native.Written, ...] = ()


def prepare(kindling: Kindling, batch: Batch, folder: Path, name: str) -> Prepared:
    """Write rules, configuration and history of a batch."""
    folder.mkdir()
    stack = kindling.stack
    selected = [scenario.alert for scenario in batch.scenarios]
    needed = {rule for alert in selected for rule in kindling.index.closure(alert)}
    least = math.ceil((len(selected) + len(needed)) / RULES_PER_SECOND)
    # A chain over n groups needs n evaluations; `for` is restored after an alert's second.
    intervals = {rule: float(least) for rule in needed}
    intervals |= {alert: float(max(1, kindling.index.depth(alert)) * least) for alert in selected}
    files = kindling.inventory.rule_files
    copies = rulecopy.write(files, selected, needed, intervals, folder / "rules")
    path, changes = prometheus.write_config(kindling.config, stack.sink.address, name, folder)
    prometheus.check_config(stack, kindling.config, path)
    began = float(int(time.time()))
    states = {
        labels: began - scenario.alert.hold - MARGIN
        for scenario in batch.scenarios
        if scenario.alert.hold and not rulecopy.templated(scenario.alert)
        for labels in scenario.expected
    }
    past = recorded.history(batch, kindling.index, began, lambda: _engine(kindling, batch, folder, name))
    changed = (*copies.changes, *changes, *past.changes)
    if native.has_histograms(batch):
        before = native.history((*batch.series, *past.series), states, began)
        return Prepared(copies, (*changed, native.CHANGE), began, tuple(before))
    prometheus.write_history(stack, (*batch.series, *past.series), states, began, folder)
    return Prepared(copies, changed, began)


def _engine(kindling: Kindling, batch: Batch, folder: Path, name: str) -> AbstractContextManager[Engine]:
    settings, any_time = native.settings(kindling.settings, batch)
    beside = folder.with_name(f"{name}-recorded")
    return open_engine(
        kindling.stack, settings, beside, beside.name, kindling.config.globals, any_time=any_time
    )


def light(kindling: Kindling, batch: Batch, folder: Path, name: str) -> Fire:
    """Prepare a batch and start its Prometheus; raises StackError."""
    made = prepare(kindling, batch, folder, name)
    settings, any_time = native.settings(kindling.settings, batch)
    server = prometheus.start(kindling.stack, settings, folder, name, any_time=any_time)
    ready = time.time()
    with kindling.stack.session() as client, answering(server):
        remote_write.write(client, server.url, made.history)
        remote_write.write_free(client, server.url, _top_up(batch, made.began))
    return Fire(batch, made.copies, name, server, made.began, ready, made.changes)


def _top_up(batch: Batch, began: float) -> list[tuple[Labels, list[tuple[float, Value]]]]:
    ahead = [
        (one.labels, [(began + when, value) for when, value in one.samples if when > 0])
        for one in batch.series
    ]
    return [(labels, samples) for labels, samples in ahead if samples]


def watch(
    stack: Stack, fire: Fire, tell: Callable[[int, int], None]
) -> tuple[Fire, dict[Rule, RuleState], dict[Rule, float]]:
    """Wait until every alert of the batch fires or evidently does not.

    ``tell`` is given the count of firing alerts and of all. Returns the fire (another one where Prometheus had to be
    started again), each alert's last state, and seconds from readiness to firing. Raises StackError.
    """
    after: dict[Rule, float] = {}
    evaluated: dict[Rule, set[str]] = {}
    deadline = time.monotonic() + SAFETY_TIMEOUT
    with stack.session() as client:
        while True:
            looking = time.monotonic()
            shown = prometheus.rule_states(client, fire.server)
            states = {rule: shown[place] for place, rule in fire.copies.places.items() if place in shown}
            for rule, state in states.items():
                evaluated.setdefault(rule, set()).add(state.evaluated)
                if state.state == "firing":
                    after.setdefault(rule, time.time() - fire.ready)
            tell(len(after), len(fire.copies.places))
            settled = all(rule in after or len(evaluated[rule]) > EVALUATIONS for rule in states)
            if (settled and states) or time.monotonic() > deadline:
                return fire, states, after
            # Thousands of alerts take long to tell: at most half of the time is spent on that.
            time.sleep(max(0.3, time.monotonic() - looking))


def held_back(fire: Fire, states: Mapping[Rule, RuleState]) -> dict[Rule, RuleState]:
    """Alerts whose expression holds but whose `for` was not restored: their labels were not as predicted."""
    return {rule: state for rule, state in states.items() if state.state == "pending" and rule.hold}


def relight(stack: Stack, fire: Fire, pending: Mapping[Rule, RuleState]) -> Fire:
    """Write the state of pending alerts with the labels that Prometheus itself shows, and start it once more."""
    now = time.time()
    states = [
        prometheus.state_series(tuple(sorted(alert["labels"].items())), now - rule.hold - MARGIN, now)
        for rule, state in pending.items()
        for alert in state.alerts
    ]
    with stack.session() as client, answering(fire.server):
        remote_write.write_free(client, fire.server.url, list(dict(states).items()))
    server = stack.restart(fire.server)
    return replace(fire, server=server, ready=time.time())
