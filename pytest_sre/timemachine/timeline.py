"""From how series behave to their samples on virtual time: healthy history, a burn, recovery.

Times are seconds from the onset of the burn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pytest_sre.model.samples import STALE
from pytest_sre.model.scenario import Series
from pytest_sre.model.timeline import Stretch
from pytest_sre.synthesis.contrast import Behaviour
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Signal, Step

Phase = Literal["healthy", "near", "burning", "over"]
_COUNTING_STEP = 30.0
_RATE_STEP = 900.0
_MANY = 50_000  # samples of a series that are still no burden
_IN_WINDOW = 5.0  # samples in the smallest window, at least
RATES = frozenset({"rate", "increase", "irate", "histogram_quantile", "sum", "avg", "min", "max", "count"})
RATES |= {"abs", "clamp_min", "clamp_max", "vector", "scalar", "round", "label_replace", "label_join"}
"""What needs no more samples than rates do."""
_UNITS = (1.0, 1e3, 1e9)


@dataclass(frozen=True, slots=True)
class Course:
    """Which phase begins when, the first one long before; ``lead`` is how far back the alert looks (seconds).

    Signals were made for a run at ``now``; on virtual time the onset is at ``epoch`` (both seconds since the epoch).
    Where an alert compares with the clock, ``now`` tells which gauges hold a time; it is 0 for all others.
    """

    phases: tuple[tuple[float, Phase], ...]
    lead: float
    now: float
    epoch: float


def clock(shape: Shape, now: float) -> float:
    """``now`` where the alert compares with the clock, else 0."""
    return now if shape.functions & {"time", "timestamp"} else 0.0


def spacing(shape: Shape, lookback: float, span: float) -> float:
    """Seconds between the samples of an alert's series: as dense as its smallest window needs, the same everywhere.

    Functions that count samples or changes need them as dense as the live stack; rates over long windows need fewer,
    and so does what goes on for months (``span`` is all of it, in seconds).
    """
    windows = [read.range or lookback for read in shape.reads] or [lookback]
    wanted = min(min(windows) / _IN_WINDOW, _RATE_STEP)
    if not is_rates(shape) and span / _COUNTING_STEP < _MANY:
        wanted = min(wanted, _COUNTING_STEP)
    if span / wanted > _MANY:
        most = min(
            0.8 * lookback, min((read.range / 2.5 for read in shape.reads if read.range), default=math.inf)
        )
        wanted = max(wanted, min(most, span / _MANY))
    return max(1.0, math.floor(wanted))


def is_rates(shape: Shape) -> bool:
    """Whether nothing depends on how many samples there are, so that they may lie denser at some times than at others."""
    return shape.functions <= RATES


def closer_times(shape: Shape, looks: Iterable[Stretch], step: float, fine: float) -> tuple[float, ...]:
    """Times every ``fine`` seconds where windows of these looks begin or end; those every ``step`` seconds are there."""
    found: set[float] = set()
    for look in looks:
        for read in shape.reads:
            ends = (look.start - read.hi - min(read.range, 2 * step), look.end - read.lo)
            begins = (look.start - read.hi - read.range - step, look.end - read.lo - read.range + step)
            for start, end in (ends, begins):
                found.update(_multiples(start, end, fine))
    return tuple(sorted(time for time in found if time % step))


def _multiples(start: float, end: float, step: float) -> Iterator[float]:
    for i in range(math.floor(start / step), math.ceil(end / step) + 1):
        yield i * step


def lasting(behaviours: Sequence[Behaviour], now: float) -> float:
    """How long a burn must last (seconds) until times that stood still are as old as in the data that fire."""
    ages = [
        now - burning.value / unit
        for one in behaviours
        if isinstance(burning := one.burning, Gauge)
        and (unit := _stamp(burning, now))
        and _stands_still(one, now)
    ]
    return max([0.0, *ages])


def oldest(behaviours: Sequence[Behaviour], now: float) -> float:
    """How far back the oldest time lies that a gauge holds (seconds); 0 where none does."""
    gauges = [one for each in behaviours for one in (each.healthy, each.near, each.burning)]
    return max(
        [
            0.0,
            *(
                now - one.value / unit
                for one in gauges
                if isinstance(one, Gauge) and (unit := _stamp(one, now))
            ),
        ]
    )


def series(behaviour: Behaviour, course: Course, times: Iterable[float]) -> Series:
    """One series at these times, ascending; a stale marker where it goes absent between two of them."""
    parts = [_part(behaviour, phase, since, course) for since, phase in course.phases]
    samples: list[tuple[float, float]] = []
    place, shift, alive = 0, 0.0, False
    for time in times:
        while place + 1 < len(parts) and time >= parts[place + 1].since:
            place += 1
            shift = _joint(parts[place - 1], parts[place], shift)
        value = parts[place].at(time)
        if value is not None:
            samples.append((time, value + shift))
        elif alive and parts[place].signal is None:
            samples.append((time, STALE))
        alive = value is not None
    return Series(behaviour.labels, tuple(samples))


@dataclass(frozen=True, slots=True)
class _Part:
    """A signal from ``since`` on; its own time 0 lies ``zero`` seconds after the onset."""

    signal: Signal | None
    since: float
    zero: float

    def at(self, time: float) -> float | None:
        signal, local = self.signal, time - self.zero
        if signal is None or (isinstance(signal, Lost) and local > -signal.since):
            return None
        return signal.at(local, self.since - self.zero)


def _part(behaviour: Behaviour, phase: Phase, since: float, course: Course) -> _Part:
    """Burning data are played from their beginning, healthy ones as they are at any time."""
    signal: Signal | None = getattr(behaviour, phase)
    if phase == "burning" and signal != behaviour.healthy:
        stood = _moved(behaviour.healthy, course)
        if stood is not None and _stands_still(behaviour, course.now):
            return _Part(Gauge(stood.at(since, 0.0)), since, since)
        if isinstance(signal, Gauge) and (unit := _stamp(signal, course.now)) and not signal.slope:
            # Made to be so old, or so far ahead, at one moment: it stays so.
            return _Part(_moved(replace(signal, slope=unit), course), since, 0.0)
        begins = since + course.lead
        if isinstance(signal, Step):  # the times that it holds are those of its own time 0
            return _Part(_moved(signal, replace(course, epoch=course.epoch + begins)), since, begins)
        return _Part(_moved(signal, course), since, begins)
    return _Part(_moved(signal, course), since, 0.0)


def _joint(before: _Part, after: _Part, shift: float) -> float:
    """What a counter's next part must be raised by, so that it goes on from where it stands."""
    stood, begins = before.at(after.since), after.at(after.since)
    if not isinstance(after.signal, Counter) or stood is None or begins is None:
        return 0.0
    return stood + shift - begins


