"""Alerts that ask what hour or day it is: at other times they may fire, now they may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from pytest_sre.promql.ast import Call, walk
from pytest_sre.promql.printer import to_text
from pytest_sre.synthesis.calendar import PARTS
from pytest_sre.synthesis.shape import Shape

_HOUR, _DAY = 3600.0, 86400.0
_OTHER_TIMES = [i * 7 * _HOUR for i in range(1, 24)] + [i * 30.4 * _DAY for i in range(1, 12)]
"""Seconds from now: every weekday, all parts of a day, every month."""


def asked(shape: Shape) -> str:
    """The first part of an alert that asks the clock for a part of the date; empty where none does."""
    for expr in shape.exprs:
        for node in walk(expr):
            if isinstance(node, Call) and node.name in PARTS and not node.args:
                return to_text(node)
    return ""


def other_time(shape: Shape, now: float, fires: Callable[[float], bool]) -> str:
    """Why an alert that asks the clock has no data now, if it has at another time; empty where it has at none.

    ``now`` and what ``fires`` is asked about are seconds since the epoch.
    """
    for later in _OTHER_TIMES:
        if fires(now + later):
            at, then = _told(now), _told(now + later)
            return f"it asks the clock, and fires at other times only: not on {at}, but for example on {then}"
    return ""


def _told(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%A, %-d %B, %H:%M UTC")
