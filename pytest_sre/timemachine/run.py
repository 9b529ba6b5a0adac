"""The time machine's part of a run: every alert through its scenarios on virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Settings
from pytest_sre.sources import duration
from pytest_sre.sources.discover import Inventory
from pytest_sre.stack.backend import Stack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Question, questions, slo_questions
from pytest_sre.timemachine.schedule import Schedule

NO_ROOM = "the past since 1971 is not long enough for all scenarios; test fewer alerts at once"
BY_HAND = "its series are given by hand: they say what fires it, not what is healthy"


@dataclass(frozen=True, slots=True, eq=False)
class TimeJob:
    """What is asked: these alerts, and where ``plots`` are wanted the data for them."""

    settings: Settings
    inventory: Inventory
    index: RuleIndex
    alerts: tuple[Rule, ...]
    slos: tuple[Slo, ...]
    policy: tuple[PolicyEntry, ...]
    plots: bool
    tell: Callable[[str], None]


def observe(job: TimeJob, stack: Stack, folder: Path) -> dict[Rule, TimedObservation]:
    """What each alert did. Raises StackError."""
    lookback = duration.seconds(job.settings.file.servers.prometheus.lookback_delta)
    globals_ = job.inventory.prometheus.globals
    schedule = Schedule(job.inventory.rule_files, globals_, job.index)
    now = float(int(time.time()))
    contrasts = [
        _contrast(job, rule, str(number), lookback, now) for number, rule in enumerate(job.alerts, 1)
    ]
    asked = [
        one
        for rule, found in zip(job.alerts, contrasts, strict=True)
        if isinstance(found, Contrast)
        for one in _questions(job, rule, found, schedule, lookback, now)
    ]
    with open_engine(stack, job.settings.file.servers.prometheus, folder, folder.name, globals_) as engine:
        url = job.settings.file.servers.prometheus.external_url or ""
        labels = AlertLabels(stack, globals_.get("external_labels") or {}, url)
        machine = Machine(engine, schedule, labels, lookback, job.plots)
        passages = ask(machine, asked, lambda done, of: job.tell(f"virtual time: {done} of {of} scenarios"))
    found = dict(zip(job.alerts, contrasts, strict=True))
    seen: dict[Rule, list[Passage | None]] = {rule: [] for rule in job.alerts}
    for question, passage in zip(asked, passages, strict=True):
        seen[question.rule].append(passage)
    return {rule: _observed(rule, found[rule], some) for rule, some in seen.items()}


def _contrasts(job: TimeJob, lookback: float, now: float) -> Iterator[Contrast | str]:
    for number, rule in enumerate(job.alerts, 1):
        job.tell(f"virtual time: making data for alert {number} of {len(job.alerts)}")
        yield _contrast(job, rule, str(number), lookback, now)


def _contrast(job: TimeJob, rule: Rule, serial: str, lookback: float, now: float) -> Contrast | str:
    by_hand = {entry.alert for entry in job.settings.file.series}
    if by_hand & {rule.name, f"{rule.location.path}::{rule.name}"}:
        return BY_HAND
    found = contrast(
        rule,
        job.index,
        types=job.inventory.snapshots.types,
        now=now,
        lookback=lookback,
        serial=serial,
        error_share=job.settings.file.healthy_error_share,
    )
    if isinstance(found, Contrast):
        return found
    return found.reason + (f": {found.part}" if found.part and found.part != rule.expr else "")


def _questions(
    job: TimeJob, rule: Rule, found: Contrast, schedule: Schedule, lookback: float, now: float
) -> Iterator[Question]:
    yield from questions(rule, found, schedule, lookback, now)
    for slo in job.slos:
        yield from slo_questions(rule, found, slo, job.policy, schedule, lookback, now)


def _observed(rule: Rule, found: Contrast | str, passages: Sequence[Passage | None]) -> TimedObservation:
    if isinstance(found, str):
        return TimedObservation(rule, reason=found)
    kept = tuple(passage for passage in passages if passage is not None)
    return TimedObservation(rule, kept, "" if len(kept) == len(passages) else NO_ROOM, found.near_reason)
