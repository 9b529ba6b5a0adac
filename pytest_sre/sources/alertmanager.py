"""Alertmanager's configuration, plain or inside a Kubernetes Secret or ConfigMap, → `model.routing`.

Only what we must understand to reason about it is checked here; whether it is valid, the real server says.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, cast

from pytest_sre.errors import FileError
from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Integration, Matcher, Route, Routing
from pytest_sre.sources.yamlfile import Document, List, Map, YamlError, line_of, load_all

_KEYS = ("alertmanager.yaml", "alertmanager.yml")
_SUFFIX = "_configs"
_MATCHER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s=!~"{},]+)\s*(=~|!~|!=|=)\s*(.*?)\s*', re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_BLOCK = re.compile(r":\s*(&\S+\s+)?\|[-+0-9]*\s*(#.*)?$")
_Op = Literal["=", "!=", "=~", "!~"]


def is_alertmanager(document: object) -> bool:
    """Whether a parsed YAML document is an Alertmanager configuration, or an object that holds one."""
    if not isinstance(document, Mapping):
        return False
    return ("route" in document and "receivers" in document) or any(True for _ in _holders(document))


def parse_routing(path: str, base: str, text: str) -> Routing:
    """The routing tree and the receivers of one file; ``base`` is the folder that template globs start from.

    Raises UserError (file:line: what, and what to do).
    """
    return understood(path, base, _configuration(path, text, _load(path, text)))


def understood(path: str, base: str, document: Map) -> Routing:
    """The routing tree and the receivers of a configuration's document; raises UserError."""
    receivers = _receivers(path, document)
    route = document.get("route")
    line = line_of(document, "route")
    if not isinstance(route, Mapping):
        raise _error(path, line, "no `route`", "Add one that names the default receiver")
    names = tuple(receivers)
    return Routing(
        path=path,
        base=base,
        document=document,
        root=_route(path, route, line, None, names),
        integrations=tuple(item for each in receivers.values() for item in each),
        receivers=names,
    )


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Matchers in Alertmanager's syntax: ``severity = critical``, ``a="b",c=~"d"``, ``{a="b"}``.

    Raises ValueError.
    """
    inner = text.strip()
    if inner.startswith("{") != inner.endswith("}"):
        raise ValueError(f"{text!r} has a brace without its partner")
    if inner.startswith("{"):
        inner = inner[1:-1]
    return tuple(_matcher(part) for part in _split(inner) if part.strip())


def users_matchers(text: str) -> tuple[Matcher, ...]:
    """The same of a text in sre.yaml or a Python test, which no Alertmanager reads; raises ValueError for bad regexes too."""
    found = parse_matchers(text)
    for matcher in found:
        try:
            re.compile(matcher.value if matcher.op in ("=~", "!~") else "")
        except re.error as error:
            raise ValueError(f"{matcher}: not a valid regular expression: {error}") from None
    return found


def written(routing: Routing, integration: Integration) -> Mapping[str, Any]:
    """An integration as the user wrote it; empty where the configuration has no such one."""
    for receiver in routing.document.get("receivers") or ():
        entries = receiver.get(f"{integration.kind}{_SUFFIX}") or ()
        if receiver.get("name") == integration.receiver and integration.index < len(entries):
            return entries[integration.index] or {}
    return {}


class _Holder(NamedTuple):
    """A place in a Kubernetes object that holds a configuration's text."""

    container: Mapping[str, Any]
    key: str
    encoded: bool


def side_matchers(rule: Mapping[str, Any], side: Literal["source", "target"]) -> tuple[Matcher, ...]:
    """The matchers of one side of an inhibit rule that Alertmanager has accepted; raises UserError."""
    keys = ("match", "match_re", "matchers")
    sides = {key: rule.get(f"{side}_{key}") for key in keys}
    return tuple(_matchers("", sides, line_of(rule, f"{side}_matchers")))


def _load(path: str, text: str, first_line: int = 1) -> list[Document]:
    try:
        return load_all(text, first_line)
    except YamlError as error:
        raise _error(path, error.line, f"not valid YAML: {error}", "Correct it") from None


def _configuration(path: str, text: str, documents: list[Document]) -> Map:
    for document in documents:
        for holder in _holders(document.value):
            return _held(path, text, holder)
    values = [document.value for document in documents if isinstance(document.value, Map)]
    found = next((value for value in values if "route" in value or "receivers" in value), None)
    if found is None:
        raise _error(
            path,
            documents[0].line if documents else 1,
            "no Alertmanager configuration",
            f"A mapping with `route` and `receivers` is expected, or a Secret with the key `{_KEYS[0]}`",
        )
    return found


def _holders(value: object) -> Iterator[_Holder]:
    if not isinstance(value, Mapping):
        return
    kind = value.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _holders(item)
    elif kind in ("Secret", "ConfigMap"):
        # stringData wins over data, as in Kubernetes; a ConfigMap's data is plain text.
        for field in ("stringData", "data"):
            container = value.get(field)
            for key in _KEYS:
                if isinstance(container, Mapping) and isinstance(container.get(key), str):
                    yield _Holder(container, key, kind == "Secret" and field == "data")


