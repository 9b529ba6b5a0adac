"""Texts that match a regular expression, for label values."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain, islice
from typing import Any

try:
    from re import _parser as parser  # type: ignore[attr-defined]
except ImportError:  # Python 3.10
    import sre_parse as parser

_DOT = re.compile(r"(?<=\]|[*+])\.(?=\[|\\d)")
_GAP = re.compile(r"^[-_.:]|[-_.:]$|[-_.:]{2}")
_LOOKED_AT = 12
_CLASSES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}


@lru_cache(maxsize=5_000)
def examples(pattern: str, limit: int = 6, given: tuple[int, str] | None = None) -> tuple[str, ...]:
    """Up to ``limit`` different texts that the whole pattern matches, simplest first; none if it is not valid.

    ``given`` is the number of a group and what it should match.
    """
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return ()
    found: dict[str, None] = {}
    most = max(limit, _LOOKED_AT)
    status = list(parser.parse(re.sub(r"(?<=\d)\.|(?<=\d\.)\.", "0", pattern)))  # 5.. is rather 500 than 5aa
    dotted = list(parser.parse(_DOT.sub(r"\.", pattern)))  # [0-9].[0-9] is rather 1.0 than 1a0
    for text in chain(
        islice(_sequence(dotted, given), 20 if _DOT.search(pattern) else 0),
        islice(_sequence(status, given), 20),
        islice(_sequence(list(tree), given), 200),
    ):
        if compiled.fullmatch(text):
            found[text] = None
            if len(found) >= most:
                break
    return tuple(sorted(found, key=_unnatural)[:limit])


def _unnatural(text: str) -> bool:
    """Whether something is missing beside a separator: ``10.0.`` and ``api--v1``."""
    return bool(_GAP.search(text))


def _sequence(items: list[Any], given: tuple[int, str] | None, alone: bool | None = None) -> Any:
    """Texts for items in a row; ``alone``: an only item, which should not be empty."""
    if not items:
        yield ""
        return
    alone = len(items) == 1 if alone is None else alone
    for tail in islice(_sequence(items[1:], given, alone), 20):
        for head in islice(_item(items[0], given, alone), 20):
            yield head + tail


def _item(item: Any, given: tuple[int, str] | None, alone: bool = True) -> Any:
    op, arg = item
    name = str(op)
    if name == "LITERAL":
        yield chr(arg)
    elif name == "NOT_LITERAL":
        yield "a" if chr(arg) != "a" else "b"
    elif name == "ANY":
        yield "a"
    elif name == "IN":
        yield from _members(arg)
    elif name == "BRANCH":
        for branch in arg[1]:
            yield from islice(_sequence(list(branch), given), 10)
    elif name == "SUBPATTERN" and given is not None and arg[0] == given[0]:
        yield given[1]
    elif name == "SUBPATTERN":
        yield from _sequence(list(arg[-1]), given)
    elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = arg
        counts = [max(low, min(1, high)), low, min(high, low + 2)]
        if not alone and [str(one[0]) for one in inner] == ["ANY"]:
            counts.sort()  # .*name.* is rather name than anamea
        for count in dict.fromkeys(counts):
            yield from (text * count for text in islice(_sequence(list(inner), given), 10))
    elif name == "ATOMIC_GROUP":
        yield from _sequence(list(arg), given)
    else:
        yield ""


def _members(members: list[Any]) -> Any:
    if members and str(members[0][0]) == "NEGATE":
        pattern = _class_pattern(members[1:])
        yield from (letter for letter in "ab1-_X " if not pattern(letter))
        return
    for op, arg in members:
        name = str(op)
        if name == "LITERAL":
            yield chr(arg)
        elif name == "RANGE":
            yield from map(chr, range(arg[0], min(arg[1], arg[0] + 1) + 1))
        elif name == "CATEGORY":
            yield _CLASSES.get(str(arg), "-")


def _class_pattern(members: list[Any]) -> Any:
    def inside(letter: str) -> bool:
        for op, arg in members:
            name = str(op)
            if name == "LITERAL" and chr(arg) == letter:
                return True
            if name == "RANGE" and arg[0] <= ord(letter) <= arg[1]:
                return True
            if name == "CATEGORY":
                kind = str(arg)
                digit, word = letter.isdigit(), letter.isalnum() or letter == "_"
                table = {
                    "CATEGORY_DIGIT": digit, "CATEGORY_NOT_DIGIT": not digit, "CATEGORY_WORD": word,
                    "CATEGORY_NOT_WORD": not word, "CATEGORY_SPACE": letter == " ",
                    "CATEGORY_NOT_SPACE": letter != " ",
                }  # fmt: skip
                if table.get(kind, False):
                    return True
        return False

    return inside
