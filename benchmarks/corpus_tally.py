"""What became of distinct expressions: alerts that say the same in other words count once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_sre.promql.ast import Number, String
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text

SEVERITY = ("passed", "texts", "always fires", "not synthesised", "skipped", "failed", "broken")
"""What can become of an item of an alert that can fire, from best to worst. ``texts``: it fires, but one does not render."""
OTHER = "other"
CAUSES = ("both", "impossible", "not synthesised", "always fires", OTHER)
"""The parts into which distinct expressions fall. ``both``: fires, and is quiet."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of corpus_items.py: what a check said of an alert; ``corpus`` is the repository that it is in."""

    corpus: str
    file: str
    line: int
    alert: str
    expr: str
    check: str
    became: str
    reason: str
    part: str


def read(path: Path, corpus: str) -> list[Item]:
    """The lines that one run wrote."""
    lines = path.read_text().splitlines() if path.exists() else ()
    return [Item(corpus, **json.loads(line)) for line in lines]


def normal(expr: str) -> str:
    """An expression without comments, needless parentheses and its author's layout."""
    try:
        return to_text(parse(expr))
    except PromqlError:
        return " ".join(expr.split())


def masked(expr: str) -> str:
    """The shape of an expression: without its constants, names of metrics, values of labels, ranges and offsets."""
    try:
        return to_text(_mask(parse(expr)))
    except PromqlError:
        return " ".join(expr.split())


def _mask(node: Any) -> Any:
    """The same tree with 1 for each number (also seconds), M for each metric and V for each string."""
    if isinstance(node, Number):
        return Number(1.0)
    if isinstance(node, String):
        return String("V")
    if isinstance(node, tuple):
        return tuple(_mask(one) for one in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    return replace(node, **{one.name: _field(node, one.name) for one in fields(node)})


def _field(node: Any, name: str) -> Any:
    value = getattr(node, name)
    kind = type(node).__name__
    if isinstance(value, float):
        return 1.0 if value else 0.0
    if kind == "VectorSelector" and name == "name":
        return "M" if value else ""
    return "V" if kind == "Matcher" and name == "value" else _mask(value)


@dataclass(frozen=True)
class Expression:
    """A distinct expression and the items of all alerts that have it."""

    text: str
    items: tuple[Item, ...]

    @cached_property
    def cause(self) -> str:
        """One of CAUSES, of the places in which it can fire."""
        if self.became("fires") == "impossible":
            return "impossible"
        states = [self.became("fires"), self.became("quiet")]
        if self.passes("fires") and self.passes("quiet"):
            return "both"
        named = [one for one in states if one in ("not synthesised", "always fires")]
        return named[0] if named and not {"failed", "broken"} & set(states) else OTHER

    def became(self, check: str) -> str:
        """The worst that became of it where it is not impossible; impossible where it is that everywhere."""
        found = {one.became for one in self.items if one.check == check} - {"impossible"}
        return max(found, key=SEVERITY.index) if found else "impossible"

    def passes(self, check: str) -> bool:
        """Whether it fires, or is quiet, wherever it can fire."""
        return self.became(check) in ("passed", "texts")

    @property
    def differs(self) -> bool:
        """Whether something else became of it in one place than in another."""
        return any(
            len({one.became for one in self.items if one.check == check}) > 1 for check in ("fires", "quiet")
        )

    @property
    def worst(self) -> Item:
        """The item that shows why it is not fire and quiet."""
        every = [check for check in ("fires", "quiet") if not self.passes(check)] or ["fires"]
        wanted = [(check, self.became(check)) for check in every]
        return next(one for one in self.items if (one.check, one.became) in wanted)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of one corpus, or of all."""

    name: str
    alerts: int
    expressions: tuple[Expression, ...]

    @property
    def shapes(self) -> int:
        """How many masked shapes the expressions have."""
        return len({masked(one.text) for one in self.expressions})

    @property
    def differing(self) -> int:
        """How many expressions fare differently in different places."""
        return sum(one.differs for one in self.expressions)

    @property
    def without_texts(self) -> list[Expression]:
        """The expressions that fire, though a text of an alert does not render."""
        return [one for one in self.expressions if one.became("fires") == "texts"]

    def count(self, cause: str) -> int:
        """How many expressions fall into one of CAUSES."""
        return sum(one.cause == cause for one in self.expressions)

    def passed(self, check: str) -> int:
        """How many expressions pass a check wherever they can fire."""
        return sum(one.passes(check) for one in self.expressions)

    @property
    def share(self) -> float:
        """Of the expressions that can fire, those that fire and are quiet; 0 to 1."""
        return self.count("both") / max(1, len(self.expressions) - self.count("impossible"))


def tally(name: str, items: Sequence[Item]) -> Tally:
    """Count the distinct expressions of these items."""
    by_text: dict[str, list[Item]] = defaultdict(list)
    for one in items:
        by_text[normal(one.expr)].append(one)
    expressions = tuple(Expression(text, tuple(found)) for text, found in by_text.items())
    return Tally(name, len(_alerts(items)), expressions)


def _alerts(items: Iterable[Item]) -> set[tuple[str, str, int]]:
    return {(one.corpus, one.file, one.line) for one in items}
