"""Labels made from others: what ``label_replace`` and ``label_join`` write, and from what they would write a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pytest_sre.promql.ast import Call, Expr, String
from pytest_sre.synthesis.regexes import examples

_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True, slots=True)
class Link:
    """``label_replace``: ``target`` becomes ``template`` where ``pattern`` matches ``source``."""

    target: str
    template: str
    source: str
    pattern: str

    @property
    def constant(self) -> bool:
        """Whether the target gets the template's text whatever the source is."""
        return not _REFERENCE.search(self.template) and replaced(self.pattern, self.template, "") is not None

    def forward(self, value: str) -> str | None:
        """What the target becomes; None where it stays as it is."""
        return replaced(self.pattern, self.template, value)

    def backward(self, wanted: str) -> Iterator[str]:
        """Values of the source from which the target becomes ``wanted``."""
        for value in _candidates(self.pattern, self.template, wanted):
            if self.forward(value) == wanted:
                yield value


@dataclass(frozen=True, slots=True)
class Join:
    """``label_join``: ``target`` becomes the values of ``sources`` with ``separator`` between them."""

    target: str
    separator: str
    sources: tuple[str, ...]


def links(nodes: Iterable[Expr]) -> Iterator[Link | Join]:
    """All of some expressions' nodes, outer calls first."""
    for node in nodes:
        if isinstance(node, Call) and node.name in ("label_replace", "label_join"):
            texts = [argument.value if isinstance(argument, String) else "" for argument in node.args[1:]]
            if node.name == "label_join" and len(texts) > 2:
                yield Join(texts[0], texts[1], tuple(texts[2:]))
            elif node.name == "label_replace" and len(texts) == 4:
                yield Link(*texts)


@lru_cache(maxsize=10_000)
def replaced(pattern: str, template: str, value: str) -> str | None:
    """What ``label_replace`` writes; None where the pattern does not match."""
    try:
        match = re.fullmatch(pattern, value, re.DOTALL)
    except re.error:
        return ""
    return None if match is None else _REFERENCE.sub(lambda reference: _group(match, reference), template)


def _group(match: re.Match[str], reference: re.Match[str]) -> str:
    """As in Go, a group that does not exist is empty."""
    name = reference[1] or reference[2]
    try:
        return (match[int(name)] if name.isdigit() else match[name]) or ""
    except (IndexError, re.error):
        return ""


def _candidates(pattern: str, template: str, wanted: str) -> Iterator[str]:
    yield wanted
    reference = _REFERENCE.fullmatch(template) or _REFERENCE.search(template)
    if reference is not None:
        before, after = template[: reference.start()], template[reference.end() :]
        name = reference[1] or reference[2]
        inside = wanted[len(before) : len(wanted) - len(after)] if after else wanted[len(before) :]
        if name.isdigit() and wanted.startswith(before) and wanted.endswith(after):
            yield from examples(pattern, 12, (int(name), inside))
    yield from examples(pattern, 12)
