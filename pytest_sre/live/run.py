"""The flow of one run: check files, plan, fire, deliver, observe."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from pytest_sre.errors import FileError, StackError
from pytest_sre.live import fire as fires
from pytest_sre.live import page as pages
from pytest_sre.live.fire import Fire, Kindling
from pytest_sre.live.page import Delivery, Office, Wave
from pytest_sre.live.units import Asked, other_rules, unit_job
from pytest_sre.model.observation import (
    AlertObservation,
    Change,
    FileVerdict,
    FiredAlert,
    Observations,
    TimedObservation,
)
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Plan, Series
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.unittest import UnitKey, UnitObservation
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Settings
from pytest_sre.sources import duration, notation
from pytest_sre.sources.discover import Inventory
from pytest_sre.stack import alertmanager, backends, rulecopy
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.prometheus import RuleState
from pytest_sre.stack.sink import PostedAlert, Sink
from pytest_sre.synthesis.planner import plan as make_plan
from pytest_sre.timemachine import run as timemachine
from pytest_sre.timemachine.replay import replay
from pytest_sre.timemachine.run import TimeJob

_K = TypeVar("_K")
_V = TypeVar("_V")
SEND_QUIET = 5.0  # seconds: five resends without anything new mean that all was sent
NOTIFIER_DELAY = 6.0  # seconds: Prometheus tells its notifier where Alertmanager is 5 s after it starts


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """What is asked of a run: which alerts, and whether anything must be fired or delivered for them.

    ``timed`` alerts go through their scenarios on virtual time, also at the error ratios of ``slos`` and ``policy``;
    ``plots`` says whether data for plots are wanted. ``units`` are files of unit tests, with those tests that are asked.
    """

    settings: Settings
    inventory: Inventory
    alerts: tuple[Rule, ...]
    fire: bool
    deliver: bool
    tell: Callable[[str], None]
    timed: tuple[Rule, ...] = ()
    slos: tuple[Slo, ...] = ()
    policy: tuple[PolicyEntry, ...] = ()
    plots: bool = False
    units: tuple[Asked, ...] = ()


@dataclass(slots=True)
class _Run:
    """What a run has found out so far."""

    files: dict[str, FileVerdict] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    alerts: dict[Rule, AlertObservation] = field(default_factory=dict)
    timed: dict[Rule, TimedObservation] = field(default_factory=dict)
    units: dict[UnitKey, UnitObservation] = field(default_factory=dict)


def observe(job: Job, folder: Path, opened: Callable[[Stack], None]) -> Observations:
    """Run the whole flow once, with files in ``folder``; raises StackError for what is no verdict.

    ``opened`` is given the stack, which others may close at any time.
    """
    run = _Run()
    keep = job.settings.keep
    with backends.open_stack(job.settings.file.servers, folder, keep=keep, tell=job.tell) as stack:
        opened(stack)
        _observe(job, run, stack, folder)
        for line in stack.kept() if keep else ():
            job.tell(f"kept: {line}\n")
        return Observations(
            run.alerts, run.files, tuple(run.changes), dict(stack.versions), run.seconds, run.timed, run.units
        )


def _observe(job: Job, run: _Run, stack: Stack, folder: Path) -> None:
    started = time.monotonic()
    index = _load(job, run, stack, folder)
    if not job.fire:
        with _beside(job, run, index, stack, folder):
            _open(job, run, stack, folder)
        return
    loadable = [rule for rule in job.alerts if not _broken(run, rule)]
    job.tell(f"making series for {len(loadable)} alerts")
    plan = make_plan(
        loadable,
        index,
        lookback=duration.seconds(job.settings.file.servers.prometheus.lookback_delta),
        by_hand=_by_hand(job.settings, loadable),
        types=job.inventory.snapshots.types,
    )
    run.seconds["plan"] = time.monotonic() - started
    for failed in plan.unproven:
        run.alerts[failed.alert] = AlertObservation(failed.alert, failed)
    kindling = Kindling(
        stack,
        job.settings.file.servers.prometheus,
        job.inventory.prometheus,
        job.inventory,
        index,
    )
    burning = _light(job, run, kindling, plan, folder)
    with _beside(job, run, index, stack, folder):
        # While Prometheus evaluates, and waits until it tells its notifier where Alertmanager is.
        office, wave = _open(job, run, stack, folder)
        posted = _gather(job, run, stack, burning)
        run.seconds["fired"] = time.monotonic() - started
        if office is not None and wave is not None:
            _deliver(job, run, office, wave, posted)
        run.seconds["delivered"] = time.monotonic() - started


def _deliver(
    job: Job, run: _Run, office: Office, wave: Wave, posted: Mapping[Rule, list[PostedAlert | None]]
) -> None:
    told = {rule: [alert for alert in alerts if alert is not None] for rule, alerts in posted.items()}
    told = {rule: alerts for rule, alerts in told.items() if alerts}
    delivered = pages.deliver(
        office, wave, told, lambda done, all_: job.tell(f"delivered {done} of {all_} alerts")
    )
    for rule, delivery in delivered.items():
        run.alerts[rule] = _with_delivery(run.alerts[rule], delivery)


@contextlib.contextmanager
def _beside(job: Job, run: _Run, index: RuleIndex, stack: Stack, folder: Path) -> Iterator[None]:
    """Let the time machine run while the block does, and unit tests; in the end all are done."""
    alerts = tuple(rule for rule in job.timed if not _broken(run, rule))
    failed = threading.Event()

    def tell(text: str) -> None:
        if failed.is_set():
            raise StackError("the run is being ended")
        job.tell(text)

    asked = TimeJob(job.settings, job.inventory, index, alerts, job.slos, job.policy, job.plots, tell)
    with ThreadPoolExecutor(2, "sre-time") as pool:
        answers = []
        if alerts:
            ask = partial(timemachine.observe, asked, stack, folder / "timemachine")
            answers.append(pool.submit(_timed, run.seconds, "timed", run.timed, ask))
        settings = job.settings.file.servers.prometheus
        if unit := unit_job(job.units, job.inventory.root, settings, run.files, tell):
            ask_unit = partial(replay, unit, stack, folder / "units")
            answers.append(pool.submit(_timed, run.seconds, "units", run.units, ask_unit))
        try:
            yield
        except BaseException:
            failed.set()  # it ends where it next says how far it is
            raise
        for answer in answers:
            answer.result()


def _timed(
    seconds: dict[str, float], name: str, into: dict[_K, _V], make: Callable[[], dict[_K, _V]]
) -> None:
    began = time.monotonic()
    into.update(make())
    seconds[name] = time.monotonic() - began


def _load(job: Job, run: _Run, stack: Stack, folder: Path) -> RuleIndex:
    flags = job.settings.file.servers.prometheus.feature_flags
    own = job.inventory.rule_files
    files = [*own, *other_rules(job.units, job.inventory.root, own)]
    if files:
        job.tell(f"promtool checks {len(files)} rule files")
        verdicts = rulecopy.check(stack, files, flags, folder)
        run.files.update((verdict.path, verdict) for verdict in verdicts)
    return RuleIndex(rule for rule in job.inventory.rules if not _broken(run, rule))


def _broken(run: _Run, rule: Rule) -> bool:
    verdict = run.files.get(rule.location.path)
    return verdict is not None and bool(verdict.error)


def _open(job: Job, run: _Run, stack: Stack, folder: Path) -> tuple[Office | None, Wave | None]:
    """Start Alertmanager on the safe copy; what is wrong with the configuration becomes its file's verdict."""
    routing = job.inventory.routing
    if routing is None or not job.deliver:
        return None, None
    settings = job.settings.file.servers.alertmanager
    office = Office(stack, settings, routing, folder, job.settings.keep)
    try:
        wave, changes = pages.open_office(office, "wave0")
    except pages.NotLoaded as error:
        run.files[routing.path] = error.verdict
        return None, None
    except FileError as error:
        run.files[routing.path] = FileVerdict(routing.path, error.line, error.reason)
        return None, None
    warnings = alertmanager.load_warnings(wave.server, routing)
    run.files[routing.path] = FileVerdict(routing.path, warnings=warnings)
    run.changes += changes
    return office, wave


