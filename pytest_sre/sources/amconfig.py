"""One `AlertmanagerConfig` object of prometheus-operator → parts of an Alertmanager configuration, as the operator writes them.

Follows pkg/alertmanager/amcfg.go. Values of Secrets are not in a repository: placeholders of the same shape stand in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from pytest_sre.sources.amconfig_fields import (
    Unmapped,
    each,
    empty,
    fields,
    list_of,
    mapping,
    mapping_of,
    put,
    unknown,
)
from pytest_sre.sources.amconfig_matchers import matcher_of, written
from pytest_sre.sources.amconfig_receivers import RECEIVERS, snake
from pytest_sre.sources.amconfig_times import times_of
from pytest_sre.sources.yamlfile import List, Map, Plain, line_of

_ROUTE = [
    "receiver",
    "groupBy",
    "groupWait",
    "groupInterval",
    "repeatInterval",
    "matchers",
    "continue",
    "routes",
    "muteTimeIntervals",
    "activeTimeIntervals",
]
# How each version of the object calls the list of its time intervals.
_INTERVALS = {"v1alpha1": "muteTimeIntervals", "v1beta1": "timeIntervals"}
_SPEC = ["route", "receivers", "inhibitRules"]
_ZERO = re.compile("0[0a-z]*")


class Parts(NamedTuple):
    """What one object adds: its route (if it has one), receivers, inhibit rules and time intervals."""

    namespace: str
    name: str
    line: int
    route: Map | None
    receivers: List
    inhibit_rules: List
    intervals: List


def convert(document: Mapping[str, Any], matched: Callable[[str], bool]) -> Parts:
    """An object's parts; ``matched`` says of a namespace whether only its own alerts may reach the object.

    Raises Unmapped.
    """
    line = line_of(document, "kind")
    metadata = mapping_of(document, "metadata")
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        raise Unmapped(line_of(document, "metadata", line), "the object has no `metadata.name`. Add it.")
    if not isinstance(namespace, str) or not namespace:
        raise Unmapped(
            line_of(document, "metadata", line),
            "the object has no `metadata.namespace`, so which alerts reach it is unknown. Add it.",
        )
    spec = mapping_of(document, "spec")
    version = str(document.get("apiVersion")).rpartition("/")[2]
    intervals = _INTERVALS.get(version, "muteTimeIntervals")
    for key in spec:
        if key in _INTERVALS.values() and key != intervals:
            what = f"`{key}` of spec is not a field of {version}, which calls it `{intervals}`. Rename it."
            raise Unmapped(line_of(spec, key), what)
        if key not in (*_SPEC, intervals):
            unknown(spec, key, "spec")
    guard = namespace if matched(namespace) else ""
    converter = _Converter(f"{namespace}/{name}/", guard, intervals)
    return converter.parts(namespace, name, line, spec)


class _Converter:
    """Writes one object's parts; ``prefix`` is in front of its names, an empty ``namespace`` adds no matcher."""

    def __init__(self, prefix: str, namespace: str, intervals: str) -> None:
        self.prefix, self.namespace, self.intervals = prefix, namespace, intervals
        self.matcher = partial(matcher_of, beta=intervals == "timeIntervals")
        self.known: frozenset[str] = frozenset()

    def parts(self, namespace: str, name: str, line: int, spec: Mapping[str, Any]) -> Parts:
        intervals = each(list_of(spec, self.intervals), self.interval)
        self.known = frozenset(one["name"] for one in intervals)
        route = (
            self.route(mapping_of(spec, "route"), line_of(spec, "route"), top=True)
            if spec.get("route")
            else None
        )
        receivers = each(list_of(spec, "receivers"), self.receiver)
        if route is None:
            # As in the operator: such an object adds its inhibit rules only.
            receivers, intervals = empty(line), empty(line)
        rules = each(list_of(spec, "inhibitRules"), self.inhibit_rule)
        return Parts(namespace, name, line, route, receivers, rules, intervals)

    def route(self, source: Mapping[str, Any], line: int, *, top: bool = False) -> Map:
        out = mapping(line)
        for key, value in source.items():
            where = line_of(source, key)
            if key not in _ROUTE:
                unknown(source, key, "a route")
            if value is None or value == "" or (key == "continue" and top):
                continue
            if key in ("groupInterval", "repeatInterval") and _ZERO.fullmatch(str(value)):
                continue  # the operator takes it for one that is not there
            put(out, snake(key), self.of_route(source, key), where)
        if top:
            if not out.get("receiver"):
                raise Unmapped(line, "the route names no receiver. Add `receiver: …`.")
            self.guard(out, "matchers", line)
            put(out, "continue", Plain("true"), line)
        return out

    def of_route(self, source: Mapping[str, Any], key: str) -> Any:
        if key == "receiver":
            return self.prefix + str(source[key])
        if key == "matchers":
            return each(list_of(source, key), self.matcher)
        if key == "routes":
            return each(list_of(source, key), self.route)
        if key.endswith("TimeIntervals"):
            return each(list_of(source, key), self.used_interval, texts=True)
        return source[key]

    def used_interval(self, name: Any, line: int) -> str:
        if self.prefix + str(name) not in self.known:
            what = f'time interval "{name}" is not defined. Define it under `{self.intervals}`, or rename it.'
            raise Unmapped(line, what)
        return self.prefix + str(name)

    def guard(self, out: Map, key: str, line: int) -> None:
        """Add the namespace's matcher."""
        if not self.namespace:
            return
        matchers = out.get(key)
        if matchers is None:
            matchers = empty(line)
            put(out, key, matchers, line)
        own = written("namespace", "=", self.namespace)
        if own not in matchers:
            matchers.append(own)
            matchers.lines.append(line)

    def receiver(self, source: Mapping[str, Any], line: int) -> Map:
        name = source.get("name")
        if not isinstance(name, str) or not name:
            raise Unmapped(line, "a receiver without a name. Add `name: …`.")
        out = mapping(line)
        put(out, "name", self.prefix + name, line_of(source, "name"))
        for key in source:
            if key == "name":
                continue
            if key not in RECEIVERS:
                unknown(source, key, f'receiver "{name}"')
            where = f'{key} of receiver "{name}"'
            convert = partial(fields, known=RECEIVERS[key].fields, vendor=RECEIVERS[key].vendor, where=where)
            entries = each(list_of(source, key), convert)
            put(out, snake(key), entries, line_of(source, key))
        return out

    def inhibit_rule(self, source: Mapping[str, Any], line: int) -> Map:
        out = mapping(line)
        for key in source:
            where = line_of(source, key)
            if key in ("sourceMatch", "targetMatch"):
                put(out, f"{key[:6]}_matchers", each(list_of(source, key), self.matcher), where)
            elif key == "equal":
                put(out, key, source[key], where)
            else:
                unknown(source, key, "an inhibit rule")
        self.guard(out, "source_matchers", line)
        self.guard(out, "target_matchers", line)
        return out

    def interval(self, source: Mapping[str, Any], line: int) -> Map:
        out = mapping(line)
        for key in source:
            if key not in ("name", "timeIntervals"):
                unknown(source, key, "a time interval")
        if not source.get("name"):
            raise Unmapped(line, "a time interval without a name. Add `name: …`.")
        put(out, "name", self.prefix + str(source.get("name")), line_of(source, "name"))
        put(
            out,
            "time_intervals",
            each(list_of(source, "timeIntervals"), times_of),
            line_of(source, "timeIntervals"),
        )
        return out
