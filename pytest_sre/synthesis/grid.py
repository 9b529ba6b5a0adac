"""When to sample, so that every range keeps its points while the run moves on, and long windows stay cheap."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

from pytest_sre.promql.reach import Read

AHEAD = 540.0
"""Seconds that samples go on after the start of the run."""
Windows = frozenset[tuple[float, float, float, float]]
"""(lo, hi, range, step) of reads, as `Read` has them."""
_NEAR = 30.0
_THIN = 0.09


def window_key(reads: Iterable[Read]) -> Windows:
    """What of some reads decides the times: (lo, hi, range, step) of each."""
    return frozenset((read.lo, read.hi, read.range, read.step) for read in reads)


@lru_cache(maxsize=10_000)
def times(windows: Windows, lookback: float) -> tuple[float, ...]:
    """Sample times for reads (lo, hi, range, step), in whole seconds relative to the run's start, ascending.

    Dense near now and where offsets point to; elsewhere thinner with age, with points at each window's far edge.
    """
    reads = [(lo, hi, span or lookback, step) for lo, hi, span, step in windows] or [
        (0.0, 0.0, lookback, 0.0)
    ]
    oldest = 1.1 * (max(hi + span for _, hi, span, _ in reads) + lookback)
    smallest = min(span for _, _, span, _ in reads)
    near = max(1.0, min(_NEAR, smallest / 5))
    age = dense = max(AHEAD, min(2 * smallest, 40 * near))
    found = set(_stretch(-age, AHEAD, near))
    more: set[float] = set()
    while age < oldest:
        found.add(-float(round(age)))
        age += max(near, age * _THIN)
    found.add(-float(round(age)))
    for lo, hi, span, step in reads:
        if step > span:
            more.update(_clusters(lo, hi, span, step))
        elif hi > 0:
            more.update(_stretch(-hi - span, -lo + AHEAD, max(1.0, min(span / 5, lookback / 3))))
        else:
            more.update(-span + step for step in (-1.0, 135.0, 270.0, 405.0, AHEAD))
    # Regular samples stay so, where they are dense anyway: rates are exact then.
    found |= {time for time in more if time < -dense}
    return tuple(sorted(time for time in found if time <= AHEAD))


def _clusters(lo: float, hi: float, span: float, step: float) -> Iterable[float]:
    """Samples in each of the windows that end at multiples of ``step``, enough for a rate over the whole window."""
    first, last = math.floor(max(0.0, lo - AHEAD) / step), math.floor(hi / step)
    for tick in range(first, last + 1):
        yield from (-float(round(tick * step + part * span)) for part in (0.0, 1 / 3, 2 / 3))


def _stretch(start: float, end: float, step: float) -> list[float]:
    """Whole seconds from start to end."""
    if (end - start) / step > 20_000:
        step = (end - start) / 20_000
    count = int((end - start) / step) + 1
    return [float(round(end - i * step)) for i in range(count + 1)]
