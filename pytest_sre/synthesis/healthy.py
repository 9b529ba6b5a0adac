"""Data on which an alert is quiet, as a service exposes them that is fine: realistic first, then what is nearest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_sre.promql.ast import Binary, walk
from pytest_sre.promql.condition import leaves
from pytest_sre.promql.legs import conditions
from pytest_sre.synthesis.bench import MOMENTS, Bench
from pytest_sre.synthesis.descent import FAR, SHORT, Descent, knobs_of
from pytest_sre.synthesis.element import Element, EvalError
from pytest_sre.synthesis.entities import TRAFFIC, Entity, Option, Profile
from pytest_sre.synthesis.errorlike import error_rates
from pytest_sre.synthesis.levels import aimed, fitted
from pytest_sre.synthesis.nature import FREE, LEVEL, Nature
from pytest_sre.synthesis.palette import Palette
from pytest_sre.synthesis.search import BUDGET
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Sawtooth, Step, Wave
from pytest_sre.synthesis.vectors import EXACT

SPARE = 1e-5
"""How far from its threshold (relative) a healthy value should stay."""
_POLISH = 20_000
"""Work that may go on once an alert is quiet, to keep it farther from its threshold."""
_NOTHING = 0.5
"""Distance of data on which the expression has nothing at all to compare, or NaN: something is missing then."""
_COUNTING = frozenset(
    {"count", "group", "count_values", "count_over_time", "present_over_time", "absent", "absent_over_time"}
)
_DAY = 86400.0
_UNITS = (1.0, 1e3, 1e9)


class Healthy:
    """The search for healthy data, beginning with entities on which the alert fires."""

    def __init__(self, bench: Bench, groups: list[list[Entity]], palette: Palette, share: float) -> None:
        """``share`` of requests fail while all is well."""
        self.bench, self.groups, self.palette, self.share = bench, groups, palette, share
        self.burning = bench.kept()
        self.known: dict[object, tuple[Option, ...]] = {}
        ops = {
            node.op for expr in bench.shape.exprs for node in walk(expr) if isinstance(node, Binary)
        }  # fmt: skip
        self.equal, self.unequal = "==" in ops, "!=" in ops
        self.may_be_absent = _of_presence(bench.shape)
        reach = max((read.reach for read in bench.shape.reads), default=0.0) + bench.lookback
        self.shifts = (-reach, _DAY)

    def find(self) -> bool:
        """Make the entities healthy; False where nothing was found. Raises Unsupported.

        Values are such as metrics of these names have; where those do not silence it, any values.
        """
        if self._find():
            return True
        bound = [entity for entity in self.bench.entities if entity.nature != FREE]
        for entity in bound:
            entity.nature = FREE
        self.bench.set(self.burning)
        return bool(bound) and self._find()

    def _find(self) -> bool:
        start = self._start()
        silent: dict[Entity, Option] = {
            entity: Counter(0.0) if entity.kind == "counter" else option for entity, option in start.items()
        }
        for begin, wide, shifts, enough in (
            (start, False, self.shifts, _NOTHING),
            (start, True, self.shifts, _NOTHING),
            (start, False, self.shifts, 1.0),
            (silent, False, self.shifts, 1.0),
            (start, True, (), 1.0),
        ):
            self.bench.set(begin)
            self.known.clear()
            self.bench.left = BUDGET // 3
            self.lasting = shifts

            def options(entity: Entity, wide: bool = wide) -> tuple[Option, ...]:
                return self._options(entity, wide)

            knobs = [knob for knob in knobs_of(self.groups) if knob]
            remains = Descent(options, self._distance, lambda: self.bench.left <= 0).run(knobs)
            if remains < enough and self._lasts():
                self._restore(start, remains)
                return True
        return self._silent(start)

    def _silent(self, start: Mapping[Entity, Option]) -> bool:
        """Nothing is counted at all: where many counters must rest at once, no single one brings the alert nearer."""
        self.bench.set(start)
        self.bench.set({one: Counter(0.0) for one in self.bench.entities if one.kind == "counter"})
        self.bench.left, self.lasting = BUDGET // 3, self.shifts
        remains = self._distance()
        if remains >= 1.0 or not self._lasts():
            return False
        self._restore(start, remains)
        return True

    def _restore(self, start: Mapping[Entity, Option], best: float) -> None:
        """Change as few entities as possible: the others do what they did at the start."""
        self.bench.left = BUDGET // 3
        for entity, option in start.items():
            if self.bench.left <= 0:
                return  # each of thousands of series would cost a look at all of them
            kept = entity.option
            if kept != option:
                entity.set(option)
                distance = self._distance()
                if distance > best and (kept is not None or distance >= 1.0):
                    entity.set(kept)

    def _start(self) -> dict[Entity, Option]:
        """What each entity does while all is well, as far as can be told without trying.

        Where Prometheus cannot evaluate that (many series would match many), those are absent that are so while it burns.
        """
        start = self._realistically()
        self.bench.set(start)
        try:
            self.bench.vector()
        except EvalError:
            return {one: None if self.burning[one] is None else option for one, option in start.items()}
        return start

    def _realistically(self) -> dict[Entity, Option]:
        errors: Mapping[Entity, Option] = error_rates(
            list(self.bench.entities), self.bench.shape.exprs, self.bench.rules, self.bench.score, self.share
        )
        return {
            entity: self._erring(entity, errors[entity]) if entity in errors else self._well(entity)
            for entity in self.bench.entities
        }

    def _erring(self, entity: Entity, rate: Option) -> Option:
        """The rate of errors, where there is a most that can be counted: as a part of that."""
        if isinstance(rate, Counter) and entity.nature.high < math.inf:
            return Counter(min(entity.nature.level, rate.rate / TRAFFIC * entity.nature.high))
        return rate

    def _well(self, entity: Entity) -> Option:
        if entity.nature.fixed and self.burning[entity] is None:
            return None
        if entity.kind == "counter" and entity.nature != FREE:
            return self.palette.start(entity)
        if entity.kind == "gauge" and not _any_level(entity.nature):
            return self.palette.start(entity)
        if entity.kind == "histogram":
            return Profile(TRAFFIC, self.share, math.inf)
        if entity.kind == "counter":
            return Counter(entity.traffic)
        if entity.kind == "flag":
            return Gauge(entity.nature.level if entity.nature.kind else 1.0)
        burning = self.burning[entity]
        if self.equal and burning in (Gauge(0.0), Gauge(1.0)):
            return Gauge(0.0 if burning == Gauge(1.0) else 1.0)
        return Gauge(self._level(entity))

    def _level(self, entity: Entity) -> float:
        """Where gauges stand: at the whole, where the alert's constants are parts of one and it is not in the data."""
        if any(entity.name in part | whole for part, whole in self.bench.guards.gauges):
            return LEVEL
        given = [abs(c) for c in self.bench.shape.constants[:6]]
        parts = any(0 < c < 1 for c in given) and all(c <= 1 for c in given)
        return 1.0 if parts else LEVEL

    def _options(self, entity: Entity, wide: bool) -> tuple[Option, ...]:
        """What an entity may do instead; what is realistic for days comes first, absence last."""
        key = (
            entity.kind,
            entity.bounds,
            entity.nature,
            self.burning[entity] if wide or self.bench.timed else None,
        )
        if key not in self.known:
            likely = fitted(self._likely(entity), entity.nature, entity.kind, self.palette.span)
            every = list(dict.fromkeys([*likely, *self.palette.options(entity)]))
            calm = [option for option in every if _calm(option)]
            if wide:
                rest = [option for option in every if not _calm(option) and option is not None]
                calm += [one for one in (*self._mirrored(entity), *rest) if self._realistic(one)]
                absent = self.may_be_absent or entity.nature.fixed or entity.name.endswith("_info")
                calm += [None] if absent else []
            self.known[key] = tuple(dict.fromkeys(calm))
        return self.known[key]

    def _mirrored(self, entity: Entity) -> Iterator[Option]:
        return fitted(
            _mirrored(self.burning[entity]), entity.nature, entity.kind, self.palette.span
        )  # fmt: skip

    def _realistic(self, option: Option) -> bool:
        """Nothing is below 0 in a healthy service, unless the alert itself speaks of such values."""
        below = isinstance(option, Gauge) and option.value < 0
        return not below or any(constant < 0 for constant in self.bench.shape.constants)

    def _likely(self, entity: Entity) -> Iterator[Option]:
        if entity.nature != FREE and not entity.nature.unit:
            make = Counter if entity.kind == "counter" else Gauge
            yield from (make(value) for value in aimed(entity.nature, burning=False))
        if entity.kind == "counter":
            yield from (Counter(self.share * TRAFFIC), Counter(0.0), Counter(entity.traffic))
        elif entity.kind == "gauge" and self.bench.timed:
            burning = self.burning[entity]
            for unit in _UNITS:
                if unit == _unit(burning, self.bench.now):
                    for c in self.bench.shape.constants:
                        if 0 < c < self.bench.now / 2:
                            yield Gauge((self.bench.now - c / 2) * unit, unit)
        elif entity.kind == "histogram":
            yield Profile(TRAFFIC, self.share, math.inf)

    def _distance(self) -> float:
        """How far the alert is from being quiet with something to spare; below 1 it is quiet."""
        try:
            vector = self.bench.vector()
        except EvalError:
            return FAR / 2
        there = sum(1.0 + min(element.gone, 1.0) for element in vector if self.bench.near(element))
        cost = there + 2 * self.bench.guards.broken(self.bench.trial)
        if cost > 0:
            return 1.0 + cost
        if not self._lasts():
            return 1.0
        self.bench.left = min(self.bench.left, _POLISH)
        return max((self._short(element) for element in vector), default=_NOTHING)

    def _short(self, element: Element) -> float:
        """How much an element that is quiet lacks to be so with something to spare."""
        if element.bad:
            return _NOTHING
        if element.off == EXACT and (self.unequal or element.value == 0):
            return 0.0
        lacking = SPARE - (element.off - EXACT)
        return SHORT + lacking if lacking > 0 else 0.0

    def _lasts(self) -> bool:
        return self.bench.quiet(MOMENTS, () if self.bench.steady else self.lasting)


