"""What other objects of Kubernetes in the repository say: labels of a `Namespace`, texts of a `ConfigMap` or `Secret`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_sre.model.routing import Held
from pytest_sre.sources.operator_objects import as_mapping, looks_like_objects
from pytest_sre.sources.yamlfile import Map, YamlError, line_of, load_all

_KIND = re.compile(
    r"""["']?kind["']?\s*:\s*["']?(Namespace|ConfigMap|Secret)(List)?["']?\s*(,|\}|#|$)""", re.M
)


def may_matter(text: str) -> bool:
    """A quick look, before any parsing: could a file hold objects of the operator, or those that they refer to?"""
    return looks_like_objects(text) or _KIND.search(text) is not None


class Support:
    """The objects of some files (path, text), looked at when they are asked for; broken files hold none."""

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
        """Keep the texts."""
        self._files = [(path, text) for path, text in files if _KIND.search(text)]

    def namespaces(self) -> dict[str, Mapping[str, Any]]:
        """The labels of each namespace that is described."""
        found = (as_mapping(one.get("metadata")) for _, _, one in self._of("Namespace", ""))
        return {str(one["name"]): as_mapping(one.get("labels")) for one in found if one.get("name")}

    def texts(self, kind: str, namespace: str, name: str, key: str) -> list[Held]:
        """What a ConfigMap or Secret has at a key: several where objects of one name differ, none where there is none."""
        found: dict[str, Held] = {}
        for path, file, one in self._of(kind, name):
            metadata = as_mapping(one.get("metadata"))
            if metadata.get("name") == name and metadata.get("namespace", namespace) == namespace:
                held = _text(one, kind, key)
                if held is not None:
                    text, line = held
                    found.setdefault(text, Held(text, path, _lines(text, file, line)))
        return list(found.values())

    def _of(self, kind: str, name: str) -> Iterator[tuple[str, str, Map]]:
        for path, text in self._files:
            if kind not in text or name not in text:
                continue
            try:
                documents = load_all(text)
            except YamlError:
                continue
            for document in documents:
                yield from ((path, text, one) for one in _inside(document.value, kind))


def _inside(value: object, kind: str) -> Iterator[Map]:
    if not isinstance(value, Map):
        return
    items = value.get("items")
    if str(value.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _inside(item, kind)
    elif value.get("kind") == kind:
        yield value


def _text(one: Mapping[str, Any], kind: str, key: str) -> tuple[str, int] | None:
    """What an object has at a key, and the key's line."""
    plain = as_mapping(one.get("stringData" if kind == "Secret" else "data"))
    if isinstance(plain.get(key), str):
        return str(plain[key]), line_of(plain, key)
    encoded = as_mapping(one.get("data" if kind == "Secret" else "binaryData"))
    if not isinstance(encoded.get(key), str):
        return None
    try:
        text = base64.b64decode("".join(encoded[key].split()), validate=True).decode("utf-8")
        return text, line_of(encoded, key)
    except (binascii.Error, UnicodeDecodeError):
        return None


def _lines(text: str, file: str, line: int) -> tuple[int, ...]:
    """The file's line for each line of a text: those below its key, where a block holds it, else the key's own."""
    below, lines = file.split("\n")[line:], text.split("\n")
    block = all(one.strip() == own.strip() for one, own in zip(lines, below, strict=False) if one.strip())
    return tuple(line + i if block else line for i, _ in enumerate(lines, 1))
