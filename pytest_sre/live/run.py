"""The flow of one run: check files, plan, fire, deliver, observe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_sre.errors import FileError
from pytest_sre.live import ending, incident, native, runbook, sent
from pytest_sre.live import fire as fires
from pytest_sre.live import page as pages
from pytest_sre.live.beside import beside
from pytest_sre.live.fire import Fire, Kindling
from pytest_sre.live.job import Found, Job
from pytest_sre.live.page import Delivery, Office, Wave
from pytest_sre.model.observation import (
    AlertObservation,
    FileVerdict,
    FiredAlert,
    Observations,
)
from pytest_sre.model.routingtest import alert_key
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Plan, Series
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Settings
from pytest_sre.sources import duration, notation, unit_rules
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.incidents import rules_of
from pytest_sre.stack import alertmanager, backends, rulecopy
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.prometheus import RuleState
from pytest_sre.stack.sink import PostedAlert
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.planner import plan as make_plan
from pytest_sre.timemachine.schedule import default_interval


def observe(job: Job, folder: Path, opened: Callable[[Stack], None]) -> Observations:
    """Run the whole flow once, with files in ``folder``; raises StackError for what is no verdict.

    ``opened`` is given the stack, which others may close at any time.
    """
    run = Found(alerts=dict(job.known))
    keep = job.settings.keep
    with backends.open_stack(job.settings.file.servers, folder, keep=keep, tell=job.tell) as stack:
        opened(stack)
        _observe(job, run, stack, folder)
        ending.follow(job, run, stack, folder)
        incident.follow(job, run, stack, folder)
        for line in stack.kept() if keep else ():
            job.tell(f"kept: {line}\n")
        return Observations(
            run.alerts,
            run.files,
            tuple(run.changes),
            dict(stack.versions),
            run.seconds,
            run.timed,
            run.units,
            run.exported,
            run.ends,
            run.sides,
            run.incidents,
        )


def _observe(job: Job, run: Found, stack: Stack, folder: Path) -> None:
    started = time.monotonic()
    index = _load(job, run, stack, folder)
    if not job.fire:
        with beside(job, run, index, stack, folder):
            _open(job, run, stack, folder)
        return
    loadable = [rule for rule in job.alerts if not run.broken(rule)]
    job.tell(f"making series for {len(loadable)} alerts")
    plan = make_plan(
        loadable,
        index,
        lookback=duration.seconds(job.settings.file.servers.prometheus.lookback_delta),
        by_hand=_by_hand(job.settings, loadable),
        types=job.inventory.snapshots.types,
        real=Exposed(job.inventory.snapshots),
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
    with beside(job, run, index, stack, folder):
        # While Prometheus evaluates, and waits until it tells its notifier where Alertmanager is.
        office, wave = _open(job, run, stack, folder)
        posted = _gather(job, run, stack, burning)
        run.seconds["fired"] = time.monotonic() - started
        if office is not None and wave is not None:
            _deliver(job, run, office, wave, posted)
        run.seconds["delivered"] = time.monotonic() - started


def _deliver(
    job: Job, run: Found, office: Office, wave: Wave, posted: Mapping[Rule, list[PostedAlert | None]]
) -> None:
    told = {
        rule: [alert for alert in alerts if alert is not None]
        for rule, alerts in posted.items()
        if rule not in job.together
    }
    told = {rule: alerts for rule, alerts in told.items() if alerts}
    delivered = pages.deliver(
        office, wave, told, lambda done, all_: job.tell(f"delivered {done} of {all_} alerts")
    )
    for rule, delivery in delivered.items():
        run.alerts[rule] = _with_delivery(run.alerts[rule], delivery)


def _load(job: Job, run: Found, stack: Stack, folder: Path) -> RuleIndex:
    flags = job.settings.file.servers.prometheus.feature_flags
    known = {file.path for file in job.inventory.rule_files}
    others = unit_rules.read([unit for unit, _ in job.units], job.inventory.root).files
    files = [*job.inventory.rule_files, *(file for path, file in others.items() if path not in known)]
    if files:
        job.tell(f"promtool checks {len(files)} rule files")
        verdicts = rulecopy.check(stack, files, flags, folder)
        run.files.update((verdict.path, verdict) for verdict in verdicts)
    whole = (rule for rule in job.inventory.rules if not run.broken(rule))
    return RuleIndex(whole, _intervals(job.inventory))


def _intervals(inventory: Inventory) -> dict[Rule, float]:
    """Seconds between two evaluations of each rule in production."""
    default = default_interval(inventory.prometheus.globals)
    groups = [group for file in inventory.rule_files for group in file.groups]
    return {rule: group.interval or default for group in groups for rule in group.rules}


def _open(job: Job, run: Found, stack: Stack, folder: Path) -> tuple[Office | None, Wave | None]:
    """Start Alertmanager on the safe copy; what is wrong with the configuration becomes its file's verdict."""
    routing = job.inventory.routing
    if routing is None or not job.deliver:
        return None, None
    settings = job.settings.file.servers.alertmanager
    office = Office(stack, settings, routing, folder, job.settings.keep)
    try:
        wave, changes = pages.open_office(office, "wave0")
    except pages.NotLoaded as error:
        run.files[routing.path] = run.files[error.verdict.path] = error.verdict
        return None, None
    except FileError as error:
        run.files[routing.path] = run.files[error.path] = FileVerdict(error.path, error.line, error.reason)
        return None, None
    warnings = alertmanager.load_warnings(wave.server, routing)
    for path in routing.paths:
        if path not in run.files or not run.files[path].error:
            own = [(w, place.line) for w in warnings if (place := routing.place(w.line)).path == path]
            run.files[path] = FileVerdict(
                path, warnings=tuple(replace(warning, line=line) for warning, line in own)
            )
    run.changes += changes
    return office, wave


