"""Durations as Prometheus writes them."""

from __future__ import annotations

import re

_UNITS = {"y": 31536000.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SHAPE = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")


def seconds(text: str) -> float:
    """Seconds of a Prometheus duration such as ``1h30m``; raises ValueError.

    Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
    """
    if text == "0":
        return 0.0
    found = _SHAPE.fullmatch(text)
    if not text or not found:
        raise ValueError(f'"{text}" is not a duration such as 30s, 5m or 1h30m')
    return sum(
        int(value) * unit for value, unit in zip(found.groups(), _UNITS.values(), strict=True) if value
    )


def text(value: float) -> str:
    """A number of seconds as Prometheus writes it: ``1h30m``, ``0s``; milliseconds are the finest."""
    rest, parts = round(value * 1000), []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, round(_UNITS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
