"""Do exactly the stated notifications come when several alerts fire together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.checks.unloaded import nobody, unusable
from pytest_sre.model.finding import Finding
from pytest_sre.model.incident import (
    ExpectedNotification,
    GroupNotification,
    Incident,
    IncidentObservation,
    PlayedAlert,
)
from pytest_sre.model.observation import FileVerdict
from pytest_sre.sources.discover import Inventory

NAME = "incident"
_SHOWN = 20


def judge(
    incident: Incident,
    seen: IncidentObservation | None,
    inventory: Inventory,
    files: Mapping[str, FileVerdict],
) -> Verdict:
    """Pass when these notifications came and no other, and those alerts were inhibited and silenced that are stated."""
    broken = unusable(inventory, files)
    if broken is not None:
        return (nobody(NAME, incident.location, f'incident "{incident.name}" notifies nobody', broken),)
    if inventory.routing is None:
        return Skipped("no Alertmanager configuration was found; name it with `alertmanager:` in sre.yaml")
    if seen is None:
        return Skipped("nothing was run")
    return unplayed(incident, seen) or (*notified(incident, seen), *held_back(incident, seen))


def unplayed(incident: Incident, seen: IncidentObservation) -> Verdict:
    """Why the alerts did not fire together; nothing where they did."""
    if seen.unfired:
        why = "; ".join(f"{name}: {reason}" for name, reason in seen.unfired.items())
        return Skipped(f"an alert was not fired: {why}") if seen.unproven else (_unfired(incident, seen),)
    return (_refused(incident, seen),) if seen.refused else ()


def notified(
    incident: Incident, seen: IncidentObservation, stated: str = "`notifications` here"
) -> tuple[Finding, ...]:
    """Where the notifications are not exactly those that are stated; ``stated`` is how the user calls these."""
    return (*_notifications(incident, seen, stated), *_unsent(incident, seen))


def held_back(
    incident: Incident, seen: IncidentObservation, stated: str = "the list here"
) -> tuple[Finding, ...]:
    """Where not exactly those alerts are inhibited or silenced that are stated; ``stated`` is how the user calls these."""
    inhibited = [one for one in seen.alerts if one.inhibited_by]
    silenced = [one for one in seen.alerts if one.silenced_by]
    return (
        *_held(incident, seen, "inhibited", incident.inhibited, inhibited, stated),
        *_held(incident, seen, "silenced", incident.silenced, silenced, stated),
    )


def _notifications(incident: Incident, seen: IncidentObservation, stated: str) -> Iterator[Finding]:
    """What is missing and what is too much, in one finding: both have the same cause more often than not."""
    left = [one for one in seen.notifications if one.sent]
    missing = []
    for wanted in incident.notifications:
        found = next((one for one in left if fits(wanted, one, seen)), None)
        if found is None:
            missing.append(wanted)
        else:
            left.remove(found)
    if not missing and not left:
        return
    unsent = {one.receiver for one in seen.notifications if not one.sent}
    if not left and all(one.receiver in unsent for one in missing):
        return  # that is told as such
    counts = [f"{len(missing)} missing" if missing else "", f"{len(left)} unexpected" if left else ""]
    yield Finding(
        NAME,
        missing[0].location if missing else incident.location,
        f'incident "{incident.name}" does not notify as stated: {", ".join(filter(None, counts))}',
        expected="\n".join(map(str, incident.notifications)) or "no notification",
        seen="\n".join(_text(one, seen) for one in seen.notifications if one.sent) or "no notification",
        details=(
            *(f"missing    {one}" for one in missing),
            *(f"unexpected {_text(one, seen)}" for one in left),
            *_fates(seen),
        ),
        next_step=f"mend group_by, inhibit_rules or the routes of the Alertmanager configuration, or {stated}",
    )


def fits(wanted: ExpectedNotification, one: GroupNotification, seen: IncidentObservation) -> bool:
    """Whether a notification is the one that is meant: its receiver, and exactly these alerts."""
    alerts = [alert for alert in seen.alerts if alert.fingerprint in one.alerts]
    return (
        wanted.receiver == one.receiver
        and all(any(alert.called(name) for alert in alerts) for name in wanted.alerts)
        and all(any(alert.called(name) for name in wanted.alerts) for alert in alerts)
    )


def _text(one: GroupNotification, seen: IncidentObservation) -> str:
    names: dict[str, int] = {}
    for alert in seen.alerts:
        if alert.fingerprint in one.alerts:
            names[alert.name] = names.get(alert.name, 0) + 1
    listed = ", ".join(name if count == 1 else f"{name} (x{count})" for name, count in names.items())
    group = ", ".join(f'{label}="{value}"' for label, value in one.labels.items())
    return f"{one.receiver} ← {listed}" + (f"   group {{{group}}}" if group else "")


def _fates(seen: IncidentObservation) -> Iterator[str]:
    """Who held whom back: what explains most of what is missing."""
    names = {alert.fingerprint: alert.name for alert in seen.alerts if alert.fingerprint}
    fates = [line for alert in seen.alerts for line in _fate(alert, names)]
    yield from fates[:_SHOWN]
    if len(fates) > _SHOWN:
        yield f"and {len(fates) - _SHOWN} more"


def _fate(alert: PlayedAlert, names: Mapping[str, str]) -> Iterator[str]:
    if alert.inhibited_by:
        by = ", ".join(dict.fromkeys(names.get(one, one) for one in alert.inhibited_by))
        yield f"inhibited  {alert.name} by {by}"
    if alert.silenced_by:
        yield f"silenced   {alert.name} by {' and '.join(alert.silenced_by)}"
    if not alert.fingerprint:
        yield f"dropped    {alert.name} by alert_relabel_configs: Alertmanager never gets it"


def _held(
    incident: Incident,
    seen: IncidentObservation,
    how: str,
    wanted: Sequence[str] | None,
    held: Sequence[PlayedAlert],
    called: str,
) -> Iterator[Finding]:
    """Which alerts are inhibited (or silenced), where that is stated."""
    if wanted is None:
        return
    stated = [alert for alert in seen.alerts if any(alert.called(name) for name in wanted)]
    free = _names(alert for alert in stated if alert not in held)
    more = _names(alert for alert in held if alert not in stated)
    if free or more:
        yield Finding(
            NAME,
            incident.location,
            f'incident "{incident.name}": '
            + " and ".join(
                filter(
                    None,
                    (
                        f"{', '.join(free)} not {how}" if free else "",
                        f"{', '.join(more)} {how}, which is not stated" if more else "",
                    ),
                )
            ),
            expected=f"{how}: {', '.join(wanted) or 'none'}",
            seen=f"{how}: {', '.join(_names(iter(held))) or 'none'}",
            details=tuple(_fates(seen)),
            next_step=f"mend inhibit_rules (matchers, and the labels that must be `equal`), or {called}"
            if how == "inhibited"
            else f"mend the matchers of `silences`, or {called}",
        )


def _names(alerts: Iterator[PlayedAlert]) -> list[str]:
    return list(dict.fromkeys(alert.name for alert in alerts))


def _unsent(incident: Incident, seen: IncidentObservation) -> Iterator[Finding]:
    failed = dict.fromkeys(to for one in seen.notifications for to in one.unsent)
    for integration in failed:
        why = [error for error in seen.errors if error.startswith(f"{integration}:")]
        yield Finding(
            NAME,
            incident.location,
            f'incident "{incident.name}": Alertmanager could not send to {integration}',
            expected=f"a notification through {integration}",
            seen=why[0] if why else "it was routed there, and nothing was sent",
            next_step=f"mend {integration}: its texts, templates and limits",
        )


def _unfired(incident: Incident, seen: IncidentObservation) -> Finding:
    return Finding(
        NAME,
        incident.location,
        f'incident "{incident.name}" could not be played: not all of its alerts fire',
        expected="all of its alerts fire",
        seen="\n".join(f"{name}: {reason}" for name, reason in seen.unfired.items()),
        next_step="see the item `fires` of each, or give the alert by its labels alone",
    )


def _refused(incident: Incident, seen: IncidentObservation) -> Finding:
    return Finding(
        NAME,
        incident.location,
        f'incident "{incident.name}" could not be played: Alertmanager does not take part of it',
        expected="labels and silences that Alertmanager takes",
        seen=seen.refused,
        next_step="mend that silence, or the labels of that alert",
    )
