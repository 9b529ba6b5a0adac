"""Did you mean …? The name or value nearest to one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache

_ALIKE = 0.7
"""Similarity (difflib's ratio) from which on two words are the same one misspelt."""
_ENDINGS = frozenset({
    "total", "seconds", "bytes", "bucket", "count", "sum", "info", "milliseconds", "ms", "ratio", "percent", "celsius",
    "created", "timestamp",
})  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"\d+[smhdwy]?")
"""Numbers and times: rate5m and rate1h are no misspellings of each other."""
_LONG = 7
_SHORT = 4
"""Values of fewer letters differ from each other by chance."""


def nearest(name: str, known: Collection[str]) -> str:
    """The metric, recorded or label name that was probably meant; empty where none is near.

    Near are names whose words are the same but for the order, one word misspelt, missing or too much, or the ending.
    """
    words, stem = _words(name), _stem(name)
    near = [
        one
        for one in known
        if one != name and (_stem(one) == stem or _one_word_off(words, _words(one)) or _is_typo(name, one))
    ]
    return max(near, default="", key=lambda one: (_stem(one) == stem, _ratio(name, one), one))


def misspelt(value: str, known: Iterable[str]) -> str:
    """The label value that was surely meant: another case, or a letter or two off. What differs in digits is another thing."""
    values = sorted(known)
    if value in values:
        return ""
    for one in values:
        if one.lower() == value.lower() or _is_typo(value, one):
            return one
    return ""


def slip(label: str, known: Iterable[str]) -> str:
    """The label that was surely meant by one of which nothing is known: two letters exchanged, or one off in a long word.

    A plural is no slip.
    """
    for one in sorted(known):
        exchanged = sorted(one) == sorted(label) and _is_slip(one, label)
        plural = one.rstrip("s") == label.rstrip("s")
        if exchanged or (len(one) >= _LONG and not plural and _is_slip(one, label)):
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


def _is_slip(one: str, other: str) -> bool:
    """Whether two short words differ in one letter, or in the order of two."""
    return min(len(one), len(other)) > 2 and abs(len(one) - len(other)) < 2 and _edits(one, other) == 1


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


def _one_word_off(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    if abs(len(words) - len(others)) > 1:
        return False
    mine, theirs = Counter(words), Counter(others)
    here, there = [*(mine - theirs).elements()], [*(theirs - mine).elements()]
    if len(here) > 1 or len(there) > 1:
        return False
    if here and there:
        return _ratio(here[0], there[0]) >= _ALIKE or _is_slip(here[0], there[0])
    return min(len("".join(words)), len("".join(others))) >= _SHORT


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


@lru_cache(maxsize=50_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name.replace("_", " ")))


def _stem(name: str) -> tuple[str, ...]:
    """The words of a name without what tells its unit or part of a histogram."""
    words = list(_words(name))
    while len(words) > 1 and words[-1] in _ENDINGS:
        words.pop()
    return tuple(words)