def _held(path: str, text: str, holder: _Holder) -> Map:
    line = line_of(holder.container, holder.key)
    inner = holder.container[holder.key]
    if holder.encoded:
        try:
            inner = base64.b64decode("".join(inner.split()), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise _error(
                path, line, f"`{holder.key}` is not base64 text", "Use `stringData` for plain text"
            ) from None
    lines = text.splitlines()
    # Only a literal block (`key: |`) keeps the lines of the text inside; anything else points at its key.
    literal = not holder.encoded and line <= len(lines) and _BLOCK.search(lines[line - 1]) is not None
    document = _configuration(path, "", _load_held(path, inner, line, literal))
    if not literal:
        _flatten(document, line)
    return document


def _load_held(path: str, inner: str, line: int, literal: bool) -> list[Document]:
    try:
        return load_all(inner, line + 1 if literal else 1)
    except YamlError as error:
        where, what = (error.line, "") if literal else (line, f"line {error.line} of the text inside is ")
        raise _error(path, where, f"{what}not valid YAML: {error}", "Correct it") from None


def _flatten(value: object, line: int) -> None:
    if isinstance(value, Map):
        value.line, value.lines = line, dict.fromkeys(value.lines, line)
        for item in value.values():
            _flatten(item, line)
    elif isinstance(value, List):
        value.line, value.lines = line, [line] * len(value)
        for item in value:
            _flatten(item, line)


def _receivers(path: str, document: Map) -> dict[str, list[Integration]]:
    receivers = document.get("receivers") or []
    if not isinstance(receivers, list):
        raise _error(
            path, line_of(document, "receivers"), "`receivers` is not a list", "Write each as `- name: …`"
        )
    found: dict[str, list[Integration]] = {}
    for i, receiver in enumerate(receivers):
        line = line_of(receivers, i)
        name = receiver.get("name") if isinstance(receiver, Mapping) else None
        if not isinstance(name, str) or not name:
            raise _error(path, line, "a receiver without a name", "Add `name: …`")
        if name in found:
            raise _error(path, line, f'receiver "{name}" is defined twice', "Rename or merge one of them")
        found[name] = list(_integrations(path, name, receiver))
    return found


def _integrations(path: str, name: str, receiver: Mapping[str, Any]) -> Iterator[Integration]:
    for key, entries in receiver.items():
        if not key.endswith(_SUFFIX) or entries is None:
            continue
        if not isinstance(entries, list):
            what = f'`{key}` of receiver "{name}" is not a list'
            raise _error(path, line_of(receiver, key), what, "Put a `-` in front of each entry")
        for i, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                what = f'entry {i} of `{key}` of receiver "{name}" is not a mapping'
                raise _error(path, line_of(entries, i), what, "Fill it in or remove it")
            yield Integration(name, key.removesuffix(_SUFFIX), i)


def _route(
    path: str, route: Mapping[str, Any], line: int, parent: str | None, names: tuple[str, ...]
) -> Route:
    receiver = route.get("receiver") or parent
    if receiver is None:
        raise _error(path, line, "the root route names no receiver", "Add `receiver: …`, the default")
    if receiver not in names:
        where = line_of(route, "receiver", line)
        raise _error(
            path, where, f'receiver "{receiver}" is not defined', "Define it under `receivers`, or rename it"
        )
    children = route.get("routes") or []
    if not isinstance(children, list) or not all(isinstance(child, Mapping) for child in children):
        raise _error(
            path, line_of(route, "routes", line), "`routes` is not a list of routes", "Write each with a `-`"
        )
    return Route(
        receiver=str(receiver),
        matchers=tuple(_matchers(path, route, line)),
        continues=str(route.get("continue")).lower() in ("true", "yes", "on"),
        routes=tuple(
            _route(path, child, line_of(children, i, line), str(receiver), names)
            for i, child in enumerate(children)
        ),
        location=Location(path, line),
    )


def _matchers(path: str, route: Mapping[str, Any], line: int) -> Iterator[Matcher]:
    ops: tuple[tuple[str, _Op], ...] = (("match", "="), ("match_re", "=~"))
    for key, op in ops:
        pairs = route.get(key)
        if pairs is not None and not isinstance(pairs, Mapping):
            raise _error(path, line_of(route, key, line), f"`{key}` is not a mapping", "Write `label: value`")
        for label, value in (pairs or {}).items():
            yield Matcher(label, op, "" if value is None else str(value))
    written = route.get("matchers") or []
    for i, text in enumerate(written if isinstance(written, list) else [written]):
        where = line_of(written, i) if isinstance(written, list) else line_of(route, "matchers", line)
        try:
            yield from parse_matchers(text if isinstance(text, str) else "")
        except ValueError as error:
            raise _error(path, where, str(error), 'Write `label="value"`, with =, !=, =~ or !~') from None


def _split(text: str) -> Iterator[str]:
    """Cut at commas that stand outside of quotes."""
    quoted = escaped = False
    start = 0
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\" and quoted:
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            yield text[start:i]
            start = i + 1
    yield text[start:]


def _matcher(text: str) -> Matcher:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text.strip()!r} is not a matcher")
    label, op, value = found.groups()
    return Matcher(_unquote(label), cast(_Op, op), _unquote(value))


def _unquote(text: str) -> str:
    body = text
    if text.startswith('"'):
        if len(text) < 2 or not text.endswith('"'):
            raise ValueError(f"{text} has a quote without its partner")
        body = text[1:-1]
    # As in Alertmanager, an unknown escape (\d of a regular expression) stays as it is.
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), body, flags=re.DOTALL)


def _error(path: str, line: int, what: str, remedy: str) -> FileError:
    return FileError(path, line, f"{what}. {remedy}.")
