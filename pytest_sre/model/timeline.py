"""What happens over virtual time: how series behave before, during and after a burn, and what an alert does then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels


@dataclass(frozen=True, slots=True)
class Stretch:
    """Evaluations at ``start``, ``start + step``, … up to ``end``, all in seconds since the epoch."""

    start: float
    end: float
    step: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """The moments of evaluation, ascending, to the millisecond."""
        return _ticks(self.start, self.end, self.step)


@lru_cache(maxsize=4096)
def _ticks(start: float, end: float, step: float) -> tuple[float, ...]:
    count = int((end - start) / step + 1e-9) + 1
    return tuple(round(start + i * step, 3) for i in range(count))


@dataclass(frozen=True, slots=True)
class Row:
    """One series of a range query's result: ``times`` (seconds since the epoch, ascending) and a value for each."""

    labels: Labels
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """What an alert's expression gave: at each of ``ticks``, those of ``rows`` that have that time.

    ``errors`` has the ticks whose evaluation failed, with the engine's words; all times in seconds since the epoch.
    """

    ticks: tuple[float, ...]
    rows: tuple[Row, ...]
    errors: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Active:
    """One alert as Prometheus would show it at a tick: its labels, those of the sample behind it, and its value.

    ``active_at`` is when it began to be pending (seconds since the epoch). ``value`` is that of the last sample.
    """

    labels: Labels
    sample: Labels
    value: float
    state: str
    active_at: float


@dataclass(frozen=True, slots=True)
class Period:
    """One stay of an alert, from pending on, in seconds since the epoch.

    ``fired_at`` is None when it never fired, ``ended`` when it was still there at the last tick.
    """

    labels: Labels
    active_at: float
    fired_at: float | None
    ended: float | None


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """What became of one alerting rule: its alerts' stays, and at the ticks asked for all that was active."""

    rule: Rule
    periods: tuple[Period, ...]
    shown: Mapping[float, tuple[Active, ...]] = field(default_factory=dict)
    errors: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passage:
    """What an alert did in one scenario on virtual time. All times in seconds from the onset of the burn.

    ``kind`` is ``near`` (all the time just below the threshold; no onset), ``snapshot`` (all the time what pages of
    healthy services show, which ``name`` lists) or ``burn`` (healthy, burning until ``recovery``, healthy again until
    ``end``). ``early`` is when it fired although all was well; ``pending`` and
    ``fired`` when it first was so after the onset, ``ended`` when the last alert stopped firing after it (None: it
    never did). ``error_ratio`` is of the requests during the burn, where an SLO says what counts as an error;
    ``factor`` is of the alert's own threshold, where the scenario is about that.
    Two further kinds are about values that move, and have none of these times: ``hover`` (around the threshold) and
    ``moving`` (above it). ``firings`` is how often one alert began to fire then, ``faces`` the labels of alerts that
    replaced each other although the expression always held, ``lasted`` how long the longest stay of an alert was.
    ``why`` explains what was not as it should be, leg by leg; ``plot`` has the legs' values over time. In the worst burn
    of an SLO ``always`` has a line for each leg that held while it was met, ``never`` for each that did not hold in time.
    """

    kind: str
    name: str
    start: float
    end: float
    interval: float
    recovery: float | None = None
    early: float | None = None
    pending: float | None = None
    fired: float | None = None
    ended: float | None = None
    error_ratio: float | None = None
    slo: str = ""
    factor: float | None = None
    error: str = ""
    firings: int = 0
    faces: tuple[Labels, ...] = ()
    lasted: float = 0.0
    why: tuple[str, ...] = ()
    plot: tuple[Mapping[str, Any], ...] = ()
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