def _by_hand(settings: Settings, alerts: Iterable[Rule]) -> dict[Rule, tuple[Series, ...]]:
    result: dict[Rule, tuple[Series, ...]] = {}
    for entry in settings.file.series:
        interval = duration.seconds(entry.interval)
        series = tuple(
            Series(
                notation.parse_series(one.series),
                notation.samples(notation.parse_values(one.values), interval),
            )
            for one in entry.input_series
        )
        result.update(dict.fromkeys(rules_of(entry.alert, alerts), series))
    return result


def _light(job: Job, run: Found, kindling: Kindling, plan: Plan, folder: Path) -> list[Fire]:
    """Start a Prometheus for each batch."""
    burning: list[Fire] = []
    for number, batch in enumerate(plan.batches):
        job.tell(f"starting Prometheus {number + 1} of {len(plan.batches)}")
        burning.append(fires.light(kindling, batch, folder / f"prometheus-{number}", f"prometheus-{number}"))
        run.changes += burning[-1].changes
    return burning


def _gather(
    job: Job, run: Found, stack: Stack, burning: Iterable[Fire]
) -> dict[Rule, list[PostedAlert | None]]:
    """Wait until all batches fire; returns what Prometheus sent for each rule's alerts (None: not sent)."""
    posted: dict[Rule, list[PostedAlert | None]] = {}
    for one in burning:
        lit, states, after = _watch(job, stack, one)
        if job.deliver:
            job.tell("waiting for Prometheus to send its alerts")
            sent.wait(stack, lit, states)
        told = sent.match(
            lit, states, stack.sink, job.inventory.prometheus.globals.get("external_labels") or {}
        )
        plans = {scenario.alert: scenario for scenario in lit.batch.scenarios}
        answers = runbook.answers(job, stack, lit.server, states)
        for rule, state in states.items():
            shown = [alert for alert in state.alerts if alert["state"] == "firing"]
            posted[rule] = told[rule]
            run.alerts[rule] = AlertObservation(
                rule,
                native.plan_of(plans[rule], state),
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
                    for a, to in zip(shown, told[rule], strict=True)
                ),
                answers=answers.get(rule, ()),
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


def _with_delivery(observation: AlertObservation, delivery: Delivery) -> AlertObservation:
    by_labels = {alert_key(alert["labels"]): alert for alert in delivery.alerts}
    fired = []
    for one in observation.fired:
        shown = by_labels.get(alert_key(one.sent_labels or {}))
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
        resolved=delivery.resolved,
        unresolved=delivery.unresolved,
    )
