"""From the selected items of a target to the job of its stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_sre.checks import runbook
from pytest_sre.items.alerts import AlertItem
from pytest_sre.items.files import FileItem
from pytest_sre.items.incidents import IncidentItem
from pytest_sre.items.item import SreItem
from pytest_sre.items.routing import CoverageItem, RoutingItem
from pytest_sre.items.slos import SloItem
from pytest_sre.items.target import Target
from pytest_sre.items.units import UnitItem
from pytest_sre.live.job import Asked, Job
from pytest_sre.model.routingtest import RoutingTest
from pytest_sre.sources.incidents import rules_of


def job_of(
    target: Target, items: Sequence[SreItem], plots: bool, tell: Callable[[str], None], *, whole: bool = False
) -> Job:
    """What all selected items of a target need to be observed; ``tell`` shows progress.

    ``whole`` is whether all alerts fire where the coverage is asked, selected or not.
    """
    asked = [item for item in items if isinstance(item, AlertItem)]
    alerts = dict.fromkeys(item.rule for item in asked if item.check.NEEDS != "time")
    timed = dict.fromkeys(item.rule for item in asked if item.check.NEEDS == "time")
    incidents = tuple(item.incident for item in items if isinstance(item, IncidentItem))
    coverage = any(isinstance(item, CoverageItem) for item in items)
    named = [one.alert for incident in incidents for one in incident.alerts]
    fired = {rule for name in named for rule in rules_of(name, target.inventory.rules)}
    if coverage and whole:
        fired |= {rule for rule in target.inventory.rules if rule.kind == "alert"}
    together = frozenset(fired - alerts.keys())
    alerts |= dict.fromkeys(rule for rule in target.inventory.rules if rule in together)
    if any(isinstance(item, SloItem) for item in items):
        # Whichever alerts are selected, all watch over the SLO.
        timed = dict.fromkeys(rule for rule in target.inventory.rules if rule.kind == "alert")
    routing = target.inventory.routing.path if target.inventory.routing else ""
    deliver = any(
        item.check.NEEDS == "deliver"
        if isinstance(item, AlertItem)
        else isinstance(item, (RoutingItem, CoverageItem, IncidentItem))
        or (isinstance(item, FileItem) and item.shown == routing)
        for item in items
    )
    return Job(
        target.settings,
        target.inventory,
        tuple(alerts),
        bool(alerts),
        deliver,
        tell,
        tuple(timed),
        target.slos,
        target.policy,
        plots,
        tuple(_units(target, items)),
        coverage=coverage,
        routing=target.routing if coverage else tuple(_routing_tests(items)),
        incidents=incidents,
        together=together,
        runbooks=frozenset(item.rule for item in asked if item.check is runbook),
    )


def _routing_tests(items: Sequence[SreItem]) -> Iterator[RoutingTest]:
    return (item.test for item in items if isinstance(item, RoutingItem))


def _units(target: Target, items: Sequence[SreItem]) -> Iterator[Asked]:
    """The files of unit tests that have items, each with those of its tests that have some."""
    wanted = {item.group for item in items if isinstance(item, UnitItem)}
    paths = {item.place.path for item in items}
    for file in target.inventory.unit_files:
        if file.path in paths:
            yield file, tuple(group for group in file.groups if group in wanted)
