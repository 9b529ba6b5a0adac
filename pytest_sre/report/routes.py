"""Why an alert went where it went: an explanation, never a verdict (the server routes)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher, Route

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Matched:
    """A route that takes the alert, and the routes that lead to it, root first."""

    route: Route
    parents: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Almost:
    """A route whose parent matched and of whose matchers exactly one failed; ``seen`` None: no such label."""

    route: Route
    failed: Matcher
    seen: str | None
    closeness: float


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A route that matches, but is never asked: ``by`` comes first and doesn't continue."""

    route: Route
    by: Route


@dataclass(frozen=True, slots=True)
class RouteTrace:
    """What became of one label set in the routing tree; ``almost`` is sorted, closest first."""

    matched: tuple[Matched, ...]
    almost: tuple[Almost, ...]
    shadowed: tuple[Shadowed, ...]

    def lines(self, shown: int = _SHOWN) -> tuple[str, ...]:
        """One short line each; of the routes that almost matched only the ``shown`` closest."""
        return (
            *(_matched(item) for item in self.matched),
            *(_shadowed(item) for item in self.shadowed),
            *(_almost(item) for item in self.almost[:shown]),
        )


@dataclass
class _Notes:
    labels: Mapping[str, str]
    matched: list[Matched] = field(default_factory=list)
    almost: list[Almost] = field(default_factory=list)
    shadowed: list[Shadowed] = field(default_factory=list)


def explain_routes(root: Route, labels: Mapping[str, str]) -> RouteTrace:
    """Follow a label set through the tree the way Alertmanager's documentation describes it."""
    notes = _Notes(labels)
    _follow(root, (), notes)
    notes.almost.sort(key=lambda item: -item.closeness)
    return RouteTrace(tuple(notes.matched), tuple(notes.almost), tuple(notes.shadowed))


def _follow(route: Route, parents: tuple[Route, ...], notes: _Notes) -> None:
    taken = len(notes.matched)
    by: Route | None = None
    for child in route.routes:
        failed = [matcher for matcher in child.matchers if not _matches(matcher, notes.labels)]
        if by is not None:
            if not failed:
                notes.shadowed.append(Shadowed(child, by))
        elif not failed:
            _follow(child, (*parents, route), notes)
            by = None if child.continues else child
        elif len(failed) == 1:
            notes.almost.append(_note(child, failed[0], notes.labels))
    if len(notes.matched) == taken:
        notes.matched.append(Matched(route, parents))


def _matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    try:
        return matcher.matches(labels)
    except re.error:
        # Go reads a few expressions that Python doesn't; an explanation may miss those.
        return False


def _note(route: Route, failed: Matcher, labels: Mapping[str, str]) -> Almost:
    seen = labels.get(failed.label)
    likeness = difflib.SequenceMatcher(None, failed.value, seen or "").ratio()
    return Almost(route, failed, seen, len(route.matchers) - 1 + likeness)


def _matched(item: Matched) -> str:
    path = " > ".join(route.receiver for route in (*item.parents, item.route))
    return f"{item.route.location} receiver {item.route.receiver}: matched ({path})"


def _shadowed(item: Shadowed) -> str:
    return (
        f"{item.route.location} receiver {item.route.receiver}: matches too, but {item.by.location} "
        f"(receiver {item.by.receiver}) comes first and has no `continue: true`"
    )


def _almost(item: Almost) -> str:
    label = item.failed.label
    seen = f"no label {label}" if item.seen is None else f'{label}="{item.seen}"'
    where = f"{item.route.location} receiver {item.route.receiver}"
    return f"{where}: almost, {item.failed} but the alert has {seen}"
