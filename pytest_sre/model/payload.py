"""A way through a decoded payload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def at(value: object, path: str) -> Iterator[object]:
    """What stands at a path of names and numbers between dots; ``*`` is any member, ``**`` any depth."""
    if not path:
        yield value
        return
    head, _, rest = path.partition(".")
    if head == "**":
        yield from at(value, rest) if rest else texts_in(value)
        for _, child in _members(value):
            if not isinstance(child, str):
                yield from at(child, path) if rest else ()
        return
    for name, child in _members(value):
        if head in ("*", name):
            yield from at(child, rest)


def texts_in(value: object) -> Iterator[str]:
    """All texts in a value, numbers too, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    for _, child in _members(value):
        yield from texts_in(child)


def texts_at(value: object, paths: tuple[str, ...]) -> tuple[str, ...]:
    """The texts, empty ones too, that stand at any of the paths; each text once, in order."""
    found = (one for path in paths for one in at(value, path))
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str)))


def _members(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(name), child) for name, child in value.items())
    elif isinstance(value, list):
        yield from ((str(i), child) for i, child in enumerate(value))
