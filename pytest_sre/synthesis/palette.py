"""What entities may do: candidates for the search, from an expression's own constants and windows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain

from pytest_sre.synthesis import calendar
from pytest_sre.synthesis.entities import TRAFFIC, Entity, Option, Profile, initial
from pytest_sre.synthesis.flags import never_negative
from pytest_sre.synthesis.levels import Span, fitted, likely, start
from pytest_sre.synthesis.nature import FREE, LEVEL, Nature
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Sawtooth, Step, Wave

_SWINGING = frozenset({"changes", "stddev_over_time", "stdvar_over_time", "mad_over_time", "resets"})
_STEPPING = frozenset({"changes", "offset", "delta", "min_over_time", "max_over_time", "avg_over_time"})
_MISSING = frozenset({"absent_over_time", "present_over_time", "offset", "last_over_time", "count_over_time"})
_SLOPING = frozenset(
    {"predict_linear", "deriv", "delta", "idelta", "increase", "rate", "offset", "mad_over_time"}
)
_SLOPING |= {"first_over_time", "double_exponential_smoothing", "holt_winters"}
"""Functions whose value tells a gauge that rises or falls."""
_OF_PAST = frozenset({"avg_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time"})
_OF_PAST |= {"min_over_time", "max_over_time", "mad_over_time"}
"""Functions that tell what is usual: what is unusual began a short while ago."""
_JUST_NOW = 20.0
_LONG_AGO = 10 * 86400.0
_SOME = 1800.0
"""A burn goes on for so long (seconds) after its alert should fire."""


class Palette:
    """What entities may do, from the expression's own constants; likelier things first."""

    def __init__(self, shape: Shape, now: float) -> None:
        """``now`` is the start of the run in seconds since the epoch."""
        self.shape = shape
        self.now = now
        self.shares = tuple(_shares(shape.constants))
        reach = max((read.reach for read in shape.reads), default=0.0)
        self.span = Span(now, 1.2 * (reach + _SOME), shape.rule.hold + _SOME)
        self._lists: dict[tuple[str, Nature, bool], tuple[Option, ...]] = {}

    def start(self, entity: Entity, burning: bool = False) -> Option:
        """What an entity does at first: what its metric does while all is well, or what is asked of it."""
        nature = entity.nature
        if nature == FREE or entity.kind == "flag":
            return initial(entity)
        if burning and nature.asked and not nature.unit and not nature.fixed:
            return next(iter(self.options(entity)))
        return start(nature, entity.kind, self.span)

    def options(self, entity: Entity) -> tuple[Option, ...]:
        """The options of one entity, in the order they are to be tried."""
        alike = entity.kind in ("counter", "gauge") and entity.traffic == TRAFFIC
        key = (entity.kind if alike else entity.name, entity.nature, never_negative(entity.name))
        if key not in self._lists:
            # most gauges count something: what is negative comes last
            made = dict.fromkeys(self._made(entity))
            self._lists[key] = tuple(sorted((o for o in made if not (key[2] and negative(o))), key=negative))
        return self._lists[key]

    def _made(self, entity: Entity) -> Iterator[Option]:
        if entity.kind == "histogram":
            return self._profiles(entity)
        nature = entity.nature
        if nature.fixed:
            return iter((Gauge(nature.level), None))
        if entity.kind == "flag":
            return self._flags(entity)
        every = self._counters(entity) if entity.kind == "counter" else self._gauges(nature)
        if nature == FREE:
            return every
        first = likely(nature, entity.kind, self.shares, self.span)
        return fitted(chain(first, every), nature, entity.kind, self.span)

    def _flags(self, entity: Entity) -> Iterator[Option]:
        info = entity.name.endswith("_info") and 0.0 not in self.shape.constants
        yield from (None, Gauge(1.0)) if info else (Gauge(0.0), Gauge(1.0), None)
        yield from self._moving((1.0, 0.0))
        if "avg_over_time" in self.shape.functions:
            for share in self.shares:
                yield Wave(0.0, 1.0, 60.0)
                yield Step(1.0, 0.0, max(self.shape.ranges, default=3600.0) * share)

    def _counters(self, entity: Entity) -> Iterator[Option]:
        if entity.traffic != TRAFFIC:
            yield from (Counter(share) for share in (*self.shares, 0.0, 0.5, 1.0))
            yield None
            return
        for share in self.shares:
            yield Counter(TRAFFIC * share / (1 - share))
        for share in self.shares:
            yield Counter(TRAFFIC * share)
        for value in _around(self.shape.constants):
            if value > 0:
                yield Counter(value)
                for span in self.shape.ranges[:3]:
                    yield Counter(value / span)
        yield from (Counter(0.0, 1000.0), Counter(0.01), Counter(1.0), Counter(1000.0), None)
        for value in self._far():
            if value > 0:
                yield Counter(value)
                for span in self.shape.ranges[:1]:
                    yield Counter(value / span)
        for span in self.shape.ranges[:3]:
            yield Counter(1.0, 0.0, TRAFFIC, span * 0.9)
            yield Counter(TRAFFIC, 0.0, -TRAFFIC * 0.99, span * 0.9)
        yield from self._changing()
        if self.shape.functions & {"resets", "changes"}:
            for count in self.shape.constants[:4]:
                for span in self.shape.ranges[:2]:
                    if count >= 0:
                        yield Sawtooth(1.0, span / (count + 2))
                        yield Sawtooth(1.0, span / (2 * count + 2))
        for value in _around(self.shape.constants)[:6]:
            yield Counter(0.001, max(0.0, value))

    def _changing(self) -> Iterator[Option]:
        """Counters that stop before an offset, or count ever faster from before it on."""
        reads = [
            read for read in sorted(self.shape.reads, key=lambda read: (read.lo, read.range)) if read.lo > 0
        ]
        for since in self._lately():
            yield Counter(TRAFFIC, 0.0, -TRAFFIC, since)
        for read in reads[:1]:
            for constant in self.shape.constants[:6]:
                if constant > 0:
                    yield Counter(0.01, 0.0, 0.0, read.reach, 2 * constant / read.lo)

    def _gauges(self, nature: Nature) -> Iterator[Option]:
        level = nature.high if nature.high < math.inf else nature.level
        for value in _around(self.shape.constants):
            yield Gauge(value)
        for share in self.shares:
            yield Gauge(level * share)
            yield Gauge(level * (1 - share))
        yield from (Gauge(v) for v in (0.0, 1.0, level, 2.0, 10.0, 1000.0, 1e6, 1e9))
        yield None
        if nature.unit or self.shape.functions & {"time", "timestamp"}:
            yield from self._stamps(level)
        if self.shape.functions & calendar.PARTS.keys():
            yield from self._dates()
        yield from self._moving(tuple(_around(self.shape.constants))[:6], level)
        yield from (Gauge(value) for value in self._far())
        yield from (Gauge(-1.0), Gauge(1e12))

    def _lately(self) -> Iterator[float]:
        """Since when (seconds) something is other than it was where an offset looks."""
        for read in sorted(self.shape.reads, key=lambda read: (read.lo, read.range)):
            if read.lo > read.range > 0:
                yield (read.lo + read.range) / 2

    def _far(self) -> Iterator[float]:
        """What constants may mean together, and values of every size: a search is guided by how far it is."""
        for product in self.shape.products:
            yield from (2 * product, product / 2)
        for power in range(-4, 16):
            yield from (10.0**power, 3 * 10.0**power)

    def _stamps(self, level: float) -> Iterator[Option]:
        for value in _around(self.shape.constants):
            if abs(value) < self.now / 2:
                for unit in (1.0, 1e3, 1e9):
                    yield Gauge((self.now - value) * unit)
                    yield Gauge((self.now + value) * unit)
        for value in self.shape.constants[:4]:
            if 0 < value < 1e8:
                yield Lost(level, value * 1.5)
        if "offset" in self.shape.functions:
            for since in (read.lo * part for read in self.shape.reads if read.lo > 0 for part in (0.2, 0.8)):
                yield Step(self.now - _LONG_AGO, self.now - since - 1, since)

    def _dates(self) -> Iterator[Option]:
        """Moments of the past year, of every weekday, month, day and hour."""
        for step, count in ((86400.0, 31), (30.4 * 86400.0, 12), (3600.0, 23), (900.0, 3)):
            for i in range(1, count + 1):
                yield Gauge(float(round(self.now - i * step)))

    def _moving(self, values: tuple[float, ...], usual: float = LEVEL) -> Iterator[Option]:
        """Gauges that rise, fall, swing, step or go, as the functions of the expression notice."""
        functions, ranges = self.shape.functions, self.shape.ranges[:3] or (3600.0,)
        if "predict_linear" in functions:
            yield from self._forecast(values, usual, ranges)
        if functions & _SLOPING:
            yield from _sloping(values, usual, ranges)
        if functions & _SWINGING:
            yield from self._swinging(ranges)
        yield from self._stepping(values, usual, ranges)
        if functions & {"stddev_over_time", "stdvar_over_time"}:  # a peak is far from its window's average
            for part in (0.02, 0.05, 0.2):
                for span in ranges:
                    yield Step(LEVEL, 10 * LEVEL, span * part)
        if functions & _MISSING:
            for span in ranges:
                yield Lost(1.0, min(span / 2, 1200.0))
                yield Lost(1.0, span * 0.9)

    def _forecast(
        self, values: tuple[float, ...], usual: float, ranges: tuple[float, ...]
    ) -> Iterator[Option]:
        # Empty at four fifths of the time ahead that a forecast is of.
        for ahead in (c for c in self.shape.constants if 600 <= c < 1e8):
            yield Gauge(usual / 2, -0.625 * usual / ahead)
        for level in (*(usual * share for share in self.shares), *(abs(value) for value in values)):
            yield from (Gauge(level, -level / span) for span in ranges if level)
            yield from (
                Gauge(level, -2 * level / ahead) for ahead in self.shape.constants if level and ahead > 300
            )

    def _swinging(self, ranges: tuple[float, ...]) -> Iterator[Option]:
        for count in self.shape.constants[:4]:
            for span in ranges:
                if count >= 0:
                    yield Wave(0.0, 1.0, max(1.0, span / (count + 2)))
                    yield Wave(0.0, 1.0, max(1.0, span / (2 * count + 2)))
                    yield Wave(0.0, 4 * count, 60.0)

    def _stepping(
        self, values: tuple[float, ...], usual: float, ranges: tuple[float, ...]
    ) -> Iterator[Option]:
        asked = [abs(constant) for constant in self.shape.constants[:4] if constant]
        if self.shape.functions & _STEPPING:
            offsets = [read.lo for read in self.shape.reads if read.lo > 0]
            for since in dict.fromkeys([*(span * 0.5 for span in ranges), *(o * 0.8 for o in offsets)]):
                yield from (Step(0.0, 1.0, since), Step(1.0, 0.0, since), Step(usual, usual * 3, since))
                yield Step(usual * 3, usual, since)
                for value in values[:3]:
                    yield from (Step(0.0, value, since), Step(value, 0.0, since))
                for value in asked:
                    yield from (Step(2 * value, value / 2, since), Step(value / 2, 2 * value, since))
        if self.shape.functions & _OF_PAST:
            for since in dict.fromkeys([_JUST_NOW, *(span * 0.05 for span in ranges)]):
                yield from (Step(usual, usual * 3, since), Step(usual * 3, usual, since))
                for value in asked:
                    yield from (Step(2 * value, value / 2, since), Step(value / 2, 2 * value, since))

    def _profiles(self, entity: Entity) -> Iterator[Option]:
        finite = [float(bound) for bound in entity.bounds[:-1]]
        for share in self.shares:
            yield Profile(TRAFFIC, share, math.inf)
        for value in [*finite, math.inf]:
            yield Profile(TRAFFIC, 1.0, value)
        for value in _around(self.shape.constants)[:8]:
            if value > 0:
                yield Profile(TRAFFIC, 0.5, value)
                yield Profile(value, 0.1, math.inf)
        for read in sorted(self.shape.reads, key=lambda read: (read.lo, read.range)):
            if read.hi > 0:
                for value in (*finite[3::3], math.inf):
                    yield Profile(TRAFFIC, 1.0, value, max(600.0, min(read.hi, 3600.0) * 0.8))
        past = [0.9 * span for span in self.shape.ranges[:2]] if self.shape.functions & _OF_PAST else []
        for since in (*self._lately(), *past):
            yield from (Profile(TRAFFIC, 0.5, value, since) for value in finite)
        yield from (Profile(TRAFFIC, 0.0, 0.0), Profile(0.01, 0.5, math.inf), Profile(1000.0, 0.1, math.inf))
        yield None


