"""Where the alerts of a run and its routing tests end in the routing tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_sre.errors import Refused
from pytest_sre.live.job import Found, Job
from pytest_sre.live.page import Office
from pytest_sre.live.routed import routed, sides, taken
from pytest_sre.model.routingtest import alert_key
from pytest_sre.sources.intervals import has_hours
from pytest_sre.stack.backend import Stack


def follow(job: Job, run: Found, stack: Stack, folder: Path) -> None:
    """Ask Alertmanager about them, where they are asked for and it runs with this configuration."""
    routing = job.inventory.routing
    asked = list(_label_sets(job, run))
    if routing is None or not asked or run.refused(routing.path):
        return
    job.tell(f"routing {len(asked)} label sets")
    office = Office(stack, job.settings.file.servers.alertmanager, routing, folder, job.settings.keep)
    try:
        ends = routed(office, asked)
    except Refused:  # one label set must not cost the others their answers
        asked = taken(office, asked)
        ends = routed(office, asked, "routes-taken")
    run.ends.update(zip(map(alert_key, asked), ends, strict=True))
    if job.coverage:
        run.sides.update(zip(map(alert_key, asked), sides(office, asked), strict=True))


def _label_sets(job: Job, run: Found) -> Iterator[Mapping[str, str]]:
    yield from (test.labels for test in job.routing)
    if job.coverage or (job.deliver and has_hours(job.inventory.routing)):
        fired = (one for alert in run.alerts.values() for one in alert.fired)
        yield from (one.sent_labels for one in fired if one.sent_labels)