def _any_level(nature: Nature) -> bool:
    """Whether nothing tells where a gauge stands but what is asked of it: that may be a guard, which should hold."""
    return replace(nature, low=FREE.low, level=FREE.level, whole=False, asked=()) == FREE


def _of_presence(shape: Shape) -> bool:
    """Whether an alert asks if series are there, or how many: then those of a healthy service may be missing."""
    return bool(shape.functions & _COUNTING) or any(not leg.op for leg in leaves(conditions(shape.expr)))


def _calm(option: Option) -> bool:
    """Whether something can go on like this for days."""
    if isinstance(option, Gauge):
        follows = option.slope in _UNITS and option.value > 1e9
        return follows or (option.slope == 0 and option.value >= 0)
    if isinstance(option, Counter):
        return option.steady and not option.level
    return isinstance(option, Profile) and not option.since


def _mirrored(option: Option) -> Iterator[Option]:
    """What the opposite of a burning behaviour may be."""
    if isinstance(option, Gauge):
        yield from (Gauge(option.value), Gauge(-option.value), Gauge(option.value, -option.slope))
    elif isinstance(option, Step):
        yield from (Gauge(option.before), Gauge(option.after))
    elif isinstance(option, Wave):
        yield from (Gauge(option.low), Gauge(option.high))
    elif isinstance(option, Sawtooth):
        yield Counter(option.rate)
    elif isinstance(option, Lost):
        yield Gauge(option.value)
    elif isinstance(option, Counter):
        yield from (Counter(option.rate), Counter(option.rate + option.surge))


def _unit(option: Option, now: float) -> float:
    """The unit of a gauge that holds a time: parts of a second."""
    value = option.value if isinstance(option, Gauge) else 0.0
    return next((unit for unit in _UNITS if 0.5 < value / unit / now < 2), 1.0)
