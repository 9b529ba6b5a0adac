"""What values label matchers leave: exactly where they can be listed, else no more than their own text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from pytest_sre.model.routing import Matcher

try:
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as parser

_MOST = 256
"""So many values are listed at most."""
_GO_ONLY = re.compile(r"\{,|\[\[:|\\[pPCQEz]|\(\?(?!:)|\$.|.\^", re.S)
"""Where Go and Python may read an expression in different ways."""


@dataclass(frozen=True, slots=True)
class Values:
    """What values a label can have ("" is none); ``listed`` are all there are, None where they cannot be listed.

    ``matchers`` hold for them all; ``why`` says where that comes from.
    """

    listed: frozenset[str] | None = None
    matchers: tuple[Matcher, ...] = ()
    why: str = ""

    @property
    def never(self) -> bool:
        """Whether there is no value at all."""
        return self.listed is not None and not self.listed

    @property
    def never_absent(self) -> bool:
        """Whether the label is surely there."""
        if self.listed is not None:
            return "" not in self.listed
        return any(_excludes(matcher, "") for matcher in self.matchers)

    def meet(self, other: Values) -> Values:
        """What both allow."""
        one, two = (self, other) if self.listed is not None else (other, self)
        why = self.why or other.why
        if one.listed is None:
            return _resolved(tuple(dict.fromkeys((*one.matchers, *two.matchers))), why)
        if two.listed is not None:
            return Values(one.listed & two.listed, why=why)
        left = (text for text in one.listed if not any(_excludes(matcher, text) for matcher in two.matchers))
        return Values(frozenset(left), why=why)

    def hull(self, other: Values) -> Values:
        """What either allows."""
        if self.listed is not None and other.listed is not None:
            return Values(self.listed | other.listed, why=self.why or other.why)
        return self if self == other else ANY


ANY = Values()


def allowed(matchers: tuple[Matcher, ...]) -> Values:
    """The values of one label that satisfy all ``matchers`` on it."""
    return _resolved(matchers, "")


@lru_cache(maxsize=20_000)
def _resolved(matchers: tuple[Matcher, ...], why: str) -> Values:
    lists = [found for matcher in matchers if (found := listed(matcher)) is not None]
    if lists:
        common = frozenset.intersection(*lists)
        left = (text for text in common if not any(_excludes(matcher, text) for matcher in matchers))
        return Values(frozenset(left), why=why)
    return Values(frozenset() if _contradict(matchers) else None, matchers, why)


def _contradict(matchers: tuple[Matcher, ...]) -> bool:
    """Whether an expression that must match has no branch that must not."""
    for one in matchers:
        if one.op != "=~":
            continue
        left = set(_branches(one.value))
        for other in matchers:
            if other.op == "!~" and readable(other.value) and readable(one.value):
                left -= set(_branches(other.value))
        if not left:
            return True
    return False


def _branches(pattern: str) -> list[str]:
    """The alternatives of an expression; itself where it is not plain enough to be taken apart."""
    return pattern.split("|") if not re.search(r"[()\[\]\\]", pattern) else [pattern]


def listed(matcher: Matcher) -> frozenset[str] | None:
    """All values that a matcher lets through; None where they are too many or not certain."""
    if matcher.op == "=":
        return frozenset({matcher.value})
    if matcher.op == "=~":
        return language(matcher.value)
    if matcher.op == "!~" and matcher.value == ".*":
        return frozenset()
    if matcher.op == "!~" and matcher.value == ".+":
        return frozenset({""})
    return frozenset() if matcher.op == "!~" and matcher.value == "(.*)" else None


def _excludes(matcher: Matcher, text: str) -> bool:
    """Whether a matcher surely does not let a value through."""
    if matcher.op in ("=~", "!~") and not readable(matcher.value):
        return False
    return not matcher.matches({matcher.label: text} if text else {})


def includes(matcher: Matcher, text: str) -> bool:
    """Whether a matcher surely lets a value through."""
    if matcher.op in ("=~", "!~") and not readable(matcher.value):
        return False
    return matcher.matches({matcher.label: text} if text else {})


@lru_cache(maxsize=20_000)
def readable(pattern: str) -> bool:
    """Whether Go and Python surely read a regular expression in the same way."""
    if _GO_ONLY.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


@lru_cache(maxsize=20_000)
def language(pattern: str) -> frozenset[str] | None:
    """All texts that an anchored expression matches; None where they are too many or not certain."""
    if not readable(pattern):
        return None
    try:
        return _texts(list(parser.parse(pattern)))
    except (re.error, OverflowError, RecursionError):
        return None


def _texts(items: list[Any]) -> frozenset[str] | None:
    found = [""]
    for item in items:
        more = _item(*item)
        if more is None or len(found) * len(more) > _MOST:
            return None
        found = [head + tail for head, tail in product(found, more)]
    return frozenset(found)


def _item(op: Any, arg: Any) -> frozenset[str] | None:
    name = str(op)
    if name == "LITERAL":
        return frozenset({chr(arg)})
    if name == "IN":
        return _members(arg)
    if name == "BRANCH":
        return _union([_texts(list(branch)) for branch in arg[1]])
    if name == "SUBPATTERN":
        return _texts(list(arg[-1])) if not (arg[1] or arg[2]) else None
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        low, high, inner = arg
        if int(high) > 4:
            return None
        return _union([_texts(list(inner) * count) for count in range(low, int(high) + 1)])
    return None


def _union(parts: list[frozenset[str] | None]) -> frozenset[str] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    found = frozenset[str]().union(*known)
    return found if len(found) <= _MOST else None


def _members(members: list[Any]) -> frozenset[str] | None:
    found: set[str] = set()
    for op, arg in members:
        if str(op) == "LITERAL":
            found.add(chr(arg))
        elif str(op) == "RANGE" and arg[1] - arg[0] < _MOST:
            found |= {chr(code) for code in range(arg[0], arg[1] + 1)}
        elif str(op) == "CATEGORY" and str(arg) == "CATEGORY_DIGIT":
            found |= set("0123456789")
        else:
            return None
    return frozenset(found)
