"""Go templates taken apart: what is defined, and what refers to what. Nothing is rendered."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_sre.model.routing import Held
from pytest_sre.sources.template_search import by_name

_STRING = r'"(?:\\.|[^"\\\n])*"|`[^`]*`|\'(?:\\.|[^\'\\\n])*\''
_ACTION = re.compile(rf'\{{\{{(-(?=\s))?((?:{_STRING}|[^"`\'])*?)((?<=\s)-)?\}}\}}', re.S)
_COMMENT = re.compile(r"\{\{(-(?=\s))?\s*/\*.*?\*/\s*((?<=\s)-)?\}\}", re.S)
_SPACE = re.compile(rf"({_STRING})|\s+", re.S)
_NAMED = re.compile(r'^(define|block|template)\s*("(?:\\.|[^"\\])*"|`[^`]*`)')
_OPENS = re.compile(r"^(if|range|with|define|block)\b")


class Unclear(ValueError):
    """A text that can't be taken apart."""


@dataclass
class Definition:
    """A named template: its text, without what its own definitions hold, and the names that it refers to."""

    name: str
    pieces: list[str] = field(default_factory=list)
    refers: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """All of it, with comments and the white space in actions made uniform."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Templates:
    """All of a configuration's templates; ``unclear`` are whole files by their path as shown."""

    definitions: Mapping[str, Definition]
    unclear: Mapping[str, str]


def read_templates(document: Mapping[str, Any], base: Path, held: Mapping[str, Held]) -> Templates:
    """The templates of an Alertmanager configuration; of several definitions of a name the last one counts.

    ``held`` are the files that an object of Kubernetes holds.
    """
    definitions: dict[str, Definition] = {}
    unclear: dict[str, str] = {}
    for name, text in ((name, one.text) for name, one in held.items()):
        try:
            definitions.update(
                (one.name, one) for one in take_apart(Path(name).name, text) if one.text.strip()
            )
        except Unclear:
            unclear[name] = text
    patterns = document.get("templates")
    for path in template_files(patterns if isinstance(patterns, list) else [], base):
        try:
            text = path.read_text("utf-8", "replace").replace("\r\n", "\n")
        except OSError:
            continue
        try:
            definitions.update((one.name, one) for one in take_apart(path.name, text) if one.text.strip())
        except Unclear:
            unclear[path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)] = text
    return Templates(definitions, unclear)


def template_files(patterns: Iterable[object], base: Path) -> Iterator[Path]:
    """The files that patterns name; one that exists in production only is looked for by name beside the configuration."""
    for pattern in patterns:
        found = sorted(Path(path) for path in glob.glob(str(base / str(pattern))))
        if not found and Path(str(pattern)).is_absolute():
            found = [path for files in by_name(str(pattern), base) for path in files]
        yield from (path for path in found if path.is_file())


def take_apart(file_name: str, text: str) -> list[Definition]:
    """A file's definitions; what stands outside of any is named after the file. Raises Unclear."""
    top = Definition(file_name)
    found, open_blocks = [top], [top]
    for is_action, piece in _tokens(text):
        if not is_action:
            open_blocks[-1].pieces.append(piece)
            continue
        named = _NAMED.match(piece)
        owner = open_blocks[-1]
        if named and named[1] != "define":
            owner.refers.add(named[2][1:-1])
        if named and named[1] != "template":
            found.append(Definition(named[2][1:-1]))
            open_blocks.append(found[-1])
        elif _OPENS.match(piece):
            open_blocks.append(owner)
        elif piece == "end":
            ended = open_blocks.pop()
            if not open_blocks:
                raise Unclear("more ends than beginnings")
            owner = open_blocks[-1]
            if ended is not owner:
                continue
        if not (named and named[1] == "define"):
            owner.pieces.append("{{" + piece + "}}")
    if len(open_blocks) > 1:
        raise Unclear("an end is missing")
    return found


def references(text: str) -> frozenset[str]:
    """The templates that a text refers to. Raises Unclear."""
    return frozenset(name for one in take_apart("", text) for name in one.refers)


def reached(names: Iterable[str], definitions: Mapping[str, Definition]) -> frozenset[str]:
    """Of the user's definitions those that names lead to, at any depth."""
    seen: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name in definitions and name not in seen:
            seen.add(name)
            queue += definitions[name].refers
    return frozenset(seen)


def _tokens(text: str) -> Iterator[tuple[bool, str]]:
    """Texts and actions in turn, trimmed as `{{-` and `-}}` ask; comments are gone."""
    start, trim = 0, False
    while True:
        opened = text.find("{{", start)
        action = (_COMMENT.match(text, opened) or _ACTION.match(text, opened)) if opened >= 0 else None
        if opened >= 0 and action is None:
            raise Unclear("an action does not end")
        plain = text[start : opened if action else len(text)]
        plain = plain.lstrip() if trim else plain
        plain = plain.rstrip() if action and action[1] else plain
        if plain:
            yield False, plain
        if action is None:
            return
        if action.re is _ACTION:
            yield True, _SPACE.sub(lambda found: found[1] or " ", action[2]).strip()
        start, trim = action.end(), bool(action[action.re.groups])
