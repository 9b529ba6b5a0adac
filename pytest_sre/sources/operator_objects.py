"""Objects of prometheus-operator in a repository's YAML files: `AlertmanagerConfig`, and the `Alertmanager` that takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_sre.sources.rulefile import is_helm
from pytest_sre.sources.yamlfile import List, Map, YamlError, line_of, load_all

CONFIG, SERVER = "AlertmanagerConfig", "Alertmanager"
_KIND = re.compile(r"""["']?kind["']?\s*:\s*["']?Alertmanager(Config)?(List)?["']?\s*(,|\}|#|$)""", re.M)
_API = re.compile(r"monitoring\.coreos\.com/v1(alpha1|beta1)?\b")


class Object(NamedTuple):
    """One object: the file that it is in, and its document, which knows its lines."""

    path: str
    document: Map

    @property
    def line(self) -> int:
        """The line that its kind is at."""
        return line_of(self.document, "kind")

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its `metadata`, empty where there is none."""
        return as_mapping(self.document.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its `spec`, empty where there is none."""
        return as_mapping(self.document.get("spec"))


def as_mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def looks_like_objects(text: str) -> bool:
    """A quick look, before any parsing: could a file hold objects of the operator?"""
    return "Alertmanager" in text and _API.search(text) is not None and _KIND.search(text) is not None


def objects(path: str, text: str) -> list[Object]:
    """All objects of a file, none for a Helm template; raises YamlError."""
    try:
        documents = load_all(text)
    except YamlError:
        if is_helm(text):
            return []
        raise
    return [Object(path, found) for document in documents for found in _objects(document.value)]


def _objects(value: object) -> Iterator[Map]:
    if not isinstance(value, Map):
        return
    items = value.get("items")
    if str(value.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _objects(item)
    elif value.get("kind") in (CONFIG, SERVER) and _API.fullmatch(str(value.get("apiVersion"))):
        yield value


def shifted(value: Any, by: int) -> Any:
    """A copy of a value whose lines are ``by`` further."""
    if isinstance(value, Map):
        out = Map((key, shifted(item, by)) for key, item in value.items())
        out.line, out.lines = value.line + by, {key: line + by for key, line in value.lines.items()}
        return out
    if isinstance(value, List):
        items = List(shifted(item, by) for item in value)
        items.line, items.lines = value.line + by, [line + by for line in value.lines]
        return items
    return value
