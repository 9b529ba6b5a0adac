"""The search for data on which an alert fires: change what entities do until the expression has a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis import grid
from pytest_sre.synthesis.alerting import alike, fires
from pytest_sre.synthesis.descent import FAR, SHORT, Descent, knobs_of
from pytest_sre.synthesis.element import EvalError, Unsupported, Vector
from pytest_sre.synthesis.entities import Entity, build, is_error
from pytest_sre.synthesis.evaluate import Evaluator
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.nature import FREE
from pytest_sre.synthesis.natures import Natures
from pytest_sre.synthesis.palette import Palette, negative
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Track
from pytest_sre.synthesis.structure import REPLICA, Structure, families, structures
from pytest_sre.synthesis.vectors import EXACT
from pytest_sre.synthesis.wholes import parts_of_gauges
from pytest_sre.synthesis.world import World

_LATER = (300.0, 7.0, 45.0)
"""Seconds into the run when an alert should still fire."""
BUDGET = 300_000
"""Work (expressions and series evaluated) that one alert may cost: about a second."""
_TRIED = 4
"""Structures that are tried again with more of the budget."""
_FEW = 6
"""Series that a first look's budget is for; many need more of it."""
_FIRST, _FURTHER = 5, 40
"""Parts of the budget for a first look at the likeliest structure, and at each of the others."""
_BRINK = 0.1
_MODERATE = 0.55
"""How far beyond its threshold (relative) a firing expression may be before a smaller burn is tried."""
_CLEAR = 0.002
"""How far (relative) beyond its threshold something is that Prometheus surely sees so."""
_MANY = 200
"""Series of one alert that make every further attempt dear."""


