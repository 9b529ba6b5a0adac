"""Did you mean …? The name or value nearest to one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
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
_COUNTED = re.compile(r"\d+(?:[A-Za-z](?![A-Za-z]))?")
"""Numbers in label values with a letter after them: of zones and disks the neighbour is as good."""
_LETTERS = re.compile(r"[^\W\d_]+")
_WORD_OF_ONE_EDIT = 5
_WORD_OF_TWO_EDITS = 8
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
    """The label name that was surely meant: another case, or a letter or two off. What differs in digits is another thing."""
    return _surely(value, known, _is_typo)


def mistyped(value: str, known: Iterable[str]) -> str:
    """The label value that was surely meant: another case, or one long word misspelt. A neighbour (1a, 1b) is no typo."""
    return _surely(value, known, _is_word_mistyped)


def _surely(text: str, known: Iterable[str], is_typo: Callable[[str, str], bool]) -> str:
    texts = sorted(known)
    if text in texts:
        return ""
    return next((one for one in texts if one.lower() == text.lower() or is_typo(text, one)), "")


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


def _is_word_mistyped(value: str, other: str) -> bool:
    """Whether two values are the same but for one misspelt word. Digits, and a letter after one, must be the same."""
    if _COUNTED.findall(value) != _COUNTED.findall(other):
        return False
    mine, theirs = (_LETTERS.findall(_COUNTED.sub(" ", text)) for text in (value, other))
    differ = [pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]]
    return len(mine) == len(theirs) and len(differ) == 1 and _is_mistyped(*differ[0])


def _is_mistyped(word: str, other: str) -> bool:
    shorter, longer = sorted((len(word), len(other)))
    edits = _edits(word, other)
    if edits == 1:
        return shorter >= _WORD_OF_ONE_EDIT
    # Two other letters, or another beginning: northeast and northwest, internal and external, encoding and decoding.
    replaced = shorter == longer and sum(a != b for a, b in zip(word, other, strict=True)) == edits
    return edits == 2 and longer >= _WORD_OF_TWO_EDITS and word[0] == other[0] and not replaced


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
