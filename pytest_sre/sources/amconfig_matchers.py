"""Matchers of an `AlertmanagerConfig` object, written as Alertmanager's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sre.sources.amconfig_fields import Unmapped, unknown
from pytest_sre.sources.yamlfile import line_of

_OPS = ("=", "!=", "=~", "!~")


def matcher_of(source: Mapping[str, Any], line: int, *, beta: bool = False) -> str:
    """A matcher as Alertmanager writes it; ``beta`` says that the object is one of v1beta1. Raises Unmapped."""
    for key in source:
        if key not in ("name", "value", "matchType", "regex"):
            unknown(source, key, "a matcher")
    if beta and "regex" in source:
        raise Unmapped(
            line_of(source, "regex"),
            '`regex` of a matcher is a field of v1alpha1; in v1beta1 it is `matchType: "=~"`. Write that.',
        )
    name, value = source.get("name"), source.get("value")
    op = source.get("matchType") or ("=~" if _true(source.get("regex")) else "=")
    if not isinstance(name, str) or not name.strip():
        raise Unmapped(line, "a matcher without a name. Add `name: …`.")
    if op not in _OPS:
        raise Unmapped(
            line_of(source, "matchType"), f"matchType {op!r} is none of {', '.join(_OPS)}. Correct it."
        )
    return written(name, op, "" if value is None else str(value))


def written(name: str, op: str, value: str) -> str:
    """A matcher's text."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'{name}{op}"{escaped}"'


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on")
