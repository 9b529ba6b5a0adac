"""What of a configuration's lists - receivers, inhibit rules, time intervals - no alert uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pytest_sre.checks.coverage_equal import Equals
from pytest_sre.checks.coverage_use import Use
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.interval import DEFINED, USED
from pytest_sre.model.routing import Route, preorder
from pytest_sre.sources.alertmanager import side_matchers
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.yamlfile import line_of

_NAME = "coverage"


def unused(use: Use, inventory: Inventory) -> Iterator[Finding]:
    """A warning for each, at its line."""
    yield from _receivers(use)
    yield from _inhibit_rules(use, inventory)
    yield from _intervals(use)


def _entries(use: Use, key: str) -> Iterator[tuple[Mapping[str, Any], Location]]:
    entries = use.routing.document.get(key) or ()
    for number, entry in enumerate(entries):
        yield entry, use.routing.place(line_of(entries, number))


def _receivers(use: Use) -> Iterator[Finding]:
    """Receivers that nobody reaches, though their routes are used: by routes below them, or there are none.

    The root must have a receiver, and it is well when no alert reaches that.
    """
    reached = {route.receiver for route in use.ended} | {use.routing.root.receiver}
    for entry, place in _entries(use, "receivers"):
        name = str(entry["name"])
        routes = [route for route in preorder(use.routing.root) if route.receiver == name]
        if (
            name not in reached
            and all(use.passed(route) for route in routes)
            and not (routes and use.unknown)
        ):
            why = (
                "every alert that comes to its route goes on to one below" if routes else "no route names it"
            )
            yield _finding(
                use, place, f"no alert reaches receiver {name}", why, "delete it, or route alerts to it"
            )


def _inhibit_rules(use: Use, inventory: Inventory) -> Iterator[Finding]:
    equals = Equals(use, inventory)
    matched = {number for sides in use.seen.sides.values() for number in sides}
    for number, (rule, place) in enumerate(_entries(use, "inhibit_rules")):
        sides: Sequence[tuple[Literal["source", "target"], int]] = (("source", 1), ("target", 2))
        lacking = [side for side, at in sides if 2 * number + at not in matched]
        if use.unknown:
            continue
        if not lacking:
            apart = equals.finding(_NAME, rule, place)
            yield from [apart] if apart else []
            continue
        said = " and ".join(f"no {side} ({_asks(rule, side)})" for side in lacking)
        yield _finding(
            use,
            place,
            "no alert ever needs this inhibit rule",
            f"{said} among the alerts",
            "delete it, or mend its matchers",
        )


def _asks(rule: Mapping[str, Any], side: Literal["source", "target"]) -> str:
    return ", ".join(map(str, side_matchers(rule, side))) or "(all)"


def _intervals(use: Use) -> Iterator[Finding]:
    named = _named(use.routing.document["route"], use.routing.root)
    for key in DEFINED:
        for entry, place in _entries(use, key):
            name = str(entry["name"])
            routes = named.get(name, [])
            if not any(use.passed(route) for route in routes) and not (routes and use.unknown):
                why = "only routes name it at which no alert ends" if routes else "no route names it"
                yield _finding(
                    use, place, f"no alert ever needs the time interval {name}", why, "delete it, or use it"
                )


def _named(document: Mapping[str, Any], root: Route) -> dict[str, list[Route]]:
    """Time intervals by name, with the routes that name them."""
    found: dict[str, list[Route]] = {}
    for written, route in _both(document, root):
        for key in USED:
            for name in written.get(key) or ():
                found.setdefault(str(name), []).append(route)
    return found


def _both(document: Mapping[str, Any], route: Route) -> Iterator[tuple[Mapping[str, Any], Route]]:
    """Each route as it is written, and as we know it."""
    yield document, route
    for written, child in zip(document.get("routes") or (), route.routes, strict=True):
        yield from _both(written, child)


def _finding(use: Use, place: Location, summary: str, why: str, next_step: str) -> Finding:
    return Finding(
        _NAME, place, summary, seen=f"{why}; {use.counted}", next_step=next_step, severity="warning"
    )