class Trial:
    """The few series of one attempt, looked up by selector."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        """Labels must not change afterwards."""
        self.by_name: dict[str, list[Track]] = {}
        self.tracks: list[Track] = []
        for entity in entities:
            for track in entity.tracks:
                self.tracks.append(track)
                self.by_name.setdefault(track.name, []).append(track)
        self._found: dict[int, tuple[VectorSelector, list[Track]]] = {}

    def select(self, selector: VectorSelector) -> list[Track]:
        """The tracks that a selector matches, absent ones too."""
        known = self._found.get(id(selector))
        if known is not None:
            return known[1]
        pool = self.by_name.get(selector.name, []) if selector.name else self.tracks
        found = [track for track in pool if all(m.matches(track.labels) for m in selector.matchers)]
        self._found[id(selector)] = (selector, found)
        return found


@dataclass(frozen=True, slots=True)
class Terms:
    """What a search of data knows beside the alert and its rules.

    ``types`` metric types by name; ``now`` (seconds since the epoch) is time 0 of the signals; ``lookback`` in seconds;
    ``serial`` makes the alert's free label values its own; ``real`` the metrics of snapshots, whose labels and buckets
    the series get.
    """

    types: Mapping[str, str]
    now: float
    lookback: float
    serial: str = ""
    real: Exposed | None = None


class _Look(NamedTuple):
    """What a first look at a structure left: ``late`` ones are tried later, ``cut_short`` those with no budget left."""

    remains: float
    late: bool
    cut_short: bool
    structure: Structure
    groups: list[list[Entity]]


class Search:
    """One alert's search. Raises Unsupported from `run` where the evaluator does not know something."""

    def __init__(
        self,
        shape: Shape,
        rules: RuleIndex,
        terms: Terms,
        budget: int = BUDGET,
    ) -> None:
        """``budget`` is the work it may cost."""
        self.shape, self.rules, self.terms = shape, rules, terms
        self.world = World(shape, terms.serial, terms.real)
        self.palette = Palette(shape, terms.now)
        self.natures, self.kept_to = Natures(shape), False
        self.times = sample_times(shape, terms.lookback)
        self.guards = Guards(shape.exprs, rules)
        self.budget = self.left = budget

    def run(self) -> list[list[Entity]] | None:
        """Entities on which the alert fires, replicas in one group; None if the search found none.

        Values are such as metrics of these names have; where those do not fire it, any values.
        """
        found = self._run(self.natures)
        if found is None and self.kept_to:
            self.left = max(self.left, self.budget // 2)
            found = self._run(None)
        return found

    def _run(self, natures: Natures | None) -> list[list[Entity]] | None:
        looks: list[_Look] = []
        seen = set()
        for structure in structures(self.shape):
            layout = families(self.shape, self.world, structure)
            key = repr([(family.names, family.groups) for family in layout])
            if key in seen or self.left <= 0:
                continue
            seen.add(key)
            groups = build(self.shape, layout, self.terms.types, self.times, self.terms.real, natures)
            self.kept_to |= any(group[0].nature != FREE for group in groups)
            many = max(1, sum(map(len, groups)) // _FEW)
            budget = many * self.budget // _FURTHER if looks else self.budget // _FIRST
            before = self.left
            remains = self._solve(groups, budget, rest_first=structure.vary == REPLICA)
            if remains <= SHORT:
                return self._moderate(groups)
            cut_short = before - self.left >= budget
            looks.append(_Look(remains, structure.vary not in self.shape.lost, cut_short, structure, groups))
        for look in self._promising(looks):
            if self._solve(look.groups, self.left // 2, again=look) <= SHORT:
                return self._moderate(look.groups)
        return None

    def _promising(self, looks: list[_Look]) -> list[_Look]:
        """Structures that came as near as the first one and that may come nearer, the nearest first."""
        limit = min(looks[0].remains, FAR / 4) if looks else 0.0
        near = [look for look in looks if look.remains <= limit and (look.cut_short or look.structure.vary)]
        return sorted(near, key=lambda look: (look.remains, look.late))[:_TRIED]

    def _solve(
        self, groups: list[list[Entity]], budget: int, again: _Look | None = None, rest_first: bool = False
    ) -> float:
        """Search within a budget, going on where a look was cut short; the distance that remains."""
        entities = [entity for group in groups for entity in group]
        go_on = again is not None and again.cut_short
        for entity in entities if not go_on else ():
            entity.set(self.palette.start(entity, burning=True))
        self.trial = Trial(entities)
        floor = max(0, self.left - budget)
        return Descent(self.palette.options, self._distance, lambda: self.left <= floor).run(
            knobs_of(groups, rest_first or (again is not None and not again.cut_short))
        )

    def _distance(self) -> float:
        """How far the expression is from firing."""
        try:
            vector = self._evaluate()
        except EvalError:
            return FAR / 2
        distance = min((e.off + (3.0 if e.bad else 0.0) for e in vector), default=FAR)
        distance += self.guards.broken(self.trial) + alike(vector, self.shape.rule)
        return distance if distance > 0 or self._lasts() else SHORT

    def _lasts(self) -> bool:
        """Whether what fires now still fires some seconds and some minutes into the run."""
        try:
            return all(fires(self._evaluate(moment), self.shape.rule) for moment in _LATER)
        except EvalError:
            return False

    def _evaluate(self, moment: float = 0.0) -> Vector:
        evaluator = Evaluator(self.trial, self.rules, self.terms.now, self.terms.lookback, moment)
        try:
            return evaluator.vector(self.shape.expr)
        finally:
            self.left -= evaluator.work

    def _moderate(self, groups: list[list[Entity]]) -> list[list[Entity]]:
        """Prefer a moderate burn to an extreme one, or to one on the brink, as long as the alert fires."""
        self._make_moderate(groups)
        return groups

    def _make_moderate(self, groups: list[list[Entity]]) -> None:
        excess = self._excess()
        if _BRINK <= excess <= _MODERATE or excess <= EXACT or len(self.trial.tracks) > _MANY:
            return
        if excess > EXACT + _CLEAR and any(group[0].nature.high < math.inf for group in groups):
            return  # a share near its bound has no more room
        for knob in knobs_of(groups):
            if knob[0].kind == "flag":
                continue
            kept = [entity.option for entity in knob]
            for option in self.palette.options(knob[0]):
                if (isinstance(option, Counter) and option.level) or negative(option):
                    break
                for entity in knob:
                    entity.set(option)
                if option is not None and _BRINK <= self._excess() <= _MODERATE and self._lasts():
                    return
            for entity, old in zip(knob, kept, strict=True):
                entity.set(old)

    def _excess(self) -> float:
        """How far beyond its threshold the expression is; -1 where it does not fire."""
        try:
            vector = self._evaluate()
        except EvalError:
            return -1.0
        if not fires(vector, self.shape.rule) or self.guards.broken(self.trial):
            return -1.0
        return max(element.gone for element in vector if not element.off and not element.bad)


def sample_times(shape: Shape, lookback: float) -> tuple[float, ...]:
    """Sample times that serve every read of an alert."""
    return grid.times(sample_windows(shape), lookback)


def sample_windows(shape: Shape) -> grid.Windows:
    """The windows that decide when an alert's series have samples."""
    return grid.window_key(shape.reads) | shape.dense


class Guards:
    """Parts that an expression divides by their wholes: errors cannot outnumber requests, nor what is free all there is."""

    def __init__(self, exprs: Iterable[Expr], rules: RuleIndex) -> None:
        """Find them in an alert and its recording rules."""
        every = list(exprs)
        self.pairs = list(_guards(every, rules))
        self.gauges = list(dict.fromkeys(parts_of_gauges(every, rules)))

    def broken(self, trial: Trial) -> float:
        """What is wrong with data whose errors outnumber the requests they are part of."""
        excess = 0.0
        for errors, requests in self.pairs:
            part, whole = (_total(names, trial) for names in (errors, requests))
            if whole and part > whole:
                excess += 1.0 + (part - whole) / (part + whole)
        for parts, wholes in self.gauges:
            part, whole = (_level(names, trial) for names in (parts, wholes))
            if part > whole > 0:
                excess += 1.0 + (part - whole) / (part + whole)
        return excess


def _total(names: frozenset[str], trial: Trial) -> float:
    tracks = [track for name in names for track in trial.by_name.get(name, [])]
    return sum(t.signal.rate + t.signal.surge for t in tracks if isinstance(t.signal, Counter))


def _level(names: frozenset[str], trial: Trial) -> float:
    tracks = [track for name in names for track in trial.by_name.get(name, [])]
    return sum(t.signal.value for t in tracks if isinstance(t.signal, Gauge))


def _guards(exprs: Iterable[Expr], rules: RuleIndex) -> Iterable[tuple[frozenset[str], frozenset[str]]]:
    """(errors, requests): counters of different names that an expression divides."""
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Binary) and node.op == "/":
                part, whole = _counted(node.lhs, rules), _counted(node.rhs, rules)
                if (
                    part
                    and whole
                    and not part & whole
                    and all(map(is_error, part))
                    and not any(map(is_error, whole))
                ):
                    yield part, whole


def _counted(expr: Expr, rules: RuleIndex) -> frozenset[str]:
    """The raw counters that an expression is the plain sum of, else nothing."""
    names = set()
    for node in walk(expr):
        if isinstance(node, Call) and node.name not in ("rate", "increase", "irate"):
            return frozenset()
        if (isinstance(node, Binary) and node.op != "+") or (
            isinstance(node, Aggregate) and node.op != "sum"
        ):
            return frozenset()
        if isinstance(node, VectorSelector):
            if rules.records(node):
                return frozenset()
            names.add(node.name)
    return frozenset(names)


__all__ = ["Guards", "Search", "Trial", "Unsupported"]
