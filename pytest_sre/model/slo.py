"""An SLO, the budget that it leaves for errors, and what a policy asks of the alerts that watch over it.

The formulas are those of the SRE Workbook, chapter 5: https://sre.google/workbook/alerting-on-slos/
A ratio is the share of requests that fail, 0 to 1; traffic is taken as even over the SLO's window.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Matcher

Notify = Literal["page", "ticket"]
WORKBOOK_BURNS = (1000.0, 150.0, 20.0, 10.0, 2.0)
"""Burn rates of the Workbook's detection table: at 99.9 %, error ratios of 100 %, 15 %, 2 %, 1 % and 0.2 %."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A plain instant selector, as its author wrote it; ``name`` is the metric's."""

    text: str
    name: str
    matchers: tuple[Matcher, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it selects a series; ``labels`` has ``__name__``."""
        return labels.get("__name__") == self.name and all(m.matches(labels) for m in self.matchers)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Slo:
    """What share of requests may fail: ``objective`` in percent as written (99.9), ``window`` in seconds.

    Either ``errors`` or ``good`` is given; both count what ``total`` counts in all.
    """

    name: str
    objective: float
    window: float
    errors: Selector | None
    good: Selector | None
    total: Selector
    location: Location

    @property
    def budget(self) -> float:
        """The share of requests that may fail: 0.001 at 99.9 %."""
        return float((100 - Decimal(repr(self.objective))) / 100)

    @property
    def part(self) -> Selector:
        """What is counted beside the total: the errors, or the good ones."""
        part = self.errors or self.good
        assert part is not None
        return part

    @property
    def most_burn(self) -> float:
        """The burn rate when every request fails: 1000 at 99.9 %."""
        return 1 / self.budget

    def burn_rate(self, ratio: float) -> float:
        """How many times as fast as allowed an error ratio uses up the budget."""
        return ratio / self.budget

    def spent(self, ratio: float, seconds: float) -> float:
        """The share of the budget (above 1: more than all of it) that an error ratio takes in a time."""
        return self.burn_rate(ratio) * seconds / self.window

    def gone_after(self, ratio: float) -> float:
        """Seconds until an error ratio has used up a whole budget; infinite without errors."""
        return self.window / self.burn_rate(ratio) if ratio > 0 else math.inf


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """Where the budget would be gone within ``gone_within`` seconds, somebody is told ``before_spent`` (0..1) of it is spent."""

    gone_within: float
    notify: Notify
    before_spent: float

    def ratio(self, slo: Slo) -> float:
        """The error ratio that uses up the budget in just that time; 1 where even an outage takes longer."""
        return min(1.0, slo.budget * slo.window / self.gone_within)

    def deadline(self, slo: Slo) -> float:
        """Seconds from the onset of such a burn until as much of the budget is spent as may be."""
        return self.before_spent * slo.gone_after(self.ratio(slo))


def detection(slo: Slo, ratio: float, window: float, burn: float, healthy: float = 0.0) -> float | None:
    """Seconds from a step to an error ratio until its mean over ``window`` seconds exceeds ``burn`` times the budget.

    None: never, it would take the window or longer. ``healthy`` is the ratio before the step; at 0 this is the Workbook's
    (1 - SLO) / error ratio x window x burn.
    """
    above = slo.budget * burn - healthy
    if above < 0:
        return 0.0
    if ratio <= healthy:
        return None
    after = above / (ratio - healthy) * window
    return after if after < window else None


def reset(slo: Slo, ratio: float, window: float, burn: float) -> float | None:
    """Seconds from recovery until the mean over ``window`` seconds is back at ``burn`` times the budget.

    Burnt long enough to be detected, however long. None: never detected, so there is nothing to reset.
    """
    after = detection(slo, ratio, window, burn)
    return None if after is None else window - after


def least_objective(burn: float) -> float:
    """The objective (percent) below which a burn rate cannot occur, as more than every request would have to fail."""
    return 100 * (1 - 1 / burn)


def ratios(slo: Slo, policy: Iterable[PolicyEntry]) -> tuple[float, ...]:
    """Error ratios to try, highest first: the policy's, and the Workbook's table in terms of this SLO's budget."""
    wanted = [min(1.0, burn * slo.budget) for burn in WORKBOOK_BURNS]
    wanted += [
        entry.ratio(slo) for entry in policy
    ]  # last: what is asked of an entry is found by its exact ratio
    return tuple(sorted({round(ratio, 12): ratio for ratio in wanted}.values(), reverse=True))
