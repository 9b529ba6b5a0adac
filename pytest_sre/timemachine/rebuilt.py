"""Native histograms as Prometheus' API shows them, made into samples again: what rules record is written back so.

Source: https://prometheus.io/docs/specs/native_histograms/#schema: bucket i ends at 2^(i * 2^-schema). The API tells
neither schema nor hint on counter resets: the first follows from the bounds, and a record is read as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pytest_sre.model.samples import Buckets, Histogram, ShownHistogram, total_of

_LARGEST = 1024  # what lies above 2^1024 ends at infinity


def rebuilt(shown: ShownHistogram) -> Histogram:
    """The histogram; one with custom buckets cannot be told from others, and none is ever shown to us."""
    sides = [(low, high, count) for low, high, count in shown.buckets if low >= 0 and low != high]
    mirrored = [(-high, -low, count) for low, high, count in shown.buckets if high <= 0 and low != high]
    zero = [(high, count) for low, high, count in shown.buckets if low < 0 < high or low == high]
    schema = next(
        (_schema(low, high) for low, high, _ in (*sides, *mirrored) if low > 0 and high < math.inf), 0
    )
    threshold, in_zero = zero[0] if zero else (0.0, 0.0)
    positive, negative = _side(sides, schema), _side(mirrored, schema)
    least = total_of(negative.counts) + total_of(positive.counts) + in_zero
    return Histogram(schema, max(shown.count, least), shown.sum, threshold, in_zero, positive, negative)


def _schema(low: float, high: float) -> int:
    return round(-math.log2(math.log2(high / low)))


def _side(buckets: Iterable[tuple[float, float, float]], schema: int) -> Buckets:
    counts = {_index(high, schema): count for _, high, count in buckets}
    if not counts:
        return Buckets()
    first, last = min(counts), max(counts)
    return Buckets(first, tuple(counts.get(i, 0.0) for i in range(first, last + 1)))


def _index(high: float, schema: int) -> int:
    return round((_LARGEST if high == math.inf else math.log2(high)) * 2.0**schema)
