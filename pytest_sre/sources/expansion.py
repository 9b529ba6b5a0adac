"""Values of promtool's notation, expanded: ``0+10x60``, ``5 _ stale``, ``_x3``, ``{{count:1}}+{{count:2}}x5``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, repeat

from pytest_sre.model.samples import STALE, Histogram, Value
from pytest_sre.sources import histograms

MAX_VALUES = 1_000_000
_NUMBER = r"(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|inf|nan)"
_FLOATS = re.compile(rf"([-+]?)({_NUMBER})(?:(?:([-+])({_NUMBER}))?x(\d+))?", re.I)
_GAPS = re.compile(r"_(?:x(\d+))?")
_HISTOGRAM = r"\{\{[^{}]*\}\}"
_HISTOGRAMS = re.compile(rf"({_HISTOGRAM})(?:(?:([-+])({_HISTOGRAM}))?x(\d+))?")
_WORD = re.compile(rf"(?:{_HISTOGRAM}|[^\s{{])+|\S+")
_OCTAL = re.compile(r"0(?:_?[0-7])+")


def expand(text: str) -> tuple[Value | None, ...]:
    """All values, None for a gap; ``axn`` gives n + 1 of them, as there. Raises ValueError.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
    """
    values: list[Value | None] = []
    for found in _WORD.finditer(text):
        values += _item(found[0])
        if len(values) > MAX_VALUES:
            raise ValueError("more than a million values")
    return tuple(values)


def _item(word: str) -> Iterator[Value | None]:
    if word == "stale":
        return iter((STALE,))
    if gap := _GAPS.fullmatch(word):
        return repeat(None, _count(gap[1], 0) if gap[1] else 1)
    if found := _FLOATS.fullmatch(word):
        sign, first, up, step, times = found.groups()
        # The lexer takes `infx3` for one word.
        if not (times and (step or first)[-1:].isalpha()):
            by = number((up or "+") + step) if step else 0.0
            return accumulate(repeat(by, _count(times)), initial=number(sign + first))
    if found := _HISTOGRAMS.fullmatch(word):
        return _run(*found.groups())
    raise ValueError(
        f"{word!r} is not a value in promtool's notation (such as 5, _, stale, 0+10x60, 1x20, {{{{count:1}}}})"
    )


def _run(first: str, sign: str | None, step: str | None, times: str | None) -> Iterator[Histogram]:
    start = histograms.parse(first)
    if step is None:
        return repeat(start, _count(times) + 1)
    by, factor = histograms.parse(step), -1.0 if sign == "-" else 1.0
    return accumulate(
        repeat(by, _count(times)), lambda one, other: histograms.add(one, other, factor), initial=start
    )


def _count(text: str | None, extra: int = 1) -> int:
    if text is None:
        return 0
    if len(text) > 12 or int(text) + extra > MAX_VALUES:
        raise ValueError("more than a million values")
    return int(text)


def number(text: str) -> float:
    """A number as Prometheus reads it, with a sign or not: ``010`` is octal, ``1_000`` a thousand."""
    sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    value = float(int(digits, 8)) if _OCTAL.fullmatch(digits) else float(digits.replace("_", ""))
    return -value if sign == "-" else value
