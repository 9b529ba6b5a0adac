"""YAML as Go's parser reads it, with lines kept, and written back so that a server's line numbers can be traced.

Scalars keep their text: a plain ``1.10`` or ``true`` becomes ``Plain("1.10")``, so nothing is lost on the way to
a server's copy. Aliases and merge keys are expanded, so a change to one place never changes another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from pytest_sre.errors import UserError

MAX_NODES = 5_000_000
MAX_DEPTH = 1_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(
    r"true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|[-+]?(\d+|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)"
    r"|[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
# Numbers to Go's parser, texts to ours.
_GO_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+|0o[0-7]+")
# What a reader of double-quoted YAML refuses, or takes for the end of a line.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Plain(str):
    """An unquoted number or boolean; written back without quotes."""

    __slots__ = ()


class Map(dict[str, Any]):
    """A mapping that knows its line, and the line of each key."""

    line: int
    lines: dict[str, int]


class List(list[Any]):
    """A sequence that knows its line, and the line of each item."""

    line: int
    lines: list[int]


class YamlError(ValueError):
    """A file that is not YAML: ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Document(NamedTuple):
    """One document of a stream: its value and its first line."""

    value: Any
    line: int


def load_all(text: str, first_line: int = 1) -> list[Document]:
    """All documents of a YAML stream. ``first_line`` is the file's line that the text starts at.

    Raises YamlError (also for duplicate keys and for aliases that expand beyond all measure).
    """
    if _depth(text) > MAX_DEPTH:  # the parser in C would end the whole process
        raise YamlError(first_line, "nested too deeply")
    builder = _Builder(first_line)
    try:
        nodes: Iterator[Any] = yaml.compose_all(text, Loader=_LOADER)
        return [Document(builder.build(node), builder.line(node)) for node in nodes if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (mark.line if mark else 0) + first_line
        raise YamlError(line, " ".join(filter(None, [error.context, error.problem]))) from None
    except yaml.YAMLError as error:
        raise YamlError(first_line, str(error).splitlines()[0]) from None
    except RecursionError:
        raise YamlError(first_line, "nested too deeply") from None


def _depth(text: str) -> int:
    """At most how deeply a text's brackets and block sequences nest."""
    depth = low = deepest = 0
    for found in re.finditer(r"[\[\]{}]", text):
        depth += 1 if found[0] in "[{" else -1
        low = min(low, depth)
        deepest = max(deepest, depth - low)
    blocks = max((len(found[0]) // 2 for found in re.finditer(r"^(?:[-?:] )+", text, re.M)), default=0)
    return max(deepest, blocks)


class _Builder:
    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.count = 0
        self.open: set[int] = set()

    def line(self, node: Any) -> int:
        return int(node.start_mark.line) + self.first_line

    def build(self, node: Any) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise YamlError(self.line(node), "aliases expand to too many values")
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self.open:
            raise YamlError(self.line(node), "an alias contains itself")
        self.open.add(id(node))
        value = self._map(node) if isinstance(node, yaml.MappingNode) else self._list(node)
        self.open.discard(id(node))
        return value

    def _list(self, node: Any) -> List:
        result = List(self.build(child) for child in node.value)
        result.line = self.line(node)
        result.lines = [self.line(child) for child in node.value]
        return result

    def _map(self, node: Any) -> Map:
        result, merged = Map(), Map()
        result.line, result.lines, merged.lines = self.line(node), {}, {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                for source in sources:
                    part = self.build(source)
                    if not isinstance(part, Map):
                        raise YamlError(self.line(key_node), "a merge key takes a mapping")
                    for key, value in part.items():
                        merged.setdefault(key, value)
                        merged.lines.setdefault(key, part.lines[key])
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError(self.line(key_node), "a key must be a scalar")
            key = str(key_node.value)
            if key in result:
                raise YamlError(
                    self.line(key_node), f'key "{key}" is set twice (first at line {result.lines[key]})'
                )
            result[key] = self.build(value_node)
            result.lines[key] = self.line(key_node)
        for key, value in merged.items():
            if key not in result:
                result[key], result.lines[key] = value, merged.lines[key]
        return result


def _scalar(node: Any) -> str | None:
    text: str = node.value
    # The parser in C says "" where the one in Python says None.
    if not node.style and (node.tag != "tag:yaml.org,2002:str" or _GO_NUMBER.fullmatch(text)):
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if _PLAIN.fullmatch(text):
            return Plain(text)
    return text


def line_of(value: Any, key: str | int, default: int = 1) -> int:
    """The line of a mapping's key or a sequence's item, else the container's own line."""
    lines = getattr(value, "lines", None)
    try:
        return int(lines[key])  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return int(getattr(value, "line", default))


def dump(value: Any) -> tuple[str, list[int]]:
    """Write a value as YAML (JSON with a line for each key and item); second, each line's source line (0: none)."""
    out: list[str] = []
    lines: list[int] = []
    _emit(value, "", "", 0, out, lines)
    return "\n".join(out) + "\n", lines


def _emit(value: Any, before: str, after: str, line: int, out: list[str], lines: list[int]) -> None:
    if isinstance(value, Mapping) and value:
        _put(before + "{", line, out, lines)
        for i, (key, item) in enumerate(value.items(), 1):
            head = _quoted(key) + ": "
            _emit(item, head, "," if i < len(value) else "", line_of(value, key, 0) or line, out, lines)
        _put("}" + after, line, out, lines)
    elif isinstance(value, (list, tuple)) and value:
        _put(before + "[", line, out, lines)
        for i, item in enumerate(value):
            _emit(item, "", "," if i + 1 < len(value) else "", line_of(value, i, 0) or line, out, lines)
        _put("]" + after, line, out, lines)
    else:
        _put(before + (str(value) if isinstance(value, Plain) else _quoted(value)) + after, line, out, lines)


def _quoted(value: Any) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _put(text: str, line: int, out: list[str], lines: list[int]) -> None:
    out.append(text)
    lines.append(line)


def read_documents(path: Path) -> list[Document]:
    """All documents of one of our own files; raises UserError with its name, and the line where it is not YAML."""
    try:
        return load_all(path.read_text("utf-8-sig"))
    except YamlError as error:
        raise UserError(f"{path}:{error.line}: not valid YAML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
