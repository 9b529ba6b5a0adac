"""Coordinate descent: turn one knob at a time, two at once where one does not help, until the goal is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, product

from pytest_sre.synthesis.entities import Entity, Option
from pytest_sre.synthesis.palette import negative

FAR = 1000.0
"""Distance of what cannot be evaluated at all, or nearly so."""
SHORT = 0.002
"""Distance of data that reach the goal at the start of the run but not for long."""
_ROUNDS = 4
_PAIRED = 14
Knob = list[Entity]
"""Entities that are changed together."""


class Descent:
    """One search: ``options`` of an entity in the order to be tried, ``distance`` from the goal, ``spent`` once the budget is used up."""

    def __init__(
        self,
        options: Callable[[Entity], Sequence[Option]],
        distance: Callable[[], float],
        spent: Callable[[], bool],
    ) -> None:
        """The goal is reached at a distance of 0."""
        self.options, self.distance, self.spent = options, distance, spent

    def run(self, knobs: list[Knob]) -> float:
        """Turn knobs, from where they stand now; the distance that remains."""
        best = self.distance()
        for _ in range(_ROUNDS):
            before = best
            for knob in knobs:
                if best <= 0:
                    return best
                best = self._turn(knob, best)
            if best <= SHORT or self.spent() or best >= FAR:
                break
            if best >= before:
                best = self._pairs(knobs, best)
                if best >= before:
                    break
        return best

    def _turn(self, knob: Knob, best: float) -> float:
        """Try every option of one knob and keep the first that is best."""
        kept = [entity.option for entity in knob]
        chosen: Option | str = "kept"
        for option in self.options(knob[0]):
            if self.spent() or (best <= SHORT and negative(option)):
                break
            _set(knob, option)
            distance = self.distance()
            if distance < best:
                best, chosen = distance, option
                if best <= 0:
                    return best
        for entity, old in zip(knob, kept, strict=True):
            entity.set(old if isinstance(chosen, str) else chosen)
        return best

    def _pairs(self, knobs: list[Knob], best: float) -> float:
        """Two knobs at once, where one alone does not help."""
        for i, first in enumerate(knobs):
            for second in knobs[i + 1 :]:
                kept = [entity.option for entity in (*first, *second)]
                options = (islice(self.options(knob[0]), _PAIRED) for knob in (first, second))
                for one, two in product(*options):
                    if self.spent():
                        break
                    _set(first, one)
                    _set(second, two)
                    distance = self.distance()
                    if distance < best:
                        best, kept = distance, [entity.option for entity in (*first, *second)]
                        if best <= 0:
                            return best
                for entity, old in zip((*first, *second), kept, strict=True):
                    entity.set(old)
        return best


def _set(knob: Knob, option: Option) -> None:
    for entity in knob:
        entity.set(option)


def knobs_of(groups: list[list[Entity]], rest_first: bool = False) -> list[Knob]:
    """Replicas together first, then the first alone and the rest (or the rest and then the first)."""
    knobs = list(groups)
    for group in groups:
        if len(group) > 1:
            parts = [group[:1], group[1:]]
            knobs += parts[::-1] if rest_first else parts
    return knobs