def _sloping(values: tuple[float, ...], usual: float, ranges: tuple[float, ...]) -> Iterator[Option]:
    for value in values:
        for span in ranges:
            for level in (usual, 2 * abs(value) or usual):
                yield Gauge(level, value / span)
                yield Gauge(level, -value / span)
            yield Gauge(usual, value)
    for span in (*ranges, 14400.0, 86400.0, 345600.0):
        yield Gauge(usual, -usual / span * 1.5)
        yield Gauge(usual, usual / span)
        yield Gauge(1e9, -1.5e9 / span)


def negative(option: Option) -> bool:
    """Whether something is a gauge below 0."""
    return isinstance(option, Gauge) and option.value < 0


def _around(constants: Iterable[float]) -> list[float]:
    """Values on either side of each constant, at a moderate distance, and the constant itself."""
    found: dict[float, None] = {}
    for c in constants:
        found.update(dict.fromkeys((2 * c, c / 2, c, c + 1, c - 1) if c else (1.0, 0.0, -1.0)))
    return list(found)


def _shares(constants: Iterable[float]) -> Iterator[float]:
    """Parts of a whole, about twice and half of each constant that may be one (or a percentage)."""
    found: dict[float, None] = {}
    for c in constants:
        for part in (c, c / 100, 1 - c, 1 - c / 100):
            if 0 < part < 1:
                above = 2 * part if part < 0.4 else (1 + part) / 2
                found.update(dict.fromkeys((above, part / 2)))
    yield from found
