"""How one series behaves over time. Times are seconds relative to the start of the run."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gauge:
    """``value`` at the start of the run, rising by ``slope`` a second."""

    value: float
    slope: float = 0.0

    def at(self, time: float, start: float) -> float:
        """The value at a time; ``start`` is the time of the first sample."""
        return self.value + self.slope * time


@dataclass(frozen=True, slots=True)
class Step:
    """``before`` until ``since`` seconds before the run, ``after`` from then on."""

    before: float
    after: float
    since: float

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        return self.after if time > -self.since else self.before


@dataclass(frozen=True, slots=True)
class Wave:
    """Alternates between two values every ``period`` seconds."""

    low: float
    high: float
    period: float

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        return self.high if math.floor(time / self.period) % 2 else self.low


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts ``rate`` a second up from ``level``, and ``surge`` a second more since ``since`` seconds ago.

    From then on the rate also grows by ``growth`` every second.
    """

    rate: float
    level: float = 0.0
    surge: float = 0.0
    since: float = 0.0
    growth: float = 0.0

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        value = self.level + self.rate * (time - start)
        if time <= -self.since or not (self.surge or self.growth):
            return value
        age = time + self.since
        return value + self.surge * age + self.growth / 2 * age * age

    @property
    def steady(self) -> bool:
        """Whether it counts the same at all times."""
        return not self.surge and not self.growth


@dataclass(frozen=True, slots=True)
class Sawtooth:
    """A counter whose process restarts every ``period`` seconds."""

    rate: float
    period: float

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        return self.rate * ((time - start) % self.period)


@dataclass(frozen=True, slots=True)
class Restarts:
    """A gauge that holds when something began: that happens anew every ``period`` seconds, ``value`` is the last one before the run."""

    value: float
    period: float
    unit: float = 1.0

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        return self.value + math.floor(time / self.period) * self.period * self.unit


@dataclass(frozen=True, slots=True)
class Lost:
    """A gauge whose last sample lies ``since`` seconds before the run."""

    value: float
    since: float

    def at(self, time: float, start: float) -> float:
        """The value at a time."""
        return self.value


Signal = Gauge | Step | Wave | Counter | Sawtooth | Restarts | Lost


class Track:
    """One series: labels (with ``__name__``), the times of its samples, and its signal (None: absent)."""

    __slots__ = ("labels", "name", "signal", "times")

    def __init__(
        self, labels: dict[str, str], times: tuple[float, ...] = (), signal: Signal | None = None
    ) -> None:
        """``labels`` has ``__name__``; ``times`` ascend."""
        self.labels = labels
        self.name = labels["__name__"]
        self.times = times
        self.signal = signal

    def named(self, labels: dict[str, str]) -> Track:
        """The same under other labels."""
        return Track(labels, self.times, self.signal)

    def value(self, index: int) -> float:
        """The value of a sample."""
        assert self.signal is not None
        return self.signal.at(self.times[index], self.times[0])

    def window(self, start: float, end: float) -> tuple[int, int]:
        """First index and end index of the samples in (start, end], as Prometheus 3 reads a range."""
        times = self.times
        low, high = bisect_right(times, start), bisect_right(times, end)
        if isinstance(self.signal, Lost):
            high = min(high, bisect_right(times, -self.signal.since))
        return low, max(low, high)

    def samples(self) -> tuple[tuple[float, float], ...]:
        """All samples, as they are emitted."""
        signal, times = self.signal, self.times
        if signal is None:
            return ()
        if isinstance(signal, Lost):
            times = times[: bisect_right(times, -signal.since)]
        start = times[0] if times else 0.0
        return tuple([(time, signal.at(time, start)) for time in times])


class FixedTrack(Track):
    """A series written by hand: its samples are what they are."""

    __slots__ = ("points",)

    def __init__(self, labels: dict[str, str], points: tuple[tuple[float, float], ...]) -> None:
        """``points`` are (time, value), oldest first."""
        super().__init__(labels, tuple(time for time, _ in points), Gauge(0.0))
        self.points = points

    def value(self, index: int) -> float:
        """The value of a sample."""
        return self.points[index][1]

    def samples(self) -> tuple[tuple[float, float], ...]:
        """All samples, as they are emitted."""
        return self.points
