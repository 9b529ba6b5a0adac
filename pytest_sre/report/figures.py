"""Times, shares and factors as people read them: 2m 10s, 1.8h, 3d; 0.144%; 14.4x."""

from __future__ import annotations

_MINUTES = 90 * 60
_HOURS = 48 * 3600


def span(seconds: float) -> str:
    """A span of time: exact to the second below 90 minutes, then to a tenth of an hour or a day."""
    sign, size = ("-" if seconds < 0 else ""), abs(seconds)
    if size < 59.95:
        return sign + (_short(size, "s") if size >= 1 or size == 0 else f"{size * 1000:.3g}ms")
    if size < _MINUTES and round(size) != 3600:
        minutes, rest = divmod(round(size), 60)
        return sign + (f"{minutes}m {rest}s" if rest else f"{minutes}m")
    return sign + (_short(size / 3600, "h") if size < _HOURS else _short(size / 86400, "d"))


def percent(share: float, digits: int = 3) -> str:
    """A share of a whole to so many digits; more than all of it is shown as such (``1250%``)."""
    return f"{_digits(100 * share, digits)}%"


def times(factor: float) -> str:
    """How many times as much, to three digits."""
    return f"{_digits(factor)}x"


def _short(value: float, unit: str) -> str:
    return f"{value:.1f}".removesuffix(".0") + unit


def _digits(value: float, digits: int = 3) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.{digits}g}"
