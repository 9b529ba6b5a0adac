"""One `AlertmanagerConfig` object of prometheus-operator → parts of an Alertmanager configuration, as the operator writes them.

Follows pkg/alertmanager/amcfg.go. Values of Secrets are not in a repository: placeholders of the same shape stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, NoReturn

from pytest_sre.sources.amconfig_receivers import HTTP, RECEIVERS, SECRET, Field, snake
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


class Unmapped(ValueError):
    """What of an object has no place in Alertmanager's configuration: ``line`` of the object's file, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


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
    metadata = _mapping(document, "metadata")
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        raise Unmapped(line_of(document, "metadata", line), "the object has no `metadata.name`. Add it.")
    if not isinstance(namespace, str) or not namespace:
        raise Unmapped(
            line_of(document, "metadata", line),
            "the object has no `metadata.namespace`, so which alerts reach it is unknown. Add it.",
        )
    spec = _mapping(document, "spec")
    for key in spec:
        if key not in _SPEC:
            _unknown(spec, key, "spec")
    return _Converter(f"{namespace}/{name}/", namespace if matched(namespace) else "").parts(
        namespace, name, line, spec
    )


class _Converter:
    """Writes one object's parts; ``prefix`` is in front of its names, an empty ``namespace`` adds no matcher."""

    def __init__(self, prefix: str, namespace: str) -> None:
        self.prefix, self.namespace = prefix, namespace

    def parts(self, namespace: str, name: str, line: int, spec: Mapping[str, Any]) -> Parts:
        route = (
            self.route(_mapping(spec, "route"), line_of(spec, "route"), top=True)
            if spec.get("route")
            else None
        )
        receivers = _each(_list(spec, "receivers"), self.receiver)
        intervals = empty(line)
        for key in ("muteTimeIntervals", "timeIntervals"):
            extend(intervals, _each(_list(spec, key), self.interval))
        if route is None:
            # As in the operator: such an object adds its inhibit rules only.
            receivers, intervals = empty(line), empty(line)
        rules = _each(_list(spec, "inhibitRules"), self.inhibit_rule)
        return Parts(namespace, name, line, route, receivers, rules, intervals)

    def route(self, source: Mapping[str, Any], line: int, *, top: bool = False) -> Map:
        out = mapping(line)
        for key, value in source.items():
            where = line_of(source, key)
            if key not in _ROUTE:
                _unknown(source, key, "a route")
            if value is None or value == "" or (key == "continue" and top):
                continue
            if key == "receiver":
                put(out, key, self.prefix + str(value), where)
            elif key == "matchers":
                put(out, key, _each(_list(source, key), _matcher), where)
            elif key == "routes":
                put(out, key, _each(_list(source, key), self.route), where)
            elif key.endswith("TimeIntervals"):
                put(
                    out,
                    snake(key),
                    _each(_list(source, key), lambda item, _: self.prefix + str(item), texts=True),
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
                _unknown(source, key, f'receiver "{name}"')
            where = f'{key} of receiver "{name}"'
            convert = partial(_fields, known=RECEIVERS[key].fields, vendor=RECEIVERS[key].vendor, where=where)
            entries = _each(_list(source, key), convert)
            put(out, snake(key), entries, line_of(source, key))
        return out

    def inhibit_rule(self, source: Mapping[str, Any], line: int) -> Map:
        out = mapping(line)
        for key in source:
            where = line_of(source, key)
            if key in ("sourceMatch", "targetMatch"):
                put(out, f"{key[:6]}_matchers", _each(_list(source, key), _matcher), where)
            elif key == "equal":
                put(out, key, source[key], where)
            else:
                _unknown(source, key, "an inhibit rule")
        self.guard(out, "source_matchers", line)
        self.guard(out, "target_matchers", line)
        return out

    def interval(self, source: Mapping[str, Any], line: int) -> Map:
        out = mapping(line)
        for key in source:
            if key not in ("name", "timeIntervals"):
                _unknown(source, key, "a time interval")
        put(out, "name", self.prefix + str(source.get("name")), line_of(source, "name"))
        put(
            out,
            "time_intervals",
            _each(_list(source, "timeIntervals"), _times),
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
                _each(_list(source, key), lambda item, at: _fields(item, at, _TIMES, "", "times")),
                where,
            )
        elif key == "daysOfMonth":
            put(out, "days_of_month", _each(_list(source, key), _days), where)
        elif key in ("weekdays", "months", "years"):
            # A range of years is a text to Alertmanager, also where YAML reads a number.
            put(out, key, _each(_list(source, key), lambda item, _: str(item).lower(), texts=True), where)
        elif key == "location":
            put(out, key, source[key], where)
        else:
            _unknown(source, key, "a time interval")
    return out


_TIMES = {"startTime": Field("start_time"), "endTime": Field("end_time")}


def _days(source: Mapping[str, Any], line: int) -> str:
    """``{start: 1, end: 5}`` as ``1:5``; an end of 0 is one that isn't there."""
    for key in source:
        if key not in ("start", "end"):
            _unknown(source, key, "daysOfMonth")
    start, end = (str(source.get(key) or "") for key in ("start", "end"))
    if not start:
        raise Unmapped(line, "daysOfMonth without a `start`. Add it.")
    return f"{start}:{end}" if end not in ("", "0") else start


def _matcher(source: Mapping[str, Any], line: int) -> str:
    for key in source:
        if key not in ("name", "value", "matchType", "regex"):
            _unknown(source, key, "a matcher")
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


def _fields(source: Any, line: int, known: Mapping[str, Field], vendor: str, where: str) -> Map:
    """A mapping whose fields are written as the table ``known`` says."""
    if not isinstance(source, Mapping):
        raise Unmapped(line, f"an entry of {where} is not a mapping. Correct it.")
    out = mapping(line)
    for key, value in source.items():
        if key not in known:
            _unknown(source, key, where)
        field = known[key]
        if value is None or field.how == "left_out" or (field.how == "same" and field.name in out):
            continue
        put(out, field.name, _value(source, key, field, vendor, where), line_of(source, key))
    return out


def _value(source: Mapping[str, Any], key: str, field: Field, vendor: str, where: str) -> Any:
    value, line, inside = source[key], line_of(source, key), f"{key} in {where}"
    if field.how in ("secret", "url"):
        if not isinstance(value, Mapping):
            raise Unmapped(line, f"{inside} is not a reference to a Secret. Write `name:` and `key:` of it.")
        return vendor if field.how == "url" else SECRET
    if field.how == "pairs":
        return _pairs(_list(source, key), line, inside)
    if field.how == "each":
        return _each(_list(source, key), lambda item, at: _fields(item, at, field.nested, "", inside))
    if field.how == "one":
        return _fields(value, line, field.nested, "", inside)
    if field.how == "http":
        return _fields(value, line, HTTP, "", inside)
    return value


def _pairs(items: List, line: int, where: str) -> Map:
    out = mapping(line)
    for i, item in enumerate(items):
        if not isinstance(item, Mapping) or not isinstance(item.get("key"), str):
            raise Unmapped(line_of(items, i), f"an entry of {where} has no `key`. Write `key:` and `value:`.")
        put(out, item["key"], item.get("value") or "", line_of(items, i))
    return out


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on")


def mapping(line: int) -> Map:
    """A mapping without keys at a line."""
    out = Map()
    out.line, out.lines = line, {}
    return out


def put(out: Map, key: str, value: Any, line: int) -> None:
    """Set a key and its line."""
    out[key], out.lines[key] = value, line


def _each(items: List, convert: Callable[[Any, int], Any], *, texts: bool = False) -> List:
    """A list of what becomes of each item, with the lines of the items."""
    out = List()
    out.line, out.lines = getattr(items, "line", 0), []
    for i, item in enumerate(items):
        line = line_of(items, i)
        if not texts and not isinstance(item, Mapping):
            raise Unmapped(line, "an entry that is not a mapping. Correct it or remove it.")
        out.append(convert(item, line))
        out.lines.append(line)
    return out


def empty(line: int) -> List:
    """A list without items at a line."""
    out = List()
    out.line, out.lines = line, []
    return out


def extend(out: List, more: List) -> None:
    """Append items with their lines."""
    out.extend(more)
    out.lines.extend(more.lines)


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise Unmapped(line_of(holder, key), f"`{key}` is not a mapping. Correct it.")
    return value or {}


def _list(holder: Mapping[str, Any], key: str) -> List:
    value = holder.get(key)
    if value is None:
        return List()
    if not isinstance(value, List):
        raise Unmapped(line_of(holder, key), f"`{key}` is not a list. Put a `-` in front of each entry.")
    return value


def _unknown(holder: object, key: str, where: str) -> NoReturn:
    raise Unmapped(
        line_of(holder, key),
        f"`{key}` of {where} is unknown to prometheus-operator, or newer than this pytest-sre. "
        "Correct it if it is misspelt, else update pytest-sre.",
    )
