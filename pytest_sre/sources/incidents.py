"""Incident tests as ``sre.yaml`` has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NoReturn

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, field_validator, model_validator

from pytest_sre.errors import FileError
from pytest_sre.model.finding import Location
from pytest_sre.model.incident import ExpectedNotification, Incident, IncidentAlert
from pytest_sre.model.near import nearest
from pytest_sre.model.routing import Routing
from pytest_sre.model.rules import Rule
from pytest_sre.sources.alertmanager import parse_matchers, users_matchers
from pytest_sre.sources.fields import Frozen, no_repeats
from pytest_sre.sources.yamlfile import line_of

Name = Annotated[str, Field(min_length=1)]
Names = tuple[Name, ...]


class AlertSpec(Frozen):
    """An alert of the incident: one of the repository, with labels of its own where they are given, or any other."""

    alert: Name | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"alert": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _named(self) -> AlertSpec:
        if self.alert is None and not self.labels.get("alertname"):
            raise ValueError(
                "needs `alert`, the name of an alert of the rule files, or `labels` with `alertname`"
            )
        return self


class NotificationSpec(Frozen):
    """One notification that must come: to whom, and about which alerts."""

    receiver: Name
    alerts: Annotated[Names, Field(min_length=1)]


class IncidentSpec(Frozen):
    """Alerts that fire together, and exactly the notifications that must come."""

    name: Name
    alerts: Annotated[tuple[AlertSpec, ...], Field(min_length=1)]
    silences: Names = ()
    notifications: tuple[NotificationSpec, ...]
    inhibited: Names | None = None
    silenced: Names | None = None
    _source: Any = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _lined(cls, value: Any, handler: ModelWrapValidatorHandler[IncidentSpec]) -> IncidentSpec:
        made = handler(value)
        made._source = value
        return made

    @field_validator("silences")
    @classmethod
    def _matchers(cls, value: Names) -> Names:
        for text in value:
            matchers = users_matchers(text)
            if not matchers:
                raise ValueError("a silence needs a matcher")
            if all(matcher.matches({}) for matcher in matchers):
                raise ValueError(
                    f"the silence {text} is also for alerts without these labels: no silence may be for all"
                )
        return value

    def as_model(self, path: str) -> Incident:
        """The incident; ``path`` is how its file is shown to users."""
        first = getattr(self._source, "line", 1)

        def place(key: str, number: int) -> Location:
            found = self._source.get(key) if isinstance(self._source, dict) else None
            return Location(path, line_of(found, number, first))

        alerts = tuple(
            IncidentAlert(one.alert or "", one.labels, one.annotations, place("alerts", i))
            for i, one in enumerate(self.alerts)
        )
        wanted = tuple(
            ExpectedNotification(one.receiver, one.alerts, place("notifications", i))
            for i, one in enumerate(self.notifications)
        )
        silences = tuple(tuple(parse_matchers(text)) for text in self.silences)
        return Incident(
            self.name, alerts, silences, wanted, self.inhibited, self.silenced, Location(path, first)
        )


def unique_incidents(value: tuple[IncidentSpec, ...]) -> tuple[IncidentSpec, ...]:
    """Names become test ids. Raises ValueError where one is there twice."""
    no_repeats([spec.name for spec in value], "two incidents are called {}")
    return value


def rules_of(name: str, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """All alerts that are called so: by name, or as file::name."""
    return tuple(
        rule
        for rule in rules
        if rule.kind == "alert" and name in (rule.name, f"{rule.location.path}::{rule.name}")
    )


def check_incidents(incidents: Iterable[Incident], rules: Sequence[Rule], routing: Routing | None) -> None:
    """Raises FileError for an alert or a receiver that there is not."""
    names = sorted({rule.name for rule in rules if rule.kind == "alert"})
    for incident in incidents:
        for alert in incident.alerts:
            if alert.alert and not rules_of(alert.alert, rules):
                _refuse(
                    incident, alert.location, f"no rule file has an alert {alert.alert}", alert.alert, names
                )
        known = names_of(incident)
        for wanted in incident.notifications:
            if routing is not None and wanted.receiver not in routing.receivers:
                what = f'{routing.path} has no receiver "{wanted.receiver}"'
                _refuse(incident, wanted.location, what, wanted.receiver, routing.receivers)
            _check_names(incident, wanted.alerts, known, wanted.location)
        _check_names(incident, incident.inhibited or (), known, incident.location)
        _check_names(incident, incident.silenced or (), known, incident.location)


def names_of(incident: Incident) -> list[str]:
    """Everything that the incident's alerts may be called."""
    given = [one.alert for one in incident.alerts if one.alert]
    labels = [one.labels["alertname"] for one in incident.alerts if one.labels.get("alertname")]
    return list(dict.fromkeys([*given, *(name.rpartition("::")[2] for name in given), *labels]))


def _check_names(incident: Incident, names: Iterable[str], known: Sequence[str], where: Location) -> None:
    for name in names:
        if name not in known:
            _refuse(incident, where, f"{name} is none of the incident's alerts", name, known)


def _refuse(incident: Incident, where: Location, what: str, name: str, known: Sequence[str]) -> NoReturn:
    near = nearest(name.rpartition("::")[2], known)
    hint = f"did you mean {near}?" if near else "correct the name"
    raise FileError(where.path, where.line, f'incidents: "{incident.name}": {what}; {hint}')
