"""Where an alert may go, without firing it: routes and inhibit rules under labels that are known in part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_sre.changed.facts import Fact, Facts, Key, canonical
from pytest_sre.changed.receivers import Receivers
from pytest_sre.errors import UserError
from pytest_sre.model.routing import Matcher, Route, Routing
from pytest_sre.sources import duration
from pytest_sre.sources.alert_labels import Labels, decide
from pytest_sre.sources.alertmanager import side_matchers
from pytest_sre.sources.yamlfile import line_of

_WAITS = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"}
_MUTES = ("mute_time_intervals", "active_time_intervals")
Seen = Sequence["bool | None"]
Numbers = tuple[int, ...]


class Truths:
    """What matchers say of alerts; alerts of which all matchers say the same share one answer.

    Matchers go by number, since hashing them again and again would take most of the time.
    """

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        """Group matchers by label, so that each value of a label is looked at once."""
        by_label: dict[str, list[Matcher]] = defaultdict(list)
        for matcher in dict.fromkeys(matchers):
            by_label[matcher.label].append(matcher)
        self._by_label = dict(by_label)
        self._all = [matcher for same in by_label.values() for matcher in same]
        self._number = {matcher: number for number, matcher in enumerate(self._all)}
        self._memo: dict[tuple[str, str | None], tuple[bool | None, ...]] = {}

    def numbers(self, matchers: Iterable[Matcher]) -> Numbers:
        """The numbers of matchers."""
        return tuple(self._number[matcher] for matcher in matchers)

    def seen(self, labels: Labels) -> Seen:
        """Each matcher's answer, by number; equal for alerts that no matcher tells apart."""
        return tuple(answer for label in self._by_label for answer in self._said(label, labels.value(label)))

    def undecided(self, numbers: Numbers, seen: Seen) -> list[str]:
        """The matchers that labels of the series will decide; the others have been decided already."""
        return sorted({str(self._all[number]) for number in numbers if seen[number] is None})

    def _said(self, label: str, value: str | None) -> tuple[bool | None, ...]:
        key = (label, value)
        if key not in self._memo:
            self._memo[key] = tuple(decide(matcher, value) for matcher in self._by_label[label])
        return self._memo[key]


def together(numbers: Numbers, seen: Seen) -> bool | None:
    """Whether all matchers hold: None where that hangs on what isn't known."""
    result: bool | None = True
    for number in numbers:
        answer = seen[number]
        if answer is False:
            return False
        result = result and answer
    return result


@dataclass(frozen=True, slots=True)
class _Inhibit:
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    content: str
    line: int


class Routes:
    """The routing tree and the inhibit rules of one configuration."""

    def __init__(self, routing: Routing) -> None:
        """Read matchers, time intervals and receivers."""
        self._routing = routing
        self.receivers = Receivers(routing)
        self._times = {
            str(one.get("name")): canonical(one.get("time_intervals"))
            for key in ("time_intervals", "mute_time_intervals")
            for one in routing.document.get(key) or ()
            if isinstance(one, Mapping)
        }
        self._inhibits = tuple(_inhibits(routing.document))
        used = [m for route in _all(routing.root) for m in route.matchers]
        used += [m for one in self._inhibits for m in (*one.source, *one.target)]
        self._truths = Truths(used)
        self._numbers = {id(route): self._truths.numbers(route.matchers) for route in _all(routing.root)}
        self._sides = [tuple(map(self._truths.numbers, (one.source, one.target))) for one in self._inhibits]
        self._memo: dict[Seen, Facts] = {}

    def facts(self, labels: Labels) -> Facts:
        """Routes that an alert may take, their receivers and templates, and inhibit rules that may concern it."""
        seen = self._truths.seen(labels)
        if seen not in self._memo:
            self._memo[seen] = self._read(seen)
        return self._memo[seen]

    def _read(self, seen: Seen) -> Facts:
        found: dict[Key, Fact] = {}
        order: list[str] = []
        root = self._routing.document["route"]
        for route, content in self._taken(self._routing.root, root, {}, (), seen):
            order.append(content)
            where = str(route.location)
            found[Key("route", content)] = Fact("", f"route {where}", f"to {route.receiver}")
            found.update(self.receivers.facts(route.receiver))
        found[Key("order", "")] = Fact(canonical(order), "order of routes")
        for one, sides in zip(self._inhibits, self._sides, strict=True):
            if any(together(side, seen) is not False for side in sides):
                where = str(self._routing.place(one.line))
                found[Key("inhibition", one.content)] = Fact("", f"inhibit rule {where}")
        return found

    def _taken(
        self,
        route: Route,
        document: Mapping[str, Any],
        inherited: Mapping[str, Any],
        way: tuple[Any, ...],
        seen: Seen,
    ) -> Iterator[tuple[Route, str]]:
        """The routes that may take the alert below one that may, in order, with all that acts there."""
        acting = {**inherited, **_acting(document)}
        taken = False
        for child, below in zip(route.routes, document.get("routes") or (), strict=True):
            numbers = self._numbers[id(child)]
            matched = together(numbers, seen)
            if matched is False:
                continue
            # `continue` shows in what follows, unless it isn't known whether the route is taken at all.
            step = () if matched else ((self._truths.undecided(numbers, seen), child.continues),)
            yield from self._taken(child, below, acting, (*way, *step), seen)
            taken = taken or bool(matched)
            if matched and not child.continues:
                break
        if not taken:
            times = {
                key: [[name, self._times.get(str(name))] for name in document.get(key) or ()]
                for key in _MUTES
            }
            yield route, canonical([way, {**_WAITS_SECONDS, **acting}, times, route.receiver])


def _acting(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a route sets for itself and the routes below."""
    found: dict[str, Any] = {}
    if document.get("group_by") is not None:
        names = document["group_by"]
        found["group_by"] = sorted(map(str, names)) if isinstance(names, list) else names
    for key in _WAITS:
        if document.get(key):
            found[key] = _seconds(str(document[key]))
    return found


def _seconds(text: str) -> float | str:
    try:
        return duration.seconds(text)
    except ValueError:
        return text


_WAITS_SECONDS = {key: _seconds(value) for key, value in _WAITS.items()}


def _all(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _all(child)


def _inhibits(document: Mapping[str, Any]) -> Iterator[_Inhibit]:
    rules = document.get("inhibit_rules") or []
    for i, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, Mapping):
            continue
        try:
            source, target = side_matchers(rule, "source"), side_matchers(rule, "target")
        except UserError:  # Alertmanager will refuse it; until then it concerns everybody
            source = target = ()
        equal = rule.get("equal")
        names = sorted(map(str, equal)) if isinstance(equal, list) else equal
        content = [sorted(map(str, source)), sorted(map(str, target)), names]
        rest = {key: value for key, value in rule.items() if not source and not target and key != "equal"}
        yield _Inhibit(source, target, canonical([*content, rest]), line_of(rules, i))
