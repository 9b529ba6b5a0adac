"""One `AlertmanagerConfig` object of prometheus-operator → parts of an Alertmanager configuration, as the operator writes them.

Follows pkg/alertmanager/amcfg.go. Values of Secrets are not in a repository: placeholders of the same shape stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from pytest_sre.sources.amconfig_fields import (
    Unmapped,
    each,
    empty,
    extend,
    fields,
    like,
    list_of,
    mapping,
    mapping_of,
    put,
    unknown,
)
from pytest_sre.sources.amconfig_receivers import GLOBAL, RECEIVERS, SMTP, Field, snake
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
_SPEC = ["route", "receivers", "inhibitRules", "muteTimeIntervals", "timeIntervals"]
_OPS = ("=", "!=", "=~", "!~")


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
    for key in spec:
        if key not in _SPEC:
            unknown(spec, key, "spec")
    return _Converter(f"{namespace}/{name}/", namespace if matched(namespace) else "").parts(
        namespace, name, line, spec
    )


def the_base(document: Mapping[str, Any], globals_: Mapping[str, Any]) -> Map:
    """The whole configuration, where an `Alertmanager` names this object as the one for all namespaces.

    ``globals_`` is what the `Alertmanager` gives as `alertmanagerConfiguration.global`. Raises Unmapped.
    """
    parts = convert(document, lambda _: False)
    out = mapping(parts.line)
    if globals_:
        put(out, "global", _globals(globals_), getattr(globals_, "line", 0))
    if parts.route is not None:
        parts.route.pop("continue")
        put(out, "route", parts.route, parts.line)
    for key, items in (
        ("receivers", parts.receivers),
        ("inhibit_rules", parts.inhibit_rules),
        ("mute_time_intervals", parts.intervals),
    ):
        put(out, key, items, parts.line)
    return out


def _globals(source: Mapping[str, Any]) -> Map:
    """`global`; what the operator keeps under `smtp` is beside the rest in Alertmanager."""
    line, smtp = getattr(source, "line", 0), mapping_of(source, "smtp")
    rest = {key: value for key, value in source.items() if key not in ("smtp", "smartHost")}
    out = fields(like(rest, source), line, GLOBAL, "https://hooks.slack.com/services/T0/B0/x", "global")
    own = {key: value for key, value in smtp.items() if key != "smartHost"}
    for key, value in fields(like(own, smtp), line, SMTP, "", "global.smtp").items():
        put(out, key, value, line_of(smtp, key, line))
    host = mapping_of(smtp, "smartHost")
    if host:
        put(out, "smtp_smarthost", f"{host.get('host')}:{host.get('port')}", line_of(smtp, "smartHost"))
    return out


class _Converter:
    """Writes one object's parts; ``prefix`` is in front of its names, an empty ``namespace`` adds no matcher."""

    def __init__(self, prefix: str, namespace: str) -> None:
        self.prefix, self.namespace = prefix, namespace

    def parts(self, namespace: str, name: str, line: int, spec: Mapping[str, Any]) -> Parts:
        route = (
            self.route(mapping_of(spec, "route"), line_of(spec, "route"), top=True)
            if spec.get("route")
            else None
        )
        receivers = each(list_of(spec, "receivers"), self.receiver)
        intervals = empty(line)
        for key in ("muteTimeIntervals", "timeIntervals"):
            extend(intervals, each(list_of(spec, key), self.interval))
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
            if key == "receiver":
                put(out, key, self.prefix + str(value), where)
            elif key == "matchers":
                put(out, key, each(list_of(source, key), _matcher), where)
            elif key == "routes":
                put(out, key, each(list_of(source, key), self.route), where)
            elif key.endswith("TimeIntervals"):
                put(
                    out,
                    snake(key),
                    each(list_of(source, key), lambda item, _: self.prefix + str(item), texts=True),
                    where,
                )
            else:
                put(out, snake(key), value, where)
        if top:
            self.guard(out, "matchers", line)
            put(out, "continue", Plain("true"), line)
        return out

    def guard(self, out: Map, key: str, line: int) -> None:
        """Add the namespace's matcher."""
        if not self.namespace:
            return
        matchers = out.get(key)
        if matchers is None:
            matchers = empty(line)
            put(out, key, matchers, line)
        written = _written("namespace", "=", self.namespace)
        if written not in matchers:
            matchers.append(written)
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
                put(out, f"{key[:6]}_matchers", each(list_of(source, key), _matcher), where)
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
        put(out, "name", self.prefix + str(source.get("name")), line_of(source, "name"))
        put(
            out,
            "time_intervals",
            each(list_of(source, "timeIntervals"), _times),
            line_of(source, "timeIntervals"),
        )
        return out


def _times(source: Mapping[str, Any], line: int) -> Map:
    out = mapping(line)
    for key in source:
        where = line_of(source, key)
        if key == "times":
            put(
                out,
                key,
                each(list_of(source, key), lambda item, at: fields(item, at, _TIMES, "", "times")),
                where,
            )
        elif key == "daysOfMonth":
            put(out, "days_of_month", each(list_of(source, key), _days), where)
        elif key in ("weekdays", "months", "years"):
            # A range of years is a text to Alertmanager, also where YAML reads a number.
            put(out, key, each(list_of(source, key), lambda item, _: str(item).lower(), texts=True), where)
        elif key == "location":
            put(out, key, source[key], where)
        else:
            unknown(source, key, "a time interval")
    return out


_TIMES = {"startTime": Field("start_time"), "endTime": Field("end_time")}


def _days(source: Mapping[str, Any], line: int) -> str:
    """``{start: 1, end: 5}`` as ``1:5``; an end of 0 is one that isn't there."""
    for key in source:
        if key not in ("start", "end"):
            unknown(source, key, "daysOfMonth")
    start, end = (str(source.get(key) or "") for key in ("start", "end"))
    if not start:
        raise Unmapped(line, "daysOfMonth without a `start`. Add it.")
    return f"{start}:{end}" if end not in ("", "0") else start


def _matcher(source: Mapping[str, Any], line: int) -> str:
    for key in source:
        if key not in ("name", "value", "matchType", "regex"):
            unknown(source, key, "a matcher")
    name, value = source.get("name"), source.get("value")
    op = source.get("matchType") or ("=~" if _true(source.get("regex")) else "=")
    if not isinstance(name, str) or not name.strip():
        raise Unmapped(line, "a matcher without a name. Add `name: …`.")
    if op not in _OPS:
        raise Unmapped(
            line_of(source, "matchType"), f"matchType {op!r} is none of {', '.join(_OPS)}. Correct it."
        )
    return _written(name, op, "" if value is None else str(value))


def _written(name: str, op: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{name}{op}"{escaped}"'


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on")
