"""The object behind the fixture `sre`, and the marker that chooses its scope and version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sre.checks import incident as check
from pytest_sre.checks.case import Skipped
from pytest_sre.errors import UserError
from pytest_sre.incidents import make
from pytest_sre.incidents.incident import Incident, Told, unknown
from pytest_sre.incidents.routes import read_label_sets, receivers
from pytest_sre.incidents.together import Together, read_together
from pytest_sre.live.job import Job
from pytest_sre.model.observation import AlertObservation, Observations
from pytest_sre.own import OwnError
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.incidents import rules_of

if TYPE_CHECKING:
    from pytest_sre.session import Plugin

_NO_ROUTING = "no Alertmanager configuration was found; name it with `alertmanager:` in sre.yaml"
_KEYS = ("scope", "version")
_Decoded = Callable[[AlertObservation], AlertObservation]


class Sre:
    """Makes incidents with a scope's own files on the real servers; equal ones are made once a run."""

    def __init__(
        self, run: Plugin, settings: Settings, inventory: Inventory, slos: Mapping[str, Any]
    ) -> None:
        self._run, self._settings, self._inventory, self._slos = run, settings, inventory, slos

    def burn(self, *, slo: str, error_ratio: float) -> Incident:
        """A share (above 0, up to 1) of an SLO's requests fails; raises UserError for what does not exist."""
        __tracebackhide__ = True
        if slo not in self._slos:
            raise UserError(unknown("SLO", slo, self._slos))
        if (
            isinstance(error_ratio, bool)
            or not isinstance(error_ratio, (int, float))
            or not 0 < error_ratio <= 1
        ):
            raise UserError(f"error_ratio={error_ratio!r}: it is a share of requests, above 0 and up to 1")
        job = make.burn_job(self._settings, self._inventory, self._slos[slo], error_ratio)
        title = f"{error_ratio * 100:g} % of the requests of {slo} fail"
        return self._incident(title, ("burn", slo, float(error_ratio)), job, make.burnt)

    def fire(self, alert: str) -> Incident:
        """One alert (a name or ``file::name``) fires on data made for it; raises UserError if there is none."""
        __tracebackhide__ = True
        rules = rules_of(alert, self._inventory.rules)
        if not rules:
            raise UserError(unknown("alert", alert, make.names(self._inventory)))
        job = make.fire_job(self._settings, self._inventory, rules)
        return self._incident(f"{alert} fires", ("fire", alert), job, make.lit)

    def together(self, *alerts: str | Mapping[str, Any], silences: Iterable[str] = ()) -> Together:
        """Alerts fire together, with inhibition, grouping and silences at work; raises UserError for what is not there.

        Each is a name (or ``file::name``), labels with an ``alertname``, or a mapping with ``alert``, ``labels`` and
        ``annotations`` as an incident of sre.yaml has it.
        """
        __tracebackhide__ = True
        incident = read_together(alerts, silences)
        job = make.together_job(self._settings, self._inventory, incident)
        asked = repr((incident.alerts, incident.silences))
        seen = self._observed(("together", asked), job).incidents[incident.name]
        verdict = check.unplayed(incident, seen)
        if isinstance(verdict, Skipped):
            if not self._run.strict:
                pytest.skip(verdict.reason)
            raise AssertionError(f"not proven (strict): {verdict.reason}")
        if verdict:
            raise AssertionError("\n".join(one.text for one in verdict))
        routing = self._inventory.routing
        receivers = routing.receivers if routing else ()
        return Together(incident, seen, receivers, self._run.own.decoded_one)

    def route(self, labels: Mapping[str, str], at: datetime | str | None = None) -> tuple[str, ...]:
        """The receivers that an alert with these labels reaches, each once, in the order of the routes.

        With ``at`` (with an offset) those that time intervals leave then. Raises UserError for what is no alert.
        """
        __tracebackhide__ = True
        return self.routes([labels], at)[0]

    def routes(
        self, label_sets: Iterable[Mapping[str, str]], at: datetime | str | None = None
    ) -> list[tuple[str, ...]]:
        """The same for many label sets at once, which is faster."""
        __tracebackhide__ = True
        asked, when = read_label_sets(label_sets, at)
        routing = self._inventory.routing
        if routing is None:
            raise UserError(_NO_ROUTING)
        ends = self._run.asked.ends(self._settings, routing, asked)
        return [receivers(routing, numbers, when) for numbers in ends]

    def _incident(
        self,
        title: str,
        key: tuple[object, ...],
        job: Job,
        read: Callable[[Job, Observations, _Decoded], tuple[Told, ...]],
    ) -> Incident:
        __tracebackhide__ = True
        seen = self._observed(key, job)
        try:
            told = read(job, seen, self._run.own.decoded)
        except OwnError as error:
            pytest.fail(str(error), pytrace=False)
        routing = self._inventory.routing
        receivers = routing.receivers if routing else ()
        return Incident(title, told, make.names(self._inventory), tuple(receivers))

    def _observed(self, key: tuple[object, ...], job: Job) -> Observations:
        __tracebackhide__ = True
        seen = self._run.asked.incident((self._settings.label, *key), job)
        self._check_loaded(job, seen)
        return seen

    def _check_loaded(self, job: Job, seen: Observations) -> None:
        __tracebackhide__ = True
        routing = job.inventory.routing
        verdict = seen.files.get(routing.path) if routing else None
        if routing is None:
            raise UserError(_NO_ROUTING)
        if verdict is not None and verdict.error:
            raise UserError(f"{verdict.path}:{verdict.line}: {verdict.error}")


def open_sre(request: pytest.FixtureRequest) -> Sre:
    """The fixture for one test; wrong use of the marker is an error of its set-up."""
    run: Plugin = request.config.pluginmanager.get_plugin("sre-alerts")  # type: ignore[assignment]
    wrong = ""
    try:
        target = _target(run, read_marker(request.node.iter_markers("sre")))
    except UserError as error:
        wrong = f"pytest-sre: {error}"
    if wrong:  # not where it is handled: pytest would show both
        pytest.fail(wrong, pytrace=False)
    return Sre(run, target.settings, target.inventory, {slo.name: slo for slo in target.slos})


def read_marker(marks: Iterable[pytest.Mark]) -> dict[str, str]:
    """``scope`` and ``version`` of ``@pytest.mark.sre``, the nearest mark first; raises UserError."""
    wanted: dict[str, str] = {}
    for mark in marks:
        bad = [repr(value) for value in mark.args] + [key for key in mark.kwargs if key not in _KEYS]
        bad += [f"{key}={value!r}" for key, value in mark.kwargs.items() if not isinstance(value, str)]
        if bad:
            raise UserError(f'@pytest.mark.sre takes scope="…" and version="…", not {", ".join(bad)}')
        wanted = {**mark.kwargs, **wanted}
    return wanted


def _target(run: Plugin, wanted: Mapping[str, str]) -> Any:
    """The scope's stack; of several versions the first, unless one is named."""
    targets = [target for scope in run.scopes for target in scope]
    for key in _KEYS:
        known = list(dict.fromkeys(getattr(target.settings, key) for target in targets))
        if key in wanted:
            if wanted[key] not in known:
                raise UserError(f"@pytest.mark.sre: {unknown(key, wanted[key], filter(None, known))}")
            targets = [target for target in targets if getattr(target.settings, key) == wanted[key]]
        elif key == "scope" and len(known) > 1:
            raise UserError(f'there are several scopes; choose one: @pytest.mark.sre(scope="{known[0]}")')
    return targets[0]
