"""What Python tests ask of the servers; the same is asked once a run."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pytest_sre.errors import Refused, StackError, UserError
from pytest_sre.incidents.make import quiet_tell
from pytest_sre.live.fleet import Results, observe_all
from pytest_sre.live.job import Job
from pytest_sre.live.page import NotLoaded
from pytest_sre.live.router import Router, open_router
from pytest_sre.live.share import Share
from pytest_sre.model.observation import AlertObservation, Observations
from pytest_sre.model.routing import Routing
from pytest_sre.model.rules import Rule
from pytest_sre.options import Options
from pytest_sre.settings import Settings
from pytest_sre.terminable import terminable

_BROKEN = "broken-for-python"


class BrokenStack(Exception):
    """The stack broke while a test asked it: an error of the run, no failure of the test."""


class Run(Protocol):
    """What is asked of the run."""

    options: Options
    results: Results

    @property
    def share(self) -> Share | None:
        """What all workers of pytest-xdist have in common."""
        ...

    def check_controller(self) -> None:
        """End a worker whose controller is gone."""


class Asked:
    """Incidents and routes of one run. What stays open until its end is on ``closing``."""

    def __init__(self, run: Run, closing: contextlib.ExitStack) -> None:
        self._run, self._closing = run, closing
        self._incidents: dict[tuple[object, ...], Results] = {}
        self._fired: dict[str, dict[Rule, AlertObservation]] = {}
        self._routers: dict[str, Router | Exception] = {}
        self._broken = False

    @property
    def is_broken(self) -> bool:
        """Whether the stack of a Python test was broken, in this process or in a worker of it."""
        return self._broken or (self._run.share is not None and self._run.share.asked(_BROKEN))

    def incident(self, key: tuple[object, ...], job: Job) -> Observations:
        """What came out of a job; of equal keys one is run, in one of all workers. Raises BrokenStack."""
        __tracebackhide__ = True
        if key not in self._incidents:
            name = f"incident-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
            share = self._run.share
            made = share.get(lambda: self._observe(job), name) if share else self._observe(job)
            self._incidents[key] = made
        seen = self._incidents[key][""]
        if isinstance(seen, StackError):
            raise self._told(seen)
        self._fired.setdefault(job.settings.label, {}).update(seen.alerts)
        return seen

    def _observe(self, job: Job) -> Results:
        job = self._without_known(job)
        with terminable():
            return observe_all({"": job}, keep=self._run.options.keep, check=self._run.check_controller)

    def _without_known(self, job: Job) -> Job:
        """The same without alerts that fired already, in the run itself or for another incident."""
        label = job.settings.label
        run = self._run.results.get(label)
        seen = {**self._fired.get(label, {}), **(run.alerts if isinstance(run, Observations) else {})}
        known = {one: seen[one] for one in job.alerts if one in seen and _suffices(seen[one], job)}
        left = tuple(one for one in job.alerts if one not in known)
        return replace(job, alerts=left, fire=bool(left), known=known)

    def ends(
        self, settings: Settings, routing: Routing, label_sets: Sequence[Mapping[str, str]]
    ) -> list[tuple[int, ...]]:
        """The routes at which alerts end, by an Alertmanager that stays open until the run ends.

        Raises UserError for labels that it does not take or a file that it does not load, and BrokenStack.
        """
        __tracebackhide__ = True
        try:
            router = self._router(settings, routing)
            try:
                return router.ends(label_sets)
            except Refused:
                return _one_by_one(router, label_sets)
        except NotLoaded as error:
            verdict = error.verdict
            raise UserError(f"{verdict.path}:{verdict.line}: {verdict.error}") from None
        except StackError as error:
            raise self._told(error) from None

    def _router(self, settings: Settings, routing: Routing) -> Router:
        """The open one; one that did not open is not tried again. Raises what `open_router` raises."""
        __tracebackhide__ = True
        if not self._routers:
            self._closing.enter_context(terminable())
        if settings.label not in self._routers:
            self._routers[settings.label] = self._open(settings, routing)
        found = self._routers[settings.label]
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        return found

    def _open(self, settings: Settings, routing: Routing) -> Router | Exception:
        try:
            return self._closing.enter_context(open_router(settings, routing, quiet_tell))
        except (NotLoaded, StackError, UserError) as error:
            return error

    def _told(self, error: StackError) -> BrokenStack:
        self._broken = True
        if self._run.share:
            self._run.share.first(_BROKEN)
        return BrokenStack(str(error))


def _suffices(seen: AlertObservation, job: Job) -> bool:
    """Whether an alert fired and Prometheus sent it; and was delivered apart from others, where that is asked."""
    fired = seen.state == "firing" and bool(seen.fired)
    return fired and all(one.sent_labels and (job.incidents or one.fingerprint) for one in seen.fired)


def _one_by_one(router: Router, label_sets: Sequence[Mapping[str, str]]) -> list[tuple[int, ...]]:
    """Where alerts end of which one is refused: that one must not be blamed on the others."""
    __tracebackhide__ = True
    found = []
    for labels in label_sets:
        try:
            found += router.ends([labels])
        except Refused as error:
            raise UserError(f"{dict(labels)} is no alert to this Alertmanager: {error}") from None
    return found
