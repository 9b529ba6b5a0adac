"""Incident tests: alerts that fire together, the notifications that must come, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Integration, Matcher

if TYPE_CHECKING:  # what was observed has incidents in it
    from pytest_sre.model.observation import Notification


@dataclass(frozen=True, slots=True)
class IncidentAlert:
    """An alert of the incident: one of the repository (``alert``: its name or file::name), else just labels.

    Of one of the repository, ``labels`` and ``annotations`` override what it fires with.
    """

    alert: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedNotification:
    """One notification to a receiver, about exactly these alerts (names, or file::name)."""

    receiver: str
    alerts: tuple[str, ...]
    location: Location

    def __str__(self) -> str:
        return f"{self.receiver} ← {', '.join(self.alerts)}"


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that fire together. ``inhibited`` and ``silenced`` are exactly those alerts; None: any."""

    name: str
    alerts: tuple[IncidentAlert, ...]
    silences: tuple[tuple[Matcher, ...], ...]
    notifications: tuple[ExpectedNotification, ...]
    inhibited: tuple[str, ...] | None
    silenced: tuple[str, ...] | None
    location: Location


@dataclass(frozen=True, slots=True)
class PlayedAlert:
    """An alert as Alertmanager has it.

    ``origin`` is file::name of its rule, or empty; ``inhibited_by`` has fingerprints, ``silenced_by`` the silences'
    matchers. Without a ``fingerprint`` Alertmanager was never given it: Prometheus' relabelling drops it.
    """

    name: str
    origin: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    inhibited_by: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()

    def called(self, name: str) -> bool:
        """Whether a user means this alert by a name."""
        return name in (self.name, self.origin, self.origin.rpartition("::")[2])


@dataclass(frozen=True, slots=True)
class GroupNotification:
    """What one receiver got about one alert group: the fingerprints of the alerts in it.

    ``sent`` has a notification of each integration, ``unsent`` the integrations that sent none.
    """

    receiver: str
    labels: Mapping[str, str]
    alerts: tuple[str, ...]
    sent: tuple[Notification, ...]
    unsent: tuple[Integration, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentObservation:
    """What became of an incident; ``unfired`` says which alerts could not be had, and why: then it was not played.

    ``unproven`` is whether that is a limit of ours. ``errors`` are Alertmanager's words about what it could not send,
    ``refused`` those about a silence or an alert that it does not take: then it was not played either.
    """

    alerts: tuple[PlayedAlert, ...] = ()
    notifications: tuple[GroupNotification, ...] = ()
    errors: tuple[str, ...] = ()
    unfired: Mapping[str, str] = field(default_factory=dict)
    unproven: bool = False
    refused: str = ""
