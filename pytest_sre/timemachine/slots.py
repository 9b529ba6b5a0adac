"""Where in the past each scenario lies: those that share no selector side by side, the others far apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.batches import Pool
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Track

WEEK = 7 * 86400.0
"""Scenarios begin on the same weekday at the same time of day, or as long after it as they ask for; every usual interval divides it."""
FIRST = 100 * WEEK  # in 1971: whatever looks back from it stays after 1970
LAST_YEAR = 365 * 86400.0


@dataclass(slots=True)
class _Lane:
    """Scenarios side by side, so long after a week's beginning; they need so many seconds before the onset and after it."""

    pool: Pool
    phase: float
    before: float = 0.0
    after: float = 0.0
    members: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """What a scenario needs: its alert's selectors, its series, and seconds before and after the onset.

    ``phase`` is how long (seconds) after a multiple of a week since the epoch its onset must be.
    """

    shape: Shape
    tracks: tuple[Track, ...]
    before: float
    after: float
    phase: float = 0.0


def slots(needs: Sequence[Need], rules: RuleIndex) -> list[float | None]:
    """For each scenario the moment of its onset (seconds since the epoch); None where the past is not long enough."""
    lanes: list[_Lane] = []
    for number, need in enumerate(needs):
        lane = next((lane for lane in lanes if _fits(lane, need)), None)
        if lane is None:
            lane = _Lane(Pool(rules, 0.0, 0.0), need.phase)
            lanes.append(lane)
        lane.pool.put([list(need.tracks)])
        lane.pool.watch(need.shape)
        lane.before, lane.after = max(lane.before, need.before), max(lane.after, need.after)
        lane.members.append(number)
    return _laid(lanes, len(needs))


def _fits(lane: _Lane, need: Need) -> bool:
    if need.phase != lane.phase:
        return False
    return not lane.pool.watching(need.tracks) and not lane.pool.matched(need.shape)


def _laid(lanes: Sequence[_Lane], count: int) -> list[float | None]:
    found: list[float | None] = [None] * count
    at, end = FIRST, time.time() - LAST_YEAR
    for lane in lanes:
        onset = -(-(at + lane.before - lane.phase) // WEEK) * WEEK + lane.phase
        at = onset + lane.after
        for member in lane.members if at < end else ():
            found[member] = onset
    return found
