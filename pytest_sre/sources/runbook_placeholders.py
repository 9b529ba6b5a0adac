"""What a runbook leaves to its reader: ``<instance>``, ``$INSTANCE``, ``{{ $labels.instance }}``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WORDS = ("PLACEHOLDER", "5m", "1")
"""What an unknown one may stand for: a name or value, a duration, a number."""
_PLACEHOLDER = re.compile(
    r"\{\{-?[ \t]*(?:\$labels|\.(?:Common|Group)?Labels|\$value|\.)?\.?(?P<template>\w*)(?!\w)[^{}\n]*\}\}"
    r"|\$labels\.(?P<labels>\w+)"
    r"|<(?!<)(?P<angle>[A-Za-z_$][^<>\n;|&=\"(){}]{0,60})>"
    r"|\$\{(?P<braced>[A-Za-z_]\w*)(?:[:.][^}\n]*)?\}"
    r"|\$(?P<variable>[A-Za-z_]\w*)"
    r"|<%(?P<ruby>[^%\n]*)%>"
)
_EXPLICIT = re.compile(r"\{\{-?[ \t]*(?:\$labels|\.(?:Common|Group)?Labels)\.|\$labels\.")
_GRAFANA = re.compile(r"__(?:rate_)?interval|__range")
_SECONDS = re.compile(r"__(?:range|interval)_m?s")
_UNQUOTED = re.compile(r"(?:=~|!~|!=|=)\s*$")
_OFFSET = re.compile(r"\boffset\s*-?\s*$")
_MATCHED = re.compile(r"[{,]\s*(\w+)\s*=~?\s*[\"'`]?$")
_BETWEEN = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One of them: ``name`` is what it asks for, ``explicit`` whether it says that this is a label of the alert."""

    text: str
    name: str
    explicit: bool
    start: int

    def names(self) -> Iterator[str]:
        """The labels that it may mean, in lower case and in one word: ``<pod name>`` is the pod."""
        plain = _BETWEEN.sub("", self.name.lower())
        yield plain
        for end in ("name", "label"):
            if plain.endswith(end):
                yield plain.removesuffix(end)


def placeholders(text: str) -> Iterator[Placeholder]:
    """All of a text, in order."""
    for found in _PLACEHOLDER.finditer(text):
        yield _made(found)


def label_of(placeholder: Placeholder, labels: Mapping[str, str]) -> str | None:
    """The label that a placeholder means; None where there is none of that name."""
    if placeholder.name in labels or placeholder.explicit:
        return placeholder.name if placeholder.name in labels else None
    plain = {name.lower().replace("_", ""): name for name in labels}
    return next((plain[name] for name in placeholder.names() if name in plain), None)


def fill(query: str, labels: Mapping[str, str], unknown: str = WORDS[0]) -> str:
    """A PromQL query with labels filled in; what else it leaves open becomes ``unknown``. Lines stay as they are."""

    def put(found: re.Match[str]) -> str:
        placeholder = _made(found)
        before, after = query[: found.start()], query[found.end() :].lstrip()[:1]
        label = label_of(placeholder, labels) or _matched(before, labels)
        if _SECONDS.fullmatch(placeholder.name):
            return "300"
        if _GRAFANA.fullmatch(placeholder.name) or _is_duration(before, after):
            return "5m"
        value = unknown if label is None else labels[label]
        value = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{value}"' if _UNQUOTED.search(before) and after in ("}", ",") else value

    return _PLACEHOLDER.sub(put, query)


def _matched(before: str, labels: Mapping[str, str]) -> str | None:
    """What any placeholder means that stands where a matcher has a label's value: ``instance="<value>"``."""
    found = _MATCHED.search(before)
    return found[1] if found and found[1] in labels else None


def _is_duration(before: str, after: str) -> bool:
    before = before.rstrip()
    if before.endswith("[") or _OFFSET.search(before + " "):
        return True
    return before.endswith(":") and after == "]"


def _made(found: re.Match[str]) -> Placeholder:
    name = next((group for group in found.groups() if group), "").strip()
    return Placeholder(found[0], name.removeprefix("labels."), bool(_EXPLICIT.match(found[0])), found.start())
