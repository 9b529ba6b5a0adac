"""Which values go up and down around a threshold, as loads, latencies, error ratios and fill levels do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_sre.promql.ast import Binary, Expr, walk
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.mixture import Pair
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Signal

_COMPARISONS = frozenset({">", "<", ">=", "<="})
_RUNS = re.compile(
    r"uptime|(^|_)ttl(_|$)|expir|not_after|until|timestamp|start_time|boot_time|version|(^|_)(spec|desired)_",
    re.IGNORECASE,
)
"""What only runs with the clock, or is written in a configuration: it passes a threshold once."""
_FEW = 5.0
"""So many things are counted one by one: between 2 and 3 replicas there is nothing to hover at."""
_UNITS = (1.0, 1e3, 1e9)


def hovers(shape: Shape, pairs: Iterable[Pair], now: float) -> bool:
    """Whether all that makes an alert fire may hover; ``now`` in seconds since the epoch."""
    moving = list(pairs)
    if not all(_moves(pair, now) for pair in moving):
        return False
    rates = all(isinstance(pair.burning, Counter) for pair in moving)
    return rates or any(_is_amount(threshold) for expr in shape.exprs for threshold in _thresholds(expr))


def _moves(pair: Pair, now: float) -> bool:
    """Whether a series stands at a level or counts at a rate; not times, trends, and what another server records."""
    if _RUNS.search(pair.track.name) or ":" in pair.track.name:
        return False
    both = (pair.healthy, pair.burning)
    levels = all(isinstance(one, Gauge) and not one.slope and not _is_time(one, now) for one in both)
    return levels or all(isinstance(one, Counter) and not one.surge and not one.level for one in both)


def _is_time(signal: Signal, now: float) -> bool:
    return isinstance(signal, Gauge) and any(0.5 < signal.value / unit / now < 2 for unit in _UNITS)


def _thresholds(expr: Expr) -> Iterator[float]:
    """The constants that something is compared with."""
    for node in walk(expr):
        if isinstance(node, Binary) and node.op in _COMPARISONS:
            found = [fold(side) for side in (node.lhs, node.rhs)]
            yield from (value for value in found if value is not None)


def _is_amount(threshold: float) -> bool:
    """Whether a threshold is one of an amount, not of a few things."""
    return abs(threshold) > _FEW or threshold != int(threshold)