def _moved(signal: Signal | None, course: Course) -> Signal | None:
    """Gauges that hold a time follow the clock that the alert sees."""
    unit = _stamp(signal, course.now)
    if isinstance(signal, Gauge) and unit:
        return replace(signal, value=signal.value + (course.epoch - course.now) * unit)
    if isinstance(signal, Step) and (unit := _stamp(Gauge(signal.after), course.now)):
        shift = (course.epoch - course.now) * unit
        return replace(signal, before=signal.before + shift, after=signal.after + shift)
    return signal


def _stamp(signal: Signal | None, now: float) -> float:
    """The unit (parts of a second) of a gauge that holds a time near ``now``; 0 for others."""
    value = signal.value if isinstance(signal, Gauge) else 0.0
    return next((unit for unit in _UNITS if 0.5 * now < value / unit < 2 * now), 0.0)


def _stands_still(behaviour: Behaviour, now: float) -> bool:
    """Whether a time that follows the clock while all is well stops during the burn (a backup's last success)."""
    healthy, burning = behaviour.healthy, behaviour.burning
    unit = _stamp(burning, now)
    return (
        isinstance(healthy, Gauge)
        and isinstance(burning, Gauge)
        and bool(unit)
        and healthy.slope == unit
        and burning.slope == 0.0
        and burning.value < healthy.value
    )
