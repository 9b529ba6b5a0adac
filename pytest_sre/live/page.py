"""Hand fired alerts to the real Alertmanager and collect what it sends.

All alerts of a run fire together, but one alert's test must not depend on another's: alerts go in waves. What an
Alertmanager reports as inhibited by, or grouped with, another test's alert goes again in a later wave, on a fresh
Alertmanager; an alert that is alone and still inhibited is inhibited by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_sre.errors import FileError, StackError
from pytest_sre.live.apart import apart, disturb, find_conflicts
from pytest_sre.live.dropped import leave_out
from pytest_sre.live.pinpoint import pinpoint
from pytest_sre.live.resolve import resolve
from pytest_sre.live.template_files import template_files
from pytest_sre.live.template_place import template_place
from pytest_sre.live.unnamed import Owed, claimed, doubtful, owed, shared_with
from pytest_sre.model.observation import Change, FileVerdict, Inhibition, Notification, Unresolved
from pytest_sre.model.routing import Integration, Routing
from pytest_sre.model.routingtest import alert_key
from pytest_sre.model.rules import Rule
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.stack import alertmanager
from pytest_sre.stack.backend import Server, Stack
from pytest_sre.stack.decode import decode
from pytest_sre.stack.jira import transitions_of
from pytest_sre.stack.safe_alertmanager import GROUP_WAIT, safe_copy
from pytest_sre.stack.sink import PostedAlert

SAFETY_TIMEOUT = 15.0  # seconds without any progress; some failures are neither sent nor logged
PATIENCE = 1.0  # seconds without progress before the log is asked what went wrong


class NotLoaded(Exception):
    """Alertmanager does not load the configuration; carries its verdict."""

    def __init__(self, verdict: FileVerdict) -> None:
        super().__init__(verdict.error)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one rule's alerts in Alertmanager; ``status`` by fingerprint, as its API shows it."""

    alerts: tuple[Mapping[str, Any], ...] = ()
    notifications: tuple[Notification, ...] = ()
    errors: tuple[str, ...] = ()
    inhibited_together: tuple[Inhibition, ...] = ()
    resolved: tuple[Notification, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """A fresh Alertmanager."""

    name: str
    server: Server


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """One wave: what is settled, who disturbed whom, and which inhibitions were seen."""

    done: Mapping[Rule, Delivery]
    conflicts: Mapping[Rule, set[Rule]]
    inhibitions: Mapping[Rule, tuple[Inhibition, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Office:
    """What every wave needs."""

    stack: Stack
    settings: AlertmanagerServer
    routing: Routing
    folder: Path
    keep: bool
    group_wait: str = GROUP_WAIT


def open_office(office: Office, name: str) -> tuple[Wave, tuple[Change, ...]]:
    """Start a fresh Alertmanager on a safe copy; raises NotLoaded, UserError (unsafe) and StackError."""
    folder = office.folder / f"alertmanager-{name}"
    sink = office.stack.sink
    copy = safe_copy(
        office.routing,
        lambda integration: sink.proxy_url(integration, name),
        lambda integration, smarthost: sink.hello(integration, name, smarthost),
        sink.smarthost,
        folder,
        office.group_wait,
    )
    try:
        templates, changes = template_files(office.routing, copy.document, folder)
    except FileError as error:
        raise NotLoaded(FileVerdict(error.path, error.line, error.reason)) from None
    if templates:
        copy.document["templates"] = list(map(str, templates))
    sink.jira_has(transitions_of(office.routing.document))
    server, left_out = _start(office, copy.document, folder, templates, name)
    return Wave(name, server), (*copy.changes, *changes, *left_out)


def _start(
    office: Office, document: Mapping[str, Any], folder: Path, templates: Sequence[Path], name: str
) -> tuple[Server, tuple[Change, ...]]:
    """Start it on a copy, without what an operator leaves out for this version; raises NotLoaded and StackError."""
    path, lines = alertmanager.write_config(document, folder)
    try:
        return alertmanager.start(office.stack, office.settings, path, templates, f"alertmanager-{name}"), ()
    except StackError as error:
        if changes := leave_out(office.routing, document, str(error), lines):
            server, more = _start(office, document, folder, templates, name)
            return server, (*changes, *more)
        verdict = alertmanager.load_verdict(error, office.routing, path, lines)
        if verdict is None:
            raise
        place = template_place(office.routing, templates, verdict.error)
        if place is None and verdict.line == 1:

            def complaint(less: Mapping[str, Any]) -> str:
                return _complaint(office, less, folder / "why", f"{name}-why")

            line = pinpoint(office.routing.document, document, verdict.error, complaint)
            place = office.routing.place(line)
        if place is not None:
            verdict = replace(verdict, path=place.path, line=place.line)
        raise NotLoaded(verdict) from None


def _complaint(office: Office, document: Mapping[str, Any], folder: Path, name: str) -> str:
    """What Alertmanager says of a configuration that it does not load; empty where it does. Raises StackError."""
    path, lines = alertmanager.write_config(document, folder)
    try:
        server = alertmanager.start(office.stack, office.settings, path, (), f"alertmanager-{name}")
    except StackError as error:
        verdict = alertmanager.load_verdict(error, office.routing, path, lines)
        if verdict is None:
            raise
        return verdict.error
    office.stack.stop(server)
    return ""


def deliver(
    office: Office, first: Wave, fired: Mapping[Rule, Sequence[PostedAlert]], tell: Callable[[int, int], None]
) -> dict[Rule, Delivery]:
    """Send every rule's alerts, each judged apart from the others; ``tell`` gets counts of rules done and of all."""
    results: dict[Rule, Delivery] = {}
    together: dict[Rule, tuple[Inhibition, ...]] = {}
    waves = [list(fired)]
    wave: Wave | None = first
    number = 0
    while waves:
        rules = waves.pop(0)
        wave = wave or open_office(office, f"wave{number}")[0]
        try:
            outcome = _one_wave(office, wave, {rule: fired[rule] for rule in rules})
        finally:
            if not (office.keep and number == 0):
                office.stack.stop(wave.server)
        for rule, seen in outcome.inhibitions.items():
            together.setdefault(rule, seen)
        results.update(outcome.done)
        tell(len(results), len(fired))
        waves += apart([rule for rule in rules if rule not in outcome.done], outcome.conflicts)
        wave, number = None, number + 1
    return {rule: replace(one, inhibited_together=together.get(rule, ())) for rule, one in results.items()}


def _one_wave(office: Office, wave: Wave, given: Mapping[Rule, Sequence[PostedAlert]]) -> _Outcome:
    with office.stack.session() as client:
        ends = alertmanager.stamp(time.time() + 3600)
        flat = [alert for alerts in given.values() for alert in alerts]
        alertmanager.post(client, wave.server, [_payload(alert, ends) for alert in flat])
        groups = settle(client, wave.server, len({alert_key(alert.labels) for alert in flat}))
        shown = {alert_key(one["labels"]): one for one in alertmanager.alerts(client, wave.server)}
    owner: dict[str, Rule] = {}
    alerts: dict[Rule, list[Mapping[str, Any]]] = {rule: [] for rule in given}
    conflicts: dict[Rule, set[Rule]] = {}
    for rule, posted in given.items():
        for one in posted:
            alert = shown.get(alert_key(one.labels))
            if alert is not None:
                first = owner.setdefault(alert["fingerprint"], rule)
                if first is not rule:
                    disturb(conflicts, {first, rule})
                alerts[rule].append(alert)
    inhibitions = find_conflicts(conflicts, groups, owner, alerts)
    clean = [rule for rule in given if not conflicts.get(rule)]
    expected = _expected(office.routing.by_receiver, groups, owner, set(clean))
    ours = {print_ for print_, rule in owner.items() if rule in set(clean)}
    shared = shared_with(groups, office.routing.by_receiver, ours)
    received = wait(office, wave, expected, shared)
    unsure = doubtful(received, owed(expected, received), shared)
    again = {owner.get(one) for prints, _ in unsure for one in prints.split("|")}
    clean = [rule for rule in clean if rule not in again]
    errors = alertmanager.send_errors(wave.server)
    ending = [_payload(alert, ends) for rule in clean for alert in given[rule]]
    # What was sent before its inhibition was seen, or before its group filled, belongs to a later wave.
    told = [one for one in received if owner.get(one.fingerprint) in set(clean)]
    ended = resolve(office.stack, wave.name, wave.server, ending, groups, told, errors)
    done = {}
    for rule in clean:
        mine = tuple(sorted({error.text for error in errors if _concerns(error, alerts[rule])}))
        sent = tuple(one for one in received if owner.get(one.fingerprint) is rule)
        prints = sorted({alert["fingerprint"] for alert in alerts[rule]})
        resolved = tuple(note for one in prints for note in ended.resolved.get(one, ()))
        unresolved = tuple(note for one in prints for note in ended.missing.get(one, ()))
        done[rule] = Delivery(tuple(alerts[rule]), sent, mine, (), resolved, unresolved)
    return _Outcome(done, conflicts, inhibitions)


def _concerns(error: alertmanager.SendError, alerts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it is about a receiver of these alerts and, where the log names the group's labels, about their group."""
    return any(
        any(error.text.startswith(f"{receiver['name']}/") for receiver in alert["receivers"])
        and all(alert["labels"].get(name) == value for name, value in error.group)
        for alert in alerts
    )


def _payload(alert: PostedAlert, ends: str) -> dict[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": alert.starts_at,
        "endsAt": ends,
        "generatorURL": alert.generator_url,
    }


def settle(client: Any, server: Server, count: int) -> list[alertmanager.Group]:
    """Wait until all alerts are in their groups and have a status."""
    deadline = time.monotonic() + SAFETY_TIMEOUT
    while True:
        groups = alertmanager.groups(client, server)
        grouped = {fingerprint for group in groups for fingerprint in group.alerts}
        known = all(status["state"] != "unprocessed" for group in groups for status in group.alerts.values())
        if (len(grouped) >= count and known) or time.monotonic() > deadline:
            return groups
        time.sleep(0.1)


def _expected(
    by_receiver: Mapping[str, Sequence[Integration]],
    groups: Sequence[alertmanager.Group],
    owner: Mapping[str, Rule],
    clean: set[Rule],
) -> set[tuple[str, Integration]]:
    """(a fingerprint of the group, integration) for each notification that Alertmanager is about to send."""
    return {
        ("|".join(sorted(group.alerts)), integration)
        for group in groups
        for integration in by_receiver.get(group.receiver, ())
        if any(
            owner.get(print_) in clean and status["state"] == "active"
            for print_, status in group.alerts.items()
        )
    }


def wait(
    office: Office, wave: Wave, expected: set[Owed], shared: Collection[Integration] = ()
) -> list[Notification]:
    """Wait until all expected notifications came, or Alertmanager logged why one could not be sent."""
    received: list[Notification] = []
    taken, fewest = 0, len(expected) + 1
    progress = time.monotonic()
    while time.monotonic() - progress < SAFETY_TIMEOUT:
        office.stack.check(wave.server)
        captures = office.stack.sink.captures(wave.name)
        received += [decode(capture) for capture in captures[taken:] if not capture.auxiliary]
        taken = len(captures)
        received = claimed(received, owed(expected, received), shared)
        missing = owed(expected, received)
        if not missing:
            break
        if len(missing) < fewest:
            fewest, progress = len(missing), time.monotonic()
        if time.monotonic() - progress > PATIENCE:
            errors = alertmanager.send_errors(wave.server)
            unclear = missing - doubtful(received, missing, shared)
            if all(any(str(to) in error.text for error in errors) for _, to in unclear):
                break
        time.sleep(0.1)
    return received
