"""Whether versions of Prometheus print a value alike: the last digits of computed numbers differ."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_sre.model.rules import Rule
from pytest_sre.promtool.document import Alert
from pytest_sre.synthesis.shape import Shape

# 2.42 divides by the window at another place than 2.53 does.
_EXTRAPOLATED = frozenset({"rate", "increase", "delta", "deriv", "predict_linear", "irate", "idelta"})
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.S)
_VALUE = re.compile(r"\$value\b|\.Value\b|\bquery\b")
_ROUNDED = re.compile(
    r"\|\s*(?:humanize|humanize1024|humanizePercentage)\b|\bprintf\s+\"[^\"]*%[-+ #0]*\d*\.[1-6][fge]"
)
_ALL_DIGITS = re.compile(r"\d\.?(?:\d\.?){12}")


def is_fragile(shape: Shape, alerts: Iterable[Alert]) -> bool:
    """Whether annotations of these alerts may read differently on another version."""
    if not _prints(shape.rule):
        return False
    if shape.functions & _EXTRAPOLATED:
        return True
    return any(_ALL_DIGITS.search(text) for one in alerts for text in one.annotations.values())


def _prints(rule: Rule) -> bool:
    """Whether an annotation shows a value that is not rounded."""
    parts = [part for text in rule.annotations.values() for part in _TEMPLATE.findall(text)]
    return any(_VALUE.search(part) and not _ROUNDED.search(part) for part in parts)
