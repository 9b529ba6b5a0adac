"""Parts of a date, in UTC, as PromQL's calendar functions have them."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from datetime import datetime, timezone


def _of(part: Callable[[datetime], int]) -> Callable[[float], float]:
    def value(seconds: float) -> float:
        try:
            return float(part(datetime.fromtimestamp(math.floor(seconds), timezone.utc)))
        except (ValueError, OverflowError, OSError):
            return math.nan

    return value


PARTS: dict[str, Callable[[float], float]] = {
    "minute": _of(lambda at: at.minute),
    "hour": _of(lambda at: at.hour),
    "day_of_week": _of(lambda at: at.isoweekday() % 7),
    "day_of_month": _of(lambda at: at.day),
    "day_of_year": _of(lambda at: at.timetuple().tm_yday),
    "days_in_month": _of(lambda at: calendar.monthrange(at.year, at.month)[1]),
    "month": _of(lambda at: at.month),
    "year": _of(lambda at: at.year),
}
"""Each function takes seconds since the epoch."""
