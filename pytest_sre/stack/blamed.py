"""Where in a configuration Alertmanager's complaint points, which names no line unless the YAML itself is at fault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.sources.yamlfile import line_of

_WORD = re.compile(r'"((?:[^"\\]|\\.)+)"|([A-Za-z][\w-]*)')
_EXPRESSION = re.compile(r"\^\(\?:(.+)\)\$")  # Alertmanager anchors a matcher's regular expression so


def blamed(document: Mapping[str, Any], message: str) -> int:
    """The line of what the message names, or 1.

    In this order: a key or text; the first integration of a kind; a value; a text with the regular expression in it.
    """
    places: dict[str, int] = {}
    for text, line in _texts(document):
        places.setdefault(text, line)
    found = _WORD.findall(message)
    exact = [quoted or word for quoted, word in found if quoted or "_" in word]
    kinds = [f"{word.lower().removesuffix('_config')}_configs" for _, word in found if word]
    kinds = ["email_configs" if kind == "smtp_configs" else kind for kind in kinds]
    values = [word.strip("`,.;") for word in message.split() if any(map(str.isdigit, word))]
    named = (places[name] for name in [*exact, *kinds, *values] if name in places)
    expression = _EXPRESSION.search(message)
    holding = (line for text, line in places.items() if expression and expression[1] in text)
    return next(named, next(holding, 1))


def _texts(value: Any) -> Iterator[tuple[str, int]]:
    """All keys and texts, with their lines, from the top down."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        line = line_of(value, key)
        if isinstance(key, str):
            yield key, line
        if isinstance(item, (Mapping, list)):
            yield from _texts(item)
        elif isinstance(item, str):
            yield item, line
