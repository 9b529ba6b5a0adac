"""What is evaluated when."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Activity, Stretch
from pytest_sre.timemachine.states import Labeller

LabellerOf = Callable[[Rule, Activity], Labeller]
"""How the alerts of a rule are labelled, given all that its expression gave."""
Outcome = Mapping[Rule, Activity]
"""What each rule of a program gave; recording rules too."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One rule and when it is evaluated: stretches ascend and do not overlap.

    ``group`` is what rules have in common that are evaluated one after the other in each round; groups come in any
    order. ``offset`` is the group's `query_offset` in seconds, ``limit`` its limit (0: none).
    """

    rule: Rule
    stretches: tuple[Stretch, ...]
    group: Hashable = None
    offset: float = 0.0
    limit: int = 0

    @property
    def ticks(self) -> tuple[float, ...]:
        """All moments of evaluation, to the millisecond."""
        if len(self.stretches) == 1:
            return self.stretches[0].ticks
        return tuple(tick for stretch in self.stretches for tick in stretch.ticks)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Rules over one slot of the past, those of a group in the order of their evaluation."""

    tasks: tuple[Task, ...]
