"""Which parts of Alertmanager's configuration does no alert of the repository ever use?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sre.checks import coverage_lists
from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.checks.coverage_use import Use, count, matches
from pytest_sre.checks.routing import described, path_to
from pytest_sre.checks.unloaded import unusable
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Observations
from pytest_sre.model.routing import Route, preorder
from pytest_sre.model.routingtest import RoutingTest
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible
from pytest_sre.report.routes import explain_routes
from pytest_sre.sources.discover import Inventory

NAME = "coverage"
_ELSEWHERE = "or say with a test in `routing:` of sre.yaml which alerts from elsewhere it is for"


def judge(inventory: Inventory, seen: Observations, tests: Sequence[RoutingTest]) -> Verdict:
    """Warn of routes, receivers, inhibit rules and time intervals without a use, and of alerts without a route."""
    routing = inventory.routing
    if routing is None or unusable(inventory, seen.files):
        return Skipped("Alertmanager does not run with this configuration; see its item `loads`", True)
    alerts = [rule for rule in inventory.rules if rule.kind == "alert"]
    lost = {path for path, verdict in seen.files.items() if verdict.error}
    missing = [rule for rule in alerts if rule not in seen.alerts and rule.location.path not in lost]
    if missing:
        return Skipped(f"{len(missing)} of {len(alerts)} alerts were not run; it is about all of them", True)
    use = Use(routing, seen, tests, tuple(rule for rule in alerts if _unknown(rule, seen)))
    if not use.keys:
        return Skipped("no alert fired, and there is no routing test", True)
    return (*_default(use), *_routes(use), *coverage_lists.unused(use, inventory))


def _unknown(rule: Rule, seen: Observations) -> bool:
    alert = seen.alerts.get(rule)
    return alert is None or (alert.state != "firing" and not isinstance(alert.plan, Impossible))


def _default(use: Use) -> Iterator[Finding]:
    """Alerts that no route below the root takes."""
    root = use.routing.root
    rules = dict.fromkeys(rule for key, rule in use.fired.items() if 0 in use.seen.ends.get(key, ()))
    if not rules or not root.routes:
        return
    yield Finding(
        NAME,
        root.location,
        f"{count(len(rules), 'alert')} end{'s' if len(rules) == 1 else ''} at the default receiver {root.receiver}",
        expected="a route for each alert",
        seen=f"no route below the root takes {'it' if len(rules) == 1 else 'these'}:",
        details=tuple(f"{rule.location} {rule.name}" for rule in rules),
        next_step="add a route, or mend the labels of the alert; where the default is meant, add a route to it that says so",
        severity="warning",
    )


def _routes(use: Use) -> Iterator[Finding]:
    """The topmost routes below which nothing ends."""
    pending = list(use.routing.root.routes)
    while pending:
        route = pending.pop(0)
        way = path_to(use.routing.root, route)
        if use.passed(route):
            pending += route.routes
        elif not use.open(way):
            yield _unused(use, route, way)


def _unused(use: Use, route: Route, way: Sequence[Route]) -> Finding:
    below = len(list(preorder(route))) - 1
    more = f", nor at the {count(below, 'route')} below it" if below else ""
    return Finding(
        NAME,
        route.location,
        f"no alert ends at this route to {route.receiver}{more}",
        expected=f"an alert with {' > '.join(described(one) for one in way[1:])}",
        seen=use.counted,
        details=tuple(_shadow(use, route, way)),
        next_step=f"delete it, mend its matchers, {_ELSEWHERE}",
        severity="warning",
    )


def _shadow(use: Use, route: Route, way: Sequence[Route]) -> Iterator[str]:
    """An alert that matches the route and never gets there."""
    matchers = [matcher for one in way for matcher in one.matchers]
    for key in use.keys:
        labels = dict(key)
        if all(matches(matcher, labels) for matcher in matchers):
            found = explain_routes(use.routing.root, labels).shadowed
            over = next((one for one in found if any(one.route is step for step in way)), None)
            if over is not None:
                name = labels.get("alertname", "a routing test")
                yield f"{name} matches, but {over.by.location} (receiver {over.by.receiver}) comes first and has no `continue: true`"
                return
