"""Between healthy and burning: all that differs moves together, and the last share that stays quiet is near."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pytest_sre.synthesis.bench import MOMENTS
from pytest_sre.synthesis.signals import Counter, Gauge, Signal, Step, Track

NEAR = 0.9
"""How far near is from healthy (0) to the smallest share of burning that fires (1)."""
OVER = 1.1
"""The same for what lies just above the threshold."""
_PRECISION = 1.001
_LOWS = (0.1, 1e-4, 1e-9)
"""Where bisection may begin; what fires at the last of these shares fires on any change at all."""
ABSENCE = "it fires on absence"
PRESENCE = "it fires on the presence of series"
FLAG = "values of a 0/1 metric have nothing in between"
UNLIKE = "healthy and burning series move in different ways, with nothing in between"
EXACT = "it fires on exact values, with nothing in between"
ANY = "any change from healthy fires it"
UNSTEADY = "what lies between healthy and burning fires now and then"


@dataclass(frozen=True, slots=True)
class Pair:
    """One track that differs, and what it does while all is well and while the alert fires; ``whole``: it counts whole things."""

    track: Track
    healthy: Signal | None
    burning: Signal | None
    flag: bool
    whole: bool = False

    def set(self, share: float) -> None:
        """Let the track do what lies ``share`` of the way from healthy to burning."""
        assert self.healthy is not None
        assert self.burning is not None
        self.track.signal = mix(self.healthy, self.burning, share)
        if self.whole and share < 1:
            self.track.signal = _rounded(self.track.signal, self.healthy)


def unmixable(pairs: Iterable[Pair]) -> str:
    """Why there is nothing between; empty where there is something."""
    for pair in pairs:
        if pair.healthy is None:
            return PRESENCE
        if pair.burning is None:
            return ABSENCE
        if pair.flag:
            return FLAG
        if mix(pair.healthy, pair.burning, 0.5) is None:
            return UNLIKE
    return ""


def mix(healthy: Signal, burning: Signal, share: float) -> Signal | None:
    """The signal ``share`` (0..1) of the way; None where two signals have nothing between them.

    A counter's rates mix, so that it never falls; a gauge that follows the clock keeps following it.
    """
    if share in (0, 1):
        return burning if share else healthy
    if isinstance(healthy, Gauge) and isinstance(burning, Gauge):
        follows = healthy.slope >= 1 and not burning.slope and healthy.value > 1e9
        slope = healthy.slope if follows else _line(healthy.slope, burning.slope, share)
        return Gauge(_line(healthy.value, burning.value, share), slope)
    if isinstance(healthy, Counter) and isinstance(burning, Counter):
        if not (healthy.steady or burning.steady) and healthy.since != burning.since:
            return None
        return Counter(
            _line(healthy.rate, burning.rate, share),
            _line(healthy.level, burning.level, share),
            _line(healthy.surge, burning.surge, share),
            healthy.since if burning.steady else burning.since,
            _line(healthy.growth, burning.growth, share),
        )
    if isinstance(healthy, Gauge) and isinstance(burning, Step) and not healthy.slope:
        before, after = (_line(healthy.value, end, share) for end in (burning.before, burning.after))
        return Step(before, after, burning.since)
    return replace(healthy) if healthy == burning else None


def _rounded(signal: Signal | None, healthy: Signal) -> Signal | None:
    """A level of whole things, on the healthy side."""
    if not isinstance(signal, Gauge) or not isinstance(healthy, Gauge) or signal.slope:
        return signal
    round_off = math.floor if signal.value > healthy.value else math.ceil
    return Gauge(float(round_off(signal.value)))


def _line(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def smallest(pairs: list[Pair], fires: Callable[[float], bool]) -> float:
    """The smallest share that fires at any of the moments, to 0.1 %, by bisection of its logarithm; 0 where any share does."""
    edge = 1.0
    for moment in (*MOMENTS[1:], MOMENTS[0]):
        if edge < 1 and not _fires_at(pairs, edge / _PRECISION, fires, moment):
            continue
        low = next((low for low in _LOWS if low < edge and not _fires_at(pairs, low, fires, moment)), 0.0)
        if not low:
            return 0.0
        while edge / low > _PRECISION:
            middle = math.sqrt(low * edge)
            low, edge = (low, middle) if _fires_at(pairs, middle, fires, moment) else (middle, edge)
    return edge


def approach(
    pairs: list[Pair], exact: bool, fires: Callable[[float], bool], quiet: Callable[[], bool]
) -> tuple[float | None, str]:
    """(share that is near, "") or (None, why there is none). Tracks are left there, or healthy.

    ``fires`` and ``quiet`` judge what the tracks do then, at a moment or at all `MOMENTS`. ``exact``: the alert compares with ``==``, so that it may fire on nothing but the burning values themselves.
    """
    reason = unmixable(pairs) if pairs else ANY
    if not reason:
        edge = smallest(pairs, fires)
        if not edge:
            reason = ANY
        elif exact and edge >= 1:
            reason = EXACT
        elif not all(_quiet_at(pairs, edge * part, quiet) for part in (0.5, NEAR)):
            reason = UNSTEADY
        elif all(pair.track.signal == pair.healthy for pair in pairs):
            reason = ANY  # of whole things there is nothing between
        else:
            return NEAR * edge, ""
    for pair in pairs:
        pair.track.signal = pair.healthy
    return None, reason


def _fires_at(pairs: list[Pair], share: float, fires: Callable[[float], bool], moment: float) -> bool:
    for pair in pairs:
        pair.set(share)
    return fires(moment)


def _quiet_at(pairs: list[Pair], share: float, quiet: Callable[[], bool]) -> bool:
    for pair in pairs:
        pair.set(share)
    return quiet()
