"""Let the alerts of a wave end, and see which integrations are told.

Whether an integration sends resolved notifications, the running server says: its configuration as it shows it has
all defaults, which differ by kind and version. An integration that has not sent the firing notification sends no
resolved one either, so it is not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_sre.live import unnamed
from pytest_sre.model.observation import Notification, Unresolved
from pytest_sre.model.routing import Integration
from pytest_sre.stack import alertmanager
from pytest_sre.stack.backend import Server, Stack
from pytest_sre.stack.decode import decode
from pytest_sre.stack.resolved import closes, says
from pytest_sre.stack.sink import Capture

SAFETY_TIMEOUT = 15.0  # seconds without any progress
_Groups = Mapping[tuple[str, str], str]
PATIENCE = 3.0  # seconds without progress before the log is asked; a group is looked at once a second


@dataclass(frozen=True, slots=True)
class Sent:
    """An integration that got the firing notification of an alert."""

    fingerprint: str
    integration: Integration


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolved notifications, and those that should have come and did not, by fingerprint."""

    resolved: Mapping[str, tuple[Notification, ...]]
    missing: Mapping[str, tuple[Unresolved, ...]]


def resolve(
    stack: Stack,
    wave: str,
    server: Server,
    posted: Sequence[Mapping[str, Any]],
    groups: Sequence[alertmanager.Group],
    received: Sequence[Notification],
    failed: Sequence[alertmanager.SendError],
) -> Resolution:
    """Post the alerts once more as resolved; ``failed`` are the errors so far, ``received`` the firing notifications.

    Raises StackError.
    """
    with stack.session() as client:
        sending = alertmanager.sends_resolved(client, server)
        first = _first_of_groups(groups)
        expected = _expected(first, received, failed, sending)
        if not expected:
            return Resolution({}, {})
        before = len(stack.sink.captures(wave))
        ended = alertmanager.stamp(time.time())
        alertmanager.post(client, server, [{**alert, "endsAt": ended} for alert in posted])
    aliases = _aliases(received)

    def read(capture: Capture) -> tuple[Sent, Notification] | None:
        one = None if capture.auxiliary else _read(decode(capture), aliases)
        return None if one is None else (_sent(one, first), one)

    got, empty = _wait(stack, wave, server, expected, before, read, failed)
    return _sorted(expected, got, [*alertmanager.send_errors(server)[len(failed) :], *empty])


def _first_of_groups(groups: Iterable[alertmanager.Group]) -> dict[tuple[str, str], str]:
    """By receiver and fingerprint: one alert that stands for the group. Which one leads a group, may change."""
    return {(group.receiver, one): min(group.alerts) for group in groups for one in group.alerts}


def _sent(one: Notification, first: _Groups) -> Sent:
    return Sent(first.get((one.integration.receiver, one.fingerprint), one.fingerprint), one.integration)


def _expected(
    first: _Groups,
    received: Iterable[Notification],
    failed: Sequence[alertmanager.SendError],
    sending: Collection[Integration],
) -> set[Sent]:
    broken = {one.text.partition(":")[0] for one in failed}
    return {
        _sent(one, first)
        for one in received
        if one.integration in sending and str(one.integration) not in broken and not one.unnamed
    }


def _aliases(received: Iterable[Notification]) -> dict[tuple[Integration, str], str]:
    """Which alert an Opsgenie alias stands for: closing names nothing else."""
    return {
        (one.integration, str(one.payload["alias"])): one.fingerprint
        for one in received
        if isinstance(one.payload, Mapping) and one.payload.get("alias")
    }


def _wait(
    stack: Stack,
    wave: str,
    server: Server,
    expected: set[Sent],
    taken: int,
    read: Callable[[Capture], tuple[Sent, Notification] | None],
    failed: Sequence[alertmanager.SendError],
) -> tuple[dict[Sent, Notification], list[alertmanager.SendError]]:
    """What came, and errors about messages that a failed template has emptied."""
    got: dict[Sent, Notification] = {}
    empty: list[alertmanager.SendError] = []
    progress = time.monotonic()
    while len(got) < len(expected) and time.monotonic() - progress < SAFETY_TIMEOUT:
        stack.check(server)
        captures = stack.sink.captures(wave)
        for capture in captures[taken:]:
            found = read(capture)
            if found and not found[0].fingerprint and found[0].integration.kind == unnamed.KIND:
                empty.append(alertmanager.SendError(f"{found[0].integration}: {unnamed.WHY}", ()))
            if found and found[0] in expected and found[0] not in got:
                got[found[0]], progress = found[1], time.monotonic()
        taken = len(captures)
        if time.monotonic() - progress > PATIENCE:
            errors = [*alertmanager.send_errors(server)[len(failed) :], *empty]
            if all(_why(one, errors) for one in expected - set(got)):
                break
        time.sleep(0.1)
    return got, empty


def _read(one: Notification, aliases: Mapping[tuple[Integration, str], str]) -> Notification | None:
    """A resolved notification with its alert's fingerprint; None for one that says that it is a firing one."""
    if says(one) == "firing":
        return None
    alias = closes(one)
    return one.about(aliases.get((one.integration, alias), "")) if alias else one


def _why(one: Sent, errors: Sequence[alertmanager.SendError]) -> str:
    return next((error.text for error in errors if error.text.startswith(f"{one.integration}:")), "")


def _sorted(
    expected: set[Sent], got: Mapping[Sent, Notification], errors: Sequence[alertmanager.SendError]
) -> Resolution:
    resolved: dict[str, tuple[Notification, ...]] = {}
    missing: dict[str, tuple[Unresolved, ...]] = {}
    for one in sorted(expected, key=lambda sent: (sent.fingerprint, str(sent.integration))):
        if one in got:
            resolved[one.fingerprint] = (*resolved.get(one.fingerprint, ()), got[one])
        # An e-mail whose template fails half-way is sent all the same, and logged as failed.
        if one not in got or (one.integration.kind == "email" and _why(one, errors)):
            told = Unresolved(one.integration, _why(one, errors))
            missing[one.fingerprint] = (*missing.get(one.fingerprint, ()), told)
    return Resolution(resolved, missing)
