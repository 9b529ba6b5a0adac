"""The test bench: entities, and what an alert says to what they do now, at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.alerting import fires
from pytest_sre.synthesis.descent import FAR
from pytest_sre.synthesis.element import Element, EvalError, Vector
from pytest_sre.synthesis.entities import Entity, Option
from pytest_sre.synthesis.evaluate import Evaluator
from pytest_sre.synthesis.search import BUDGET, Guards, Trial
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge
from pytest_sre.synthesis.vectors import EXACT

MOMENTS = (0.0, 7.0, 45.0, 300.0)
"""Seconds into the run at which an alert must be quiet, or fire."""
_BRINK = 1e-9


class Bench:
    """Entities on the test bench: what an alert says to what they do now, at any moment."""

    def __init__(
        self, shape: Shape, rules: RuleIndex, now: float, lookback: float, entities: Sequence[Entity]
    ) -> None:
        """``now`` in seconds since the epoch is time 0 of all signals, ``lookback`` in seconds."""
        self.shape, self.rules, self.now, self.lookback = shape, rules, now, lookback
        self.entities = entities
        self.trial = Trial(entities)
        self.guards = Guards(shape.exprs, rules)
        self.timed = bool(shape.functions & {"time", "timestamp"})
        self.rated = any(entity.kind in ("counter", "histogram") for entity in entities)
        self.left = BUDGET

    def vector(self, moment: float = 0.0, shift: float = 0.0) -> Vector:
        """The alert's elements ``moment`` seconds into the run, or as if the run began ``shift`` seconds later. Raises EvalError, Unsupported."""
        evaluator = Evaluator(self.trial, self.rules, self.now, self.lookback, moment + shift)
        kept = [track.times for track in self.trial.tracks] if shift else []
        if shift:
            moved = {times: tuple(time + shift for time in times) for times in set(kept)}
            for track in self.trial.tracks:
                track.times = moved[track.times]
        try:
            return evaluator.vector(self.shape.expr)
        finally:
            self.left -= evaluator.work
            for track, times in zip(self.trial.tracks, kept, strict=False):
                track.times = times

    def fires(self, moments: Sequence[float] = (0.0,)) -> bool:
        """Whether the alert surely fires, at all of these moments."""
        try:
            return all(fires(self.vector(moment), self.shape.rule) for moment in moments)
        except EvalError:
            return False

    def score(self) -> float:
        """Positive while the alert fires; the lower, the farther it is from firing."""
        try:
            vector = self.vector()
        except EvalError:
            return -FAR
        firing = sum(1.0 + element.gone for element in vector if not element.off)
        return firing - sum(min(element.off, 1.0) for element in vector) / (1 + 2 * len(vector))

    def quiet(self, moments: Sequence[float] = (0.0,), shifts: Sequence[float] = ()) -> bool:
        """Whether the alert surely is quiet, at all of these moments."""
        looks = [*((moment, 0.0) for moment in moments), *((0.0, shift) for shift in shifts)]
        try:
            return not any(self.near(element) for look in looks for element in self.vector(*look))
        except EvalError:
            return False

    def near(self, element: Element) -> bool:
        """Whether an element is there (NaN counts: Prometheus fires on it) or so near that Prometheus' last digit may decide."""
        if element.off == EXACT:
            return self.rated and element.value != 0
        return not element.off or EXACT < element.off < EXACT + _BRINK

    @property
    def steady(self) -> bool:
        """Whether it is all the same when one looks."""
        return not self.timed and all(_steady(track.signal) for track in self.trial.tracks)

    def set(self, options: Mapping[Entity, Option]) -> None:
        """Let entities behave so."""
        for entity, option in options.items():
            entity.set(option)

    def kept(self) -> dict[Entity, Option]:
        """What entities do now."""
        return {entity: entity.option for entity in self.entities}


def _steady(signal: object) -> bool:
    if isinstance(signal, Gauge):
        return signal.slope == 0
    return signal is None or (isinstance(signal, Counter) and signal.steady)
