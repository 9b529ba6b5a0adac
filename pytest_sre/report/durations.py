"""Durations as people write them: 2m 10s, 1.8h, 3d."""

from __future__ import annotations

_MINUTES = 90 * 60
_HOURS = 48 * 3600


def human(seconds: float) -> str:
    """A span of time for reading: exact to the second below 90 minutes, then to a tenth of an hour or a day."""
    sign, span = ("-" if seconds < 0 else ""), abs(seconds)
    if span < 59.95:
        return sign + (_short(span, "s") if span >= 1 or span == 0 else f"{span * 1000:.3g}ms")
    if span < _MINUTES and round(span) != 3600:
        minutes, rest = divmod(round(span), 60)
        return sign + (f"{minutes}m {rest}s" if rest else f"{minutes}m")
    return sign + (_short(span / 3600, "h") if span < _HOURS else _short(span / 86400, "d"))


def _short(value: float, unit: str) -> str:
    return f"{value:.1f}".removesuffix(".0") + unit
