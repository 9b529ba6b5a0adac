"""Times and shares as people read them."""

from __future__ import annotations

_UNITS = ((86400.0, "d", 2.0), (3600.0, "h", 1.0), (60.0, "m", 1.0))


def span(seconds: float) -> str:
    """A time to three digits, in the largest unit of which there is one (days: two): ``51.8s``, ``5.76m``, ``3.6h``."""
    for size, unit, least in _UNITS:
        if seconds >= size * least:
            return f"{_digits(seconds / size)}{unit}"
    return f"{_digits(seconds)}s"


def percent(share: float) -> str:
    """A share of a whole to three digits: ``2%``, ``0.144%``; more than all of it is shown as such."""
    return f"{_digits(100 * share)}%"


def times(factor: float) -> str:
    """How many times as much: ``14.4x``."""
    return f"{_digits(factor)}x"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
