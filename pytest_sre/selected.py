"""Which items --sre-changed selects."""

from __future__ import annotations

from pytest_sre.changed.against import Against
from pytest_sre.items.alerts import AlertItem
from pytest_sre.items.incidents import IncidentItem
from pytest_sre.items.item import SreItem
from pytest_sre.items.routing import CoverageItem, RoutingItem
from pytest_sre.items.slos import SloItem


def is_changed(item: SreItem, against: Against) -> bool:
    """Whether what an item is about means something else than in the base."""
    comparison = against.of(item.target.inventory)
    if isinstance(item, AlertItem):
        return item.rule in comparison.reasons
    if isinstance(item, SloItem):
        return item.slo.name in comparison.slos
    if isinstance(item, RoutingItem):
        routing, before = item.target.inventory.routing, against.routing_before(item.target.inventory)
        asked = (item.test.labels, item.test.receivers, item.test.at)
        same = any((one.labels, one.receivers, one.at) == asked for one in before)
        return not same or routing is None or routing.path in comparison.files
    if isinstance(item, IncidentItem):
        return item.incident.name in comparison.incidents
    if isinstance(item, CoverageItem):
        return comparison.coverage
    return item.place.path in comparison.files
