"""What was seen on the real servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_sre.model.export import Export
from pytest_sre.model.incident import IncidentObservation
from pytest_sre.model.routing import Integration
from pytest_sre.model.routingtest import Ends
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook_query import Answer
from pytest_sre.model.scenario import Impossible, NotSynthesised, Scenario
from pytest_sre.model.timeline import Passage
from pytest_sre.model.unittest import UnitKey, UnitObservation


@dataclass(frozen=True, slots=True)
class Notification:
    """One request that Alertmanager sent for one alert group, as the sink received it.

    ``time`` is seconds since the epoch; ``destination`` the URL (or ``smtp://host -> recipients``) it was bound
    for; ``texts`` what a person reads, by field; ``payload`` the decoded body; ``fingerprint`` identifies one
    of the alerts in it. ``title``, ``text``, ``severity``, ``links`` (all addresses in it) and the receiver's own
    ``fields`` are where `model.receivers` says; empty where the kind has none. ``unnamed``: it didn't say which alert
    it is about, which was found out by elimination.
    """

    integration: Integration
    destination: str
    time: float
    status: int
    texts: Mapping[str, str]
    payload: object
    fingerprint: str = ""
    title: str = ""
    text: str = ""
    severity: str = ""
    links: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    unnamed: bool = False

    def about(self, fingerprint: str) -> Notification:
        """The same, about this alert."""
        return replace(self, fingerprint=fingerprint)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An integration that got the firing notification and not the resolved one; ``why``: Alertmanager's error or ""."""

    integration: Integration
    why: str = ""


@dataclass(frozen=True, slots=True)
class FiredAlert:
    """One firing alert of a rule: labels in Prometheus, and as Alertmanager receives them (None: dropped)."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: str
    active_at: str
    sent_labels: Mapping[str, str] | None = None
    fingerprint: str = ""
    receivers: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Seen while all alerts of the run fired together: the alert ``target`` was inhibited by another rule's alert."""

    target: Mapping[str, str]
    source: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TimedObservation:
    """What one alerting rule did on virtual time.

    ``reason`` says why there are no passages, ``near_reason`` why there is none just below the threshold. ``never`` is
    whether no realistic data can fire it. ``snapshots`` is what it did on the real series of healthy services, if those
    have all that it reads; ``moves`` are the passages on values that move.
    """

    rule: Rule
    passages: tuple[Passage, ...] = ()
    reason: str = ""
    near_reason: str = ""
    never: bool = False
    snapshots: tuple[Passage, ...] = ()
    moves: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertObservation:
    """What became of one alerting rule.

    ``state`` is Prometheus' own (``inactive``, ``pending``, ``firing``) or ``not run``; ``after`` the seconds
    from Prometheus' readiness to firing; ``send_errors`` Alertmanager's own log lines about this alert's receivers.
    ``resolved`` are the notifications after the alert ended, ``unresolved`` who should have had one and did not.
    ``answers`` are those to the queries of its runbook, asked while it fired.
    """

    rule: Rule
    plan: Scenario | NotSynthesised | Impossible
    state: str = "not run"
    error: str = ""
    after: float | None = None
    fired: tuple[FiredAlert, ...] = ()
    notifications: tuple[Notification, ...] = ()
    send_errors: tuple[str, ...] = ()
    inhibited_together: tuple[Inhibition, ...] = ()
    resolved: tuple[Notification, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class FileWarning:
    """What a server accepts and warns about: the place, its words, and what it suggests (may be empty)."""

    line: int
    text: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What the server that reads a file says of it: an empty ``error`` means that it loads."""

    path: str
    line: int = 1
    error: str = ""
    warnings: tuple[FileWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between a user's file and the copy that ran, and why."""

    path: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Observations:
    """All that one run saw; rules are keyed by identity (``Rule`` has no value equality).

    ``ends`` says at which routes alerts end, where that was asked, ``sides`` which sides of inhibit rules they match: of
    the n-th rule, counted from 0, 2n+1 is the source and 2n+2 the target.
    ``incidents`` are by name.
    """

    alerts: Mapping[Rule, AlertObservation]
    files: Mapping[str, FileVerdict]
    changes: tuple[Change, ...]
    versions: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    timed: Mapping[Rule, TimedObservation] = field(default_factory=dict)
    units: Mapping[UnitKey, UnitObservation] = field(default_factory=dict)
    exported: Export | None = None
    ends: Ends = field(default_factory=dict)
    sides: Ends = field(default_factory=dict)
    incidents: Mapping[str, IncidentObservation] = field(default_factory=dict)
