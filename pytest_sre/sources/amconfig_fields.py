"""Fields of prometheus-operator's objects, written as Alertmanager's configuration, with the lines of the objects kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pytest_sre.sources.amconfig_receivers import HTTP, NOT_YET, SECRET, Field
from pytest_sre.sources.yamlfile import List, Map, Plain, line_of


class Unmapped(ValueError):
    """What of an object has no place in Alertmanager's configuration: ``line`` of the object's file, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def fields(source: Any, line: int, known: Mapping[str, Field], vendor: str, where: str) -> Map:
    """A mapping whose fields are written as the table ``known`` says; raises Unmapped."""
    if not isinstance(source, Mapping):
        raise Unmapped(line, f"an entry of {where} is not a mapping. Correct it.")
    out = mapping(line)
    for key, value in source.items():
        if key not in known:
            unknown(source, key, where)
        field = known[key]
        if value is None or field.how == "left_out" or (field.how == "same" and field.name in out):
            continue
        if value == "" and field.how == "same":
            continue
        put(out, field.name, _value(source, key, field, vendor, where), line_of(source, key))
    return out


def like(items: Mapping[str, Any], source: Mapping[str, Any]) -> Map:
    """A mapping of these items with the lines of another."""
    out = Map(items)
    out.line, out.lines = getattr(source, "line", 0), dict(getattr(source, "lines", {}))
    return out


def _value(source: Mapping[str, Any], key: str, field: Field, vendor: str, where: str) -> Any:
    value, line, inside = source[key], line_of(source, key), f"{key} in {where}"
    if field.how in ("secret", "url"):
        if not isinstance(value, Mapping) or not value.get("key"):
            raise Unmapped(line, f"{inside} is not a reference to a Secret. Write `name:` and `key:` of it.")
        return vendor if field.how == "url" else SECRET
    if field.how == "pairs":
        return _pairs(list_of(source, key), line, inside)
    if field.how == "each":
        return each(list_of(source, key), lambda item, at: fields(item, at, field.nested, "", inside))
    if field.how == "one":
        return fields(value, line, field.nested, "", inside)
    if field.how == "http":
        return fields(value, line, HTTP, "", inside)
    if field.how == "threading":
        return _threading(value, line, inside)
    if field.how == "address":
        return _address(value, line, inside)
    return value


def _threading(value: Any, line: int, where: str) -> Map:
    """Of e-mails: the operator switches it on where it is there."""
    out = mapping(line)
    put(out, "enabled", Plain("true"), line)
    for key, by in fields(value, line, {"threadByDate": Field("thread_by_date")}, "", where).items():
        put(out, key, str(by).lower(), line_of(value, "threadByDate"))
    return out


def _address(value: Any, line: int, where: str) -> str:
    if not isinstance(value, Mapping) or not value.get("host") or not value.get("port"):
        raise Unmapped(line, f"{where} is not an address. Write `host:` and `port:`.")
    return f"{value['host']}:{value['port']}"


def _pairs(items: List, line: int, where: str) -> Map:
    out = mapping(line)
    for i, item in enumerate(items):
        if not isinstance(item, Mapping) or not isinstance(item.get("key"), str):
            raise Unmapped(line_of(items, i), f"an entry of {where} has no `key`. Write `key:` and `value:`.")
        put(out, item["key"], item.get("value") or "", line_of(items, i))
    return out


def mapping(line: int) -> Map:
    """A mapping without keys at a line."""
    out = Map()
    out.line, out.lines = line, {}
    return out


def put(out: Map, key: str, value: Any, line: int) -> None:
    """Set a key and its line."""
    out[key], out.lines[key] = value, line


def each(items: List, convert: Callable[[Any, int], Any], *, texts: bool = False) -> List:
    """A list of what becomes of each item, with the items' lines; ``texts``: they need not be mappings."""
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


def mapping_of(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping at a key, empty where there is none; raises Unmapped."""
    value = holder.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise Unmapped(line_of(holder, key), f"`{key}` is not a mapping. Correct it.")
    return value or {}


def list_of(holder: Mapping[str, Any], key: str) -> List:
    """The list at a key, empty where there is none; raises Unmapped."""
    value = holder.get(key)
    if value is None:
        return List()
    if not isinstance(value, List):
        raise Unmapped(line_of(holder, key), f"`{key}` is not a list. Put a `-` in front of each entry.")
    return value


def unknown(holder: object, key: str, where: str) -> NoReturn:
    """Raises Unmapped for a key that has no place."""
    if key in NOT_YET:
        raise Unmapped(
            line_of(holder, key),
            f"`{key}` of {where}: no release of prometheus-operator has this field, though Alertmanager has "
            f"`{NOT_YET[key]}`. Put the receiver into Alertmanager's own configuration.",
        )
    remedy = "Correct it if it is misspelt, else update pytest-sre."
    if "_" in key:
        camel = re.sub("_(.)", lambda found: found[1].upper(), key)
        remedy = f"An AlertmanagerConfig spells its fields like `{camel}`; see the CRD's reference."
    raise Unmapped(line_of(holder, key), f"`{key}` of {where} is unknown to prometheus-operator. {remedy}")
