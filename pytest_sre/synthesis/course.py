"""How the series of a snapshot go on before and after the moment at which they were scraped."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_sre.model.scenario import Labels
from pytest_sre.model.snapshot import Page, Real
from pytest_sre.synthesis.kinds import Kind
from pytest_sre.synthesis.nature import DAY, YEAR

LIVED = DAY
"""How long a process counted, at least, and where its page does not tell (seconds)."""
STARTED = "process_start_time_seconds"
BOOTED = "_boot_time_seconds"
"""A machine counts since then, though the process that shows it may be younger."""
CLOCK = "node_time_seconds"
_UNITS = (1.0, 1e3, 1e9)
_RECENT = 20 * YEAR
_TIMES = re.compile(
    r"time|date|created|expir|not_after|not_before|since|start|last|next|boot|epoch|clock|success"
)
_FUTURE = re.compile(r"expir|not_after|until|deadline|next|due|valid")
_NO_TIMES = re.compile(r"bytes|_total$|_count$|_sum$|_bucket$")


@dataclass(frozen=True, slots=True)
class RealSeries:
    """One series of a snapshot, as a function of the time; ``labels`` has ``__name__``.

    ``value`` is what it had when the page was scraped. A counter got there by ``rate`` a second; one of ``whole`` events
    has its last one as long ago as can be. A time of ``unit`` (parts of a second) is ``age`` seconds before the scrape;
    one that ``follows`` is so at all times.
    """

    labels: Labels
    value: float
    rate: float = 0.0
    whole: bool = False
    unit: float = 0.0
    age: float = 0.0
    follows: bool = False

    def at(self, time: float, scraped: float) -> float:
        """The value ``time`` seconds after the scrape, which was at ``scraped`` seconds since the epoch."""
        if self.unit:
            return (scraped + (time if self.follows else 0.0) - self.age) * self.unit
        if not self.rate:
            return self.value
        value = self.value + self.rate * time
        return math.ceil(value - 1e-6) if self.whole else value


def taken(page: Page, now: float) -> float | None:
    """When a page was scraped (seconds since the epoch): as told, or not before the latest past moment that it shows.

    ``now`` in seconds since the epoch; None where the page shows no moment at all.
    """
    if page.taken is not None:
        return page.taken
    stamps = [one.at for some in page.series.values() for one in some if one.at is not None]
    clock = [one.value for one in page.series.get(CLOCK, ())]
    if stamps or clock:
        return max([*stamps, *clock])
    past = [
        one.value
        for name, some in page.series.items()
        if _TIMES.search(name) and not _FUTURE.search(name) and not _NO_TIMES.search(name)
        for one in some
        if now - _RECENT < one.value < now + DAY
    ]
    return max(past, default=None)


@dataclass(frozen=True, slots=True)
class Clock:
    """A page's time: when it was ``taken`` (None: not known), and since when each target counts, by job and instance.

    ``booted``: what counts since its machine booted, by the first part of its name (``node``) and by target.
    """

    taken: float | None
    started: dict[Labels, float]
    booted: dict[tuple[str, Labels], float]

    def lived(self, name: str, real: Real) -> float:
        """How long a series has been counting (seconds)."""
        if self.taken is None:
            return LIVED
        booted = self.booted.get((name.partition("_")[0], _target(real.labels)))
        if booted is not None and self.taken > booted:
            return self.taken - booted
        known = self.started.get(_target(real.labels))
        if known is None and len(set(self.started.values())) == 1:
            known = next(iter(self.started.values()))
        return LIVED if known is None else max(LIVED, self.taken - known)


def clock(page: Page, now: float) -> Clock:
    """A page's time."""
    started = {_target(one.labels): one.value for one in page.series.get(STARTED, ())}
    booted = {
        (name.removesuffix(BOOTED), _target(one.labels)): one.value
        for name, some in page.series.items()
        if name.endswith(BOOTED)
        for one in some
    }
    return Clock(taken(page, now), started, booted)


def _target(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] in ("job", "instance"))


def going_on(
    name: str,
    real: Real,
    kind: Kind,
    page: Clock,
    *,
    labels: Iterable[tuple[str, str]],
    history: float,
    timed: bool,
    follows: bool,
) -> RealSeries:
    """A real series as it goes on.

    ``labels`` are those that it has in Prometheus; ``history`` is how far back it is read (seconds); ``timed`` is whether
    the alert compares with the clock, ``follows`` whether times go with it then (else they stand still).
    """  # fmt: skip
    named = tuple(sorted([("__name__", name), *labels]))
    value = real.value
    if kind == "counter" and math.isfinite(value) and value > 0:
        rate = value / page.lived(name, real)
        whole = value == int(value) and not name.endswith(("_seconds_total", "_seconds_sum"))
        # It may be read further back than it counts: then it counted before, as it does now.
        return RealSeries(named, max(value, math.ceil(rate * history) + 1.0), rate, whole)
    unit = _unit(name, value, page.taken) if timed and kind == "gauge" else 0.0
    if unit and page.taken is not None:
        return RealSeries(named, value, unit=unit, age=page.taken - value / unit, follows=follows)
    return RealSeries(named, value)


def _unit(name: str, value: float, now: float | None) -> float:
    """The unit (parts of a second) of a gauge that holds a time; 0 for others, and where the page's time is not known."""
    if now is None or _NO_TIMES.search(name) or not _TIMES.search(name):
        return 0.0
    return next((unit for unit in _UNITS if abs(value / unit - now) < _RECENT), 0.0)