def _by_hand(settings: Settings, alerts: Iterable[Rule]) -> dict[Rule, tuple[Series, ...]]:
    result: dict[Rule, tuple[Series, ...]] = {}
    for entry in settings.file.series:
        path, _, name = entry.alert.rpartition("::")
        interval = duration.seconds(entry.interval)
        series = tuple(
            Series(
                notation.parse_series(one.series),
                notation.samples(notation.parse_values(one.values), interval),
            )
            for one in entry.input_series
        )
        for rule in alerts:
            if rule.name == name and path in ("", rule.location.path):
                result[rule] = series
    return result


def _light(job: Job, run: _Run, kindling: Kindling, plan: Plan, folder: Path) -> list[Fire]:
    """Start a Prometheus for each batch."""
    burning: list[Fire] = []
    for number, batch in enumerate(plan.batches):
        job.tell(f"starting Prometheus {number + 1} of {len(plan.batches)}")
        burning.append(fires.light(kindling, batch, folder / f"prometheus-{number}", f"prometheus-{number}"))
        run.changes += burning[-1].changes
    return burning


def _gather(
    job: Job, run: _Run, stack: Stack, burning: Iterable[Fire]
) -> dict[Rule, list[PostedAlert | None]]:
    """Wait until all batches fire; returns what Prometheus sent for each rule's alerts (None: not sent)."""
    posted: dict[Rule, list[PostedAlert | None]] = {}
    for one in burning:
        lit, states, after = _watch(job, stack, one)
        if job.deliver:
            job.tell("waiting for Prometheus to send its alerts")
            _wait_sent(stack, lit, states)
        sent = _sent(lit, states, stack.sink, job.inventory.prometheus.globals.get("external_labels") or {})
        plans = {scenario.alert: scenario for scenario in lit.batch.scenarios}
        for rule, state in states.items():
            shown = [alert for alert in state.alerts if alert["state"] == "firing"]
            posted[rule] = sent[rule]
            run.alerts[rule] = AlertObservation(
                rule,
                plans[rule],
                state.state,
                state.error,
                after.get(rule),
                tuple(
                    FiredAlert(
                        a["labels"],
                        a["annotations"],
                        str(a["value"]),
                        a["activeAt"],
                        to.labels if to else None,
                    )
                    for a, to in zip(shown, sent[rule], strict=True)
                ),
            )
        if not job.settings.keep:
            stack.stop(lit.server)
    return posted


