"""What a sample can be besides a number: the end of its series, or a native histogram."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

_STALE_BITS = struct.pack("<Q", 0x7FF0000000000002)
STALE: float = struct.unpack("<d", _STALE_BITS)[0]
"""Prometheus' stale marker: a NaN of its own, told from others by its bits (model/value/value.go)."""

ResetHint = Literal["unknown", "reset", "not_reset", "gauge"]
RESET_HINTS: tuple[ResetHint, ...] = ("unknown", "reset", "not_reset", "gauge")
"""In the order of the protocol's numbers, from 0."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """One side's buckets: ``counts`` (absolute) from index ``offset`` on, without gaps."""

    offset: int = 0
    counts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """A native histogram with counts that need not be whole; schema -53 has the bounds ``custom_values``.

    Source: https://prometheus.io/docs/specs/native_histograms/
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()
    custom_values: tuple[float, ...] = ()
    hint: ResetHint = "unknown"


@dataclass(frozen=True, slots=True)
class ShownHistogram:
    """A native histogram as Prometheus' API gives it: ``buckets`` are (lower, upper, count), ascending, none empty."""

    count: float
    sum: float
    buckets: tuple[tuple[float, float, float], ...] = ()


def total_of(counts: Iterable[float]) -> float:
    """The sum as Prometheus computes it, one after the other: 2.42 takes no histogram that says it has less."""
    return reduce(add, counts, 0.0)


Value = float | Histogram
"""A sample's value."""


def ending(value: Value) -> Value:
    """What ends a series whose last value this was; of histograms one with a count, see `remote_write.write`."""
    return Histogram(count=1.0, sum=STALE) if isinstance(value, Histogram) else STALE


def is_stale(value: Value) -> bool:
    """Whether a value ends its series."""
    return isinstance(value, float) and value != value and struct.pack("<d", value) == _STALE_BITS
