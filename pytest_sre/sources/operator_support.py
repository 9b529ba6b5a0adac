"""What other objects of Kubernetes in the repository say: labels of a `Namespace`, texts of a `ConfigMap` or `Secret`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_sre.sources.operator_objects import as_mapping, looks_like_objects
from pytest_sre.sources.yamlfile import Map, YamlError, load_all

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
        self._texts = [text for _, text in files if _KIND.search(text)]

    def namespaces(self) -> dict[str, Mapping[str, Any]]:
        """The labels of each namespace that is described."""
        found = (as_mapping(one.get("metadata")) for one in self._of("Namespace", ""))
        return {str(one["name"]): as_mapping(one.get("labels")) for one in found if one.get("name")}

    def text(self, kind: str, namespace: str, name: str, key: str) -> str | None:
        """What a ConfigMap or Secret has at a key; None where the repository does not say."""
        for one in self._of(kind, name):
            metadata = as_mapping(one.get("metadata"))
            if metadata.get("name") == name and metadata.get("namespace", namespace) == namespace:
                text = _text(one, kind, key)
                if text is not None:
                    return text
        return None

    def _of(self, kind: str, name: str) -> Iterator[Map]:
        for text in self._texts:
            if kind not in text or name not in text:
                continue
            try:
                documents = load_all(text)
            except YamlError:
                continue
            for document in documents:
                yield from _inside(document.value, kind)


def _inside(value: object, kind: str) -> Iterator[Map]:
    if not isinstance(value, Map):
        return
    items = value.get("items")
    if str(value.get("kind")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _inside(item, kind)
    elif value.get("kind") == kind:
        yield value


def _text(one: Mapping[str, Any], kind: str, key: str) -> str | None:
    plain = as_mapping(one.get("stringData" if kind == "Secret" else "data")).get(key)
    if isinstance(plain, str):
        return plain
    encoded = as_mapping(one.get("data" if kind == "Secret" else "binaryData")).get(key)
    if not isinstance(encoded, str):
        return None
    try:
        return base64.b64decode("".join(encoded.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
