"""Where tests of rules run: most in the past of one engine, one after the other; those that see the clock by themselves."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_sre.timemachine.slots import FIRST, LAST_YEAR, WEEK
from pytest_sre.timemachine.unit_bench import Bench

# So far apart that no test sees another's last samples.
_MARGIN = 3600.0


@dataclass(slots=True)
class Lane:
    """An engine's tests, each with its start (seconds since the epoch).

    ``interval`` is the engine's evaluation interval in seconds, None where it doesn't matter; ``alone`` has one test.
    """

    interval: float | None = None
    alone: bool = False
    places: list[tuple[Bench, float]] = field(default_factory=list)
    end: float = FIRST

    @property
    def histograms(self) -> bool:
        """Whether any series holds native histograms."""
        return any(bench.has_histograms for bench, _ in self.places)


def lanes(benches: Iterable[Bench]) -> list[Lane]:
    """Every test in its lane; a lane whose past is used up is followed by another."""
    found: list[Lane] = []
    limit = time.time() - LAST_YEAR
    for bench in benches:
        interval = bench.unit.evaluation_interval if bench.default_step else None
        if bench.by_the_clock:
            found.append(Lane(interval, alone=True, places=[(bench, bench.group.start)]))
            continue
        lane = next((one for one in found if _takes(one, bench, interval, limit)), None)
        if lane is None:
            lane = Lane()
            found.append(lane)
        start = _start(lane, bench)
        lane.interval = lane.interval if interval is None else interval
        lane.places.append((bench, start))
        lane.end = start + bench.last + _MARGIN
    return found


def _takes(lane: Lane, bench: Bench, interval: float | None, limit: float) -> bool:
    same = None in (interval, lane.interval) or interval == lane.interval
    return not lane.alone and same and _start(lane, bench) + bench.last < limit


def _start(lane: Lane, bench: Bench) -> float:
    """All begin on a multiple of a week, so that the steps of subqueries fall as they do from 1970 on."""
    return math.ceil((lane.end + bench.reach) / WEEK) * WEEK
