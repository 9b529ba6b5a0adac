"""Play incidents: all alerts of one fire together in one real Alertmanager, with inhibition, groups and silences.

Alertmanager asks who is inhibited when it notifies. So that every alert is there by then, groups wait for a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_sre.errors import Refused
from pytest_sre.live.job import Found, Job
from pytest_sre.live.page import Office, Wave, open_office, settle, wait
from pytest_sre.model.incident import (
    GroupNotification,
    Incident,
    IncidentAlert,
    IncidentObservation,
    PlayedAlert,
)
from pytest_sre.model.observation import AlertObservation, Notification
from pytest_sre.model.routing import Integration, Matcher
from pytest_sre.model.routingtest import alert_key
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import NotSynthesised, Scenario
from pytest_sre.sources.incidents import rules_of
from pytest_sre.stack import alertmanager
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.silences import silence

GROUP_WAIT = 1  # seconds
# An alert that began longer ago than group_wait is notified at once: these begin later than now.
_HEAD_START = 20  # seconds


def follow(job: Job, run: Found, stack: Stack, folder: Path) -> None:
    """Play the incidents that are asked for, where Alertmanager runs with this configuration."""
    routing = job.inventory.routing
    if routing is None or run.refused(routing.path):
        return
    office = Office(stack, job.settings.file.servers.alertmanager, routing, folder, keep=False)
    for number, incident in enumerate(job.incidents):
        job.tell(f"incident {number + 1} of {len(job.incidents)}")
        run.incidents[incident.name] = _played(office, f"incident{number}", incident, job, run)


def _played(office: Office, name: str, incident: Incident, job: Job, run: Found) -> IncidentObservation:
    unfired: dict[str, str] = {}
    unproven = False
    alerts: list[PlayedAlert] = []
    for one in incident.alerts:
        if not one.alert:
            alerts.append(PlayedAlert(one.labels["alertname"], "", one.labels, one.annotations))
        for rule in rules_of(one.alert, job.inventory.rules):
            seen = run.alerts.get(rule)
            if seen is None or seen.state != "firing":
                unfired[f"{rule.location.path}::{rule.name}"] = _why(seen)
                unproven = unproven or (seen is not None and isinstance(seen.plan, NotSynthesised))
            else:
                alerts += _of_rule(one, rule, seen)
    if unfired:
        return IncidentObservation(unfired=unfired, unproven=unproven)
    try:
        return play(office, name, alerts, incident.silences)
    except Refused as error:
        return IncidentObservation(refused=str(error))


def _why(seen: AlertObservation | None) -> str:
    if seen is None:
        return "its file does not load"
    plan = seen.plan
    return seen.error or (f"it is {seen.state}" if isinstance(plan, Scenario) else plan.reason)


def _of_rule(asked: IncidentAlert, rule: Rule, seen: AlertObservation) -> Iterable[PlayedAlert]:
    for fired in seen.fired:
        labels = {**(fired.sent_labels or fired.labels), **asked.labels}
        origin = f"{rule.location.path}::{rule.name}"
        sent = {} if fired.sent_labels is None else labels
        yield PlayedAlert(labels["alertname"], origin, sent, {**fired.annotations, **asked.annotations})


def play(
    office: Office,
    name: str,
    alerts: Sequence[PlayedAlert],
    silences: Sequence[Sequence[Matcher]] = (),
) -> IncidentObservation:
    """Fire alerts together on a fresh Alertmanager called ``name``; those without labels were dropped on the way.

    Raises StackError, and what `open_office` raises.
    """
    wave, _ = open_office(replace(office, group_wait=f"{GROUP_WAIT}s"), name)
    try:
        return _observe(office, wave, alerts, silences)
    finally:
        office.stack.stop(wave.server)


def _observe(
    office: Office,
    wave: Wave,
    alerts: Sequence[PlayedAlert],
    silences: Sequence[Sequence[Matcher]],
) -> IncidentObservation:
    with office.stack.session() as client:
        ids = {silence(client, wave.server, one): ", ".join(map(str, one)) for one in silences}
        seen = {alert_key(one.labels): one for one in alerts if one.labels}
        posted = list(map(_payload, seen.values()))
        alertmanager.post(client, wave.server, posted)
        settle(client, wave.server, len(posted))
        time.sleep(GROUP_WAIT)
        groups = settle(client, wave.server, len(posted))
        active = sorted(filter(_active, groups), key=lambda one: (one.receiver, sorted(one.labels.items())))
        of = office.routing.by_receiver
        awaited = {("|".join(sorted(_active(one))), to) for one in active for to in of.get(one.receiver, ())}
        received = wait(office, wave, awaited)
        shown = {alert_key(one["labels"]): one for one in alertmanager.alerts(client, wave.server)}
    told = [_told(group, of.get(group.receiver, ()), received) for group in active]
    errors = tuple(sorted({error.text for error in alertmanager.send_errors(wave.server)}))
    played = [_seen(one, shown.get(key), ids) for key, one in seen.items()]
    dropped = [one for one in alerts if not one.labels]
    return IncidentObservation(
        (*played, *dropped), tuple(one for one in told if one.sent or one.unsent), errors
    )


def _payload(alert: PlayedAlert) -> dict[str, Any]:
    now = time.time()
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": alertmanager.stamp(now + _HEAD_START),
        "endsAt": alertmanager.stamp(now + 3600),
    }


def _active(group: alertmanager.Group) -> tuple[str, ...]:
    return tuple(print_ for print_, status in group.alerts.items() if status["state"] == "active")


def _told(
    group: alertmanager.Group, integrations: Sequence[Integration], received: Sequence[Notification]
) -> GroupNotification:
    alerts = _active(group)
    sent = tuple(one for one in received if one.integration in integrations and one.fingerprint in alerts)
    unsent = tuple(to for to in integrations if to not in {one.integration for one in sent})
    return GroupNotification(group.receiver, group.labels, alerts, sent, unsent)


def _seen(alert: PlayedAlert, shown: Mapping[str, Any] | None, silences: Mapping[str, str]) -> PlayedAlert:
    if shown is None:
        return alert
    status = shown["status"]
    return replace(
        alert,
        fingerprint=shown["fingerprint"],
        inhibited_by=tuple(status["inhibitedBy"]),
        silenced_by=tuple(silences.get(one, one) for one in status["silencedBy"]),
    )
