"""Did you mean …? The name or value nearest to one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

_NEAR = 0.78
"""Similarity (difflib's ratio) from which on two names are the same one misspelt."""
_SHARED = 0.6
"""Part of all their words that two names must share to be the same one in another order, or with other endings."""
_ENDINGS = frozenset({
    "total", "seconds", "bytes", "bucket", "count", "sum", "info", "milliseconds", "ms", "ratio", "percent", "celsius",
    "created", "timestamp",
})  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"\d+")
_SHORT = 4
"""Values of fewer letters differ from each other by chance."""


def nearest(name: str, known: Collection[str]) -> str:
    """The metric, recorded or label name that was probably meant; empty where none is near."""
    same = [one for one in sorted(known) if _stem(one) == _stem(name) and one != name]
    if same:
        return min(same, key=lambda one: (abs(len(one) - len(name)), one))
    close = difflib.get_close_matches(name, sorted(known), 1, _NEAR)
    if close:
        return close[0]
    words = _words(name)
    scored = [(_overlap(words, _words(one)), one) for one in sorted(known)] if len(words) > 1 else []
    best = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    return best[1] if best[0] >= _SHARED else ""


def misspelt(value: str, known: Iterable[str]) -> str:
    """The label value that was surely meant: another case, or a letter or two off. What differs in digits is another thing."""
    values = sorted(known)
    if value in values:
        return ""
    for one in values:
        if one.lower() == value.lower() or _is_typo(value, one):
            return one
    return ""


def _is_typo(value: str, other: str) -> bool:
    longer, shorter = sorted((value, other), key=len, reverse=True)
    if len(shorter) < _SHORT or _DIGITS.sub("#", value) == _DIGITS.sub("#", other):
        return False
    if longer.endswith(shorter) and len(longer) - len(shorter) > 1:
        return False  # available, unavailable
    allowed = 1 if len(longer) < 8 else 2
    return len(longer) - len(shorter) <= allowed and _edits(value, other) <= allowed


def _edits(one: str, other: str) -> int:
    """Letters to insert, delete, change or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name.replace("_", " ")))


def _stem(name: str) -> tuple[str, ...]:
    """The words of a name without what tells its unit or part of a histogram."""
    words = [word.lower() for word in _WORD.findall(name.replace("_", " "))]
    while len(words) > 1 and words[-1] in _ENDINGS:
        words.pop()
    return tuple(words)


def _overlap(words: frozenset[str], others: frozenset[str]) -> float:
    return len(words & others) / len(words | others)
