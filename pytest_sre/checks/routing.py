"""Does a label set reach exactly the receivers that its routing test states?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.checks.pages_hours import routes_at
from pytest_sre.checks.unloaded import nobody, unusable
from pytest_sre.errors import FileError
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.routing import Route, Routing, preorder
from pytest_sre.model.routingtest import Ends, RoutingTest, alert_key
from pytest_sre.report.chain import label_text
from pytest_sre.report.routes import explain_routes
from pytest_sre.sources.discover import Inventory

NAME = "routing"


def judge(test: RoutingTest, inventory: Inventory, files: Mapping[str, FileVerdict], ends: Ends) -> Verdict:
    """Pass when Alertmanager says that an alert with these labels reaches these receivers and no other."""
    routing = inventory.routing
    broken = unusable(inventory, files)
    if broken is not None:
        return (nobody(NAME, test.location, f"{test.name} reaches nobody", broken, _and(test.receivers)),)
    if routing is None:
        return Skipped("no Alertmanager configuration was found; name it with `alertmanager:` in sre.yaml")
    numbers = ends.get(alert_key(test.labels))
    if numbers is None:
        return (_refused(test),)
    routes = list(preorder(routing.root))
    try:
        awake, muted = routes_at(routing, numbers, test.at)
    except FileError as error:
        where = Location(error.path, error.line)
        return (Finding(NAME, where, "a time interval cannot be read", seen=error.reason),)
    seen = tuple(dict.fromkeys(routes[number].receiver for number in awake))
    if set(seen) == set(test.receivers):
        return ()
    return (
        Finding(
            NAME,
            test.location,
            f"{test.name} does not reach exactly the receivers stated",
            expected=_and(test.receivers),
            seen=_and(seen),
            details=(*_chain(routing, test, numbers), *muted),
            next_step=f"mend the first route above that is not as you want it in {routing.path}, or `receivers` here",
        ),
    )


def path_to(root: Route, wanted: Route) -> tuple[Route, ...]:
    """The routes from the root to one of them, both included."""
    if root is wanted:
        return (root,)
    ways = (path_to(child, wanted) for child in root.routes)
    return next(((root, *way) for way in ways if way), ())


def described(route: Route) -> str:
    """A route's place and what it asks for."""
    asks = ", ".join(map(str, route.matchers)) or "(all)"
    return f"{route.location} {asks}"


def _refused(test: RoutingTest) -> Finding:
    return Finding(
        NAME,
        test.location,
        f"{test.name} is no alert to this Alertmanager, which does not take its labels",
        expected="names of labels as this version takes them: before 0.27 letters, digits and `_`",
        seen=label_text(test.labels),
        next_step="mend the names of these labels",
    )


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "nobody"


def _chain(routing: Routing, test: RoutingTest, numbers: tuple[int, ...]) -> Iterator[str]:
    """What Alertmanager said, route by route, then what was close."""
    yield f"alert     {label_text(test.labels)}"
    routes = list(preorder(routing.root))
    for number in numbers:
        way = " > ".join(described(route) for route in path_to(routing.root, routes[number]))
        yield f"route     {way} → {routes[number].receiver}"
    trace = explain_routes(routing.root, test.labels)
    for line in trace.lines()[len(trace.matched) :]:
        yield f"not       {line}"
