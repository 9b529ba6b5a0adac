"""Classic series as native histograms: the search makes the first, Prometheus gets the second.

Observations of one classic bucket are spread evenly over the exponential buckets that it covers.
Source: https://prometheus.io/docs/specs/native_histograms/#schema
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pytest_sre.model.samples import Buckets, Histogram, Value, ending, is_stale, total_of
from pytest_sre.model.scenario import Labels, Series

_FINEST = 3  # 8 buckets from a value to its double: Prometheus' own default is 8 to 10 for most programs
_MOST = 160
_FIRST = 8.0  # times below the first bound: what is observed there is as good as nothing
_ROUNDING = 1e-3
"""Counts are kept to so much: what remains of two large numbers must not go down by a rounding error (a reset)."""
_USUAL = 0.1
_BEFORE = 1.0
"""There was one observation before all others: without any, a histogram is nothing to Prometheus 2.42."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """For each classic bucket the exponential ones (by place after ``offset``) that share in it, and a mean value."""

    schema: int
    offset: int
    length: int
    shares: tuple[tuple[tuple[int, float], ...], ...]
    means: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Native:
    """Which metrics are native histograms, and which names their readers ask for as they are.

    ``recorded``: rules behind the readers record native histograms.
    """

    names: frozenset[str]
    read: frozenset[str]
    recorded: bool = False

    def assembled(self, series: Iterable[Series]) -> Iterator[Series]:
        """All series, those of a native histogram as one; its classic ones remain where something reads them."""
        parts: dict[Labels, list[Series]] = defaultdict(list)
        for one in series:
            whole = self.labels(one.labels)
            if whole is None or dict(one.labels)["__name__"] in self.read:
                yield one
            if whole is not None:
                parts[whole].append(one)
        for labels, members in parts.items():
            yield Series(labels, tuple(_samples(members)))

    def labels(self, labels: Labels) -> Labels | None:
        """The labels of the native histogram that a classic series belongs to."""
        pairs = dict(labels)
        base, _, suffix = pairs["__name__"].rpartition("_")
        if base not in self.names or suffix not in ("bucket", "sum", "count"):
            return None
        kept = {key: text for key, text in pairs.items() if key != "le"}
        return tuple(sorted({**kept, "__name__": base}.items()))

    def whole(self, every: Iterable[Labels]) -> Collection[Labels]:
        """The label sets that remain of these."""
        return [one.labels for one in self.assembled(Series(labels, ()) for labels in every)]


def _samples(members: Iterable[Series]) -> Iterator[tuple[float, Value]]:
    """The histogram at each time at which its highest bucket, or else its sum, has a value."""
    buckets: dict[float, Mapping[float, Value]] = {}
    total: Mapping[float, Value] = {}
    for one in members:
        pairs = dict(one.labels)
        if pairs["__name__"].endswith("_bucket"):
            buckets[float(pairs["le"])] = dict(one.samples)
        elif pairs["__name__"].endswith("_sum"):
            total = dict(one.samples)
    bounds = tuple(sorted(buckets)) or (_USUAL,)
    layout = _layout(bounds)
    for time, last in (buckets[bounds[-1]] if buckets else total).items():
        if not isinstance(last, float) or is_stale(last):
            yield time, ending(Histogram())
            continue
        counts = [buckets[bound].get(time, last) for bound in bounds] if buckets else [last / _USUAL]
        yield time, _histogram(layout, counts, total.get(time))


def _histogram(layout: _Layout, cumulative: Iterable[Value], total: Value | None) -> Histogram:
    counts = [_BEFORE, *[0.0] * (layout.length - 1)]
    before = summed = 0.0
    for shares, mean, value in zip(layout.shares, layout.means, cumulative, strict=True):
        assert isinstance(value, float)
        inside = max(0.0, math.floor((value - before) / _ROUNDING + 0.37) * _ROUNDING)
        before = value
        summed += inside * mean
        for place, share in shares:
            counts[place] += inside * share
    given = total if isinstance(total, float) and not is_stale(total) else summed
    return Histogram(layout.schema, total_of(counts), given, positive=Buckets(layout.offset, tuple(counts)))


@lru_cache(maxsize=256)
def _layout(bounds: tuple[float, ...]) -> _Layout:
    """Bounds ascend; what lies above all finite ones is put just above the highest."""
    finite = [bound for bound in bounds if 0 < bound < math.inf] or [_USUAL]
    doublings = math.log2(finite[-1] / finite[0] * _FIRST)
    schema = max(-4, min(_FINEST, math.floor(math.log2(_MOST / doublings))))
    places: list[tuple[tuple[int, float], ...]] = []
    means: list[float] = []
    low = finite[0] / _FIRST
    for bound in bounds:
        high = bound if bound < math.inf else 0.0
        if high > low:
            places.append(tuple(_covered(low, high, schema)))
            means.append((low + high) / 2)
            low = high
        else:
            above = bound == math.inf
            places.append(((_index(finite[-1] if above else low, schema) + (1 if above else 0), 1.0),))
            means.append(finite[-1] * 1.05 if above else 0.0)
    first = min(i for shares in places for i, _ in shares)
    last = max(i for shares in places for i, _ in shares)
    shares = tuple(tuple((i - first, share) for i, share in some) for some in places)
    return _Layout(schema, first, last - first + 1, shares, tuple(means))


def _index(value: float, schema: int) -> int:
    """The bucket that a value is in: bucket i ends at 2^(i * 2^-schema)."""
    return math.ceil(round(math.log2(value) * 2.0**schema, 9))


def _covered(low: float, high: float, schema: int) -> Iterator[tuple[int, float]]:
    """The buckets between two bounds, and how much of the way each takes."""
    for i in range(_index(low, schema), _index(high, schema) + 1):
        start, end = (2.0 ** (j * 2.0**-schema) for j in (i - 1, i))
        inside = min(end, high) - max(start, low)
        if inside > 0:
            yield i, inside / (high - low)
