"""What the user's own hooks say; what they raise is told with its place and costs one item only."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pytest_sre.checks import CHECKS, coverage, incident, loads, policy, routing, unit
from pytest_sre.checks.case import Case, Skipped, Verdict
from pytest_sre.errors import UserError
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.incident import IncidentObservation
from pytest_sre.model.observation import AlertObservation, Notification, Observations

_LINK = re.compile(r"https?://[^\s\"'<>\\|)\]]+")
_NEEDS = ("", "fire", "deliver", "time")
_TAKEN = {check.NAME for check in (*CHECKS, coverage, incident, loads, policy, routing, unit)}


class OwnError(UserError):
    """A user's hook raised something, or gave what it must not."""


class Own:
    """The hooks of a run. ``root`` is what places are shown relative to."""

    def __init__(self, hook: Any, root: Path) -> None:
        self._hook, self._root = hook, root

    @cached_property
    def checks(self) -> tuple[Any, ...]:
        """The user's own checks; raises UserError for what is no check."""
        found: list[Any] = []
        for impl in self._hook.pytest_sre_checks.get_hookimpls():
            for check in self._call("pytest_sre_checks", impl.function) or ():
                _check_shape(check, [one.NAME for one in found])
                found.append(check)
        return tuple(found)

    def judge(self, check: Any, case: Case) -> Verdict:
        """What a user's own check says; raises OwnError."""
        verdict = self._call(f"the check {check.NAME}", lambda: _listed(check.judge(case)))
        return verdict if isinstance(verdict, Skipped) else tuple(_findings(check.NAME, case, verdict))

    def expectations(self, name: str, case: Case) -> tuple[Finding, ...]:
        """What the user's own expectations find, and what is wrong with themselves."""
        found: list[Finding] = []
        for impl in self._hook.pytest_sre_expect.get_hookimpls():
            try:
                said = self._call("pytest_sre_expect", partial(_given, impl, {"case": case}))
                found += _findings(name, case, said)
            except OwnError as error:
                found.append(Finding(name, case.rule.location, str(error), next_step="mend the hook"))
        return tuple(found)

    def decoded(self, alert: AlertObservation) -> AlertObservation:
        """An alert's notifications as the user's own decoders read them; raises OwnError."""
        if not self._hook.pytest_sre_decode.get_hookimpls():
            return alert
        return replace(alert, notifications=tuple(map(self.decoded_one, alert.notifications)))

    def read(self, seen: Observations) -> Observations:
        """Everything that was sent, as the user's own decoders read it; as it is where one raises: that is told elsewhere."""
        if not self._hook.pytest_sre_decode.get_hookimpls():
            return seen
        alerts = {rule: self.as_read(one) for rule, one in seen.alerts.items()}
        incidents = {name: self._incident(one) for name, one in seen.incidents.items()}
        return replace(seen, alerts=alerts, incidents=incidents)

    def as_read(self, alert: AlertObservation) -> AlertObservation:
        """What was sent for an alert, as the user's own decoders read it; as it is where one raises."""
        return replace(
            alert,
            notifications=tuple(map(self._read, alert.notifications)),
            resolved=tuple(map(self._read, alert.resolved)),
        )

    def _incident(self, seen: IncidentObservation) -> IncidentObservation:
        told = (replace(one, sent=tuple(map(self._read, one.sent))) for one in seen.notifications)
        return replace(seen, notifications=tuple(told))

    def _read(self, notification: Notification) -> Notification:
        if not self._hook.pytest_sre_decode.get_hookimpls():
            return notification
        try:
            return self.decoded_one(notification)
        except OwnError:
            return notification

    def decoded_one(self, notification: Notification) -> Notification:
        """A notification as the user's own decoders read it; raises OwnError."""
        kind, payload = notification.integration.kind, notification.payload
        texts = self._call(
            "pytest_sre_decode", lambda: self._hook.pytest_sre_decode(kind=kind, payload=payload)
        )
        if texts is None:
            return notification
        if not isinstance(texts, Mapping):
            raise OwnError(
                f"pytest_sre_decode gave a {type(texts).__name__}, not a mapping of texts by field"
            )
        fields = {str(name): str(text) for name, text in texts.items()}
        text = "\n".join(fields.values())
        title, links = fields.get("title", ""), tuple(dict.fromkeys(_LINK.findall(text)))
        return replace(notification, texts=fields, title=title, text=fields.get("text", text), links=links)

    def _call(self, what: str, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except UserError:
            raise
        except Exception as error:
            raise OwnError(f"{self._place(error)}: {what} raised {type(error).__name__}: {error}") from None

    def _place(self, error: Exception) -> Location:
        """The last line that is the user's own, else the last of all."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if Path(one.filename).is_relative_to(self._root)]
        own = [one for one in own if "site-packages" not in one.filename]
        last = (own or frames)[-1]
        path = Path(last.filename)
        shown = path.relative_to(self._root) if path.is_relative_to(self._root) else path
        return Location(shown.as_posix(), last.lineno or 1)


def _given(impl: Any, known: Mapping[str, Any]) -> Any:
    """Call an implementation with those arguments that it takes."""
    return _listed(impl.function(*[known[name] for name in impl.argnames]))


def _listed(said: Any) -> Any:
    """A generator runs now, so that what it raises is told as the hook's."""
    return said if isinstance(said, (Skipped, str)) or not isinstance(said, Iterable) else list(said)


def _findings(name: str, case: Case, said: Any) -> Iterator[Finding]:
    for one in [said] if isinstance(said, (str, Finding)) else said or ():
        if not isinstance(one, (str, Finding)):
            raise OwnError(f"{name}: an own hook gave {one!r}, which is neither a text nor a Finding")
        yield Finding(name, case.rule.location, one) if isinstance(one, str) else one


def _check_shape(check: Any, taken: list[str]) -> None:
    name = getattr(check, "NAME", None)
    if not isinstance(name, str) or not name or not callable(getattr(check, "judge", None)):
        raise UserError(f"pytest_sre_checks: {check!r} is no check: it needs NAME, NEEDS and judge(case)")
    if getattr(check, "NEEDS", None) not in _NEEDS:
        raise UserError(f"pytest_sre_checks: {name}: NEEDS is one of {', '.join(map(repr, _NEEDS))}")
    if name in _TAKEN or name in taken:
        raise UserError(f"pytest_sre_checks: {name}: there is a check of this name already")