def _watch(job: Job, stack: Stack, fire: Fire) -> tuple[Fire, dict[Rule, RuleState], dict[Rule, float]]:
    def tell(firing: int, of: int) -> None:
        job.tell(f"{firing} of {of} alerts fire")

    fire, states, after = fires.watch(stack, fire, tell)
    pending = fires.held_back(fire, states)
    if not pending:
        return fire, states, after
    job.tell(f"restoring `for` of {len(pending)} alerts once more")
    return fires.watch(stack, fires.relight(stack, fire, pending), tell)


def _wait_sent(stack: Stack, fire: Fire, states: Mapping[Rule, RuleState]) -> None:
    firing = sum(alert["state"] == "firing" for state in states.values() for alert in state.alerts)
    count, since = -1, time.monotonic()
    while firing:
        stack.check(fire.server)
        now = len(_posted(fire, stack.sink))
        if now != count:
            count, since = now, time.monotonic()
        quiet = (
            time.monotonic() - since > SEND_QUIET and time.time() - fire.ready > NOTIFIER_DELAY + SEND_QUIET
        )
        if now >= firing or quiet:
            return
        time.sleep(0.05)


def _posted(fire: Fire, sink: Sink) -> dict[frozenset[tuple[str, str]], PostedAlert]:
    found: dict[frozenset[tuple[str, str]], PostedAlert] = {}
    number = 0
    while True:
        alerts = sink.posted(f"{fire.name}-{number}")
        if not alerts and number:
            return found
        found.update((frozenset(alert.labels.items()), alert) for alert in alerts)
        number += 1


def _sent(
    fire: Fire, states: Mapping[Rule, RuleState], sink: Sink, external: Mapping[str, str]
) -> dict[Rule, list[PostedAlert | None]]:
    """What was sent for each firing alert: found by labels, or where relabelling changed them, by expression.

    Among several alerts of one expression the one that shares most labels and annotations is taken.
    """
    posted = _posted(fire, sink)
    free = dict(posted)
    result: dict[Rule, list[PostedAlert | None]] = {}
    relabelled: list[tuple[Rule, int, Mapping[str, Any]]] = []
    for rule, state in states.items():
        result[rule] = []
        for alert in state.alerts:
            if alert["state"] != "firing":
                continue
            exact = posted.get(frozenset({**external, **alert["labels"]}.items()))
            if exact is None:
                relabelled.append((rule, len(result[rule]), alert))
            else:
                free.pop(frozenset(exact.labels.items()), None)
            result[rule].append(exact)
    by_query: dict[str, list[PostedAlert]] = {}
    for one in free.values():
        by_query.setdefault(parse_qs(urlsplit(one.generator_url).query).get("g0.expr", [""])[0], []).append(
            one
        )
    for rule, place, alert in relabelled:
        candidates = by_query.get(states[rule].query)
        if candidates:
            best = max(candidates, key=lambda one: _likeness(one, alert))
            candidates.remove(best)
            result[rule][place] = best
    return result


def _likeness(posted: PostedAlert, alert: Mapping[str, Any]) -> tuple[int, int]:
    labels = posted.labels.items() & alert["labels"].items()
    return len(labels), len(posted.annotations.items() & alert["annotations"].items())


def _with_delivery(observation: AlertObservation, delivery: Delivery) -> AlertObservation:
    by_labels = {frozenset(alert["labels"].items()): alert for alert in delivery.alerts}
    fired = []
    for one in observation.fired:
        shown = by_labels.get(frozenset((k, v) for k, v in (one.sent_labels or {}).items() if v))
        if shown is not None:
            one = replace(
                one,
                fingerprint=shown["fingerprint"],
                receivers=tuple(sorted(receiver["name"] for receiver in shown["receivers"])),
                inhibited_by=tuple(shown["status"]["inhibitedBy"]),
                silenced_by=tuple(shown["status"]["silencedBy"]),
            )
        fired.append(one)
    return replace(
        observation,
        fired=tuple(fired),
        notifications=delivery.notifications,
        send_errors=delivery.errors,
        inhibited_together=delivery.inhibited_together,
    )
