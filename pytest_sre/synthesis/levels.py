"""What a metric may do, by its nature: options that are likely, and options cut to what its values may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pytest_sre.synthesis.entities import Option
from pytest_sre.synthesis.nature import DAY, YEAR, Nature
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Restarts, Sawtooth, Step, Wave

_TWENTY_YEARS = 20 * YEAR
_STAMP = 1e8
_NARROW = 0.5
"""How far a burn lies between a threshold and the most that a value can be."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a signal must be possible for: ``before`` and ``after`` the start of the run, which is at ``now`` (seconds)."""

    now: float
    before: float
    after: float


def aimed(nature: Nature, burning: bool = True) -> Iterator[float]:
    """Values on the side of what is asked (or on the other one), half-way to the bound at most."""
    for op, value in nature.asked:
        above = op in (">", ">=") if burning else op in ("<", "<=")
        below = op in ("<", "<=") if burning else op in (">", ">=")
        exact = op == "==" if burning else op == "!="
        if above:
            yield from _above(nature, value)
        elif below:
            yield from _below(nature, value)
        elif exact:
            yield value
        else:
            yield from (one for one in (value + 1, value - 1, nature.level) if one != value)


def _above(nature: Nature, value: float) -> Iterator[float]:
    if nature.high <= value:
        return
    most = value + (nature.high - value) * _NARROW
    twice = 2 * value if value > 0 else value / 2 + 1
    if most < math.inf and nature.whole:
        most = math.ceil(most)
    yield min(twice, most)


def _below(nature: Nature, value: float) -> Iterator[float]:
    if value > nature.low:
        half = value / 2 if value > 0 else 2 * value - 1
        yield max(nature.low, math.floor(half) if nature.whole else half)


def likely(nature: Nature, kind: str, shares: Iterable[float], span: Span) -> Iterator[Option]:
    """What is to be tried first."""
    if kind == "counter":
        yield from (Counter(value) for value in aimed(nature))
        for share in shares:
            yield Counter(nature.high * share / (1 - share))
            yield Counter(nature.high * share)
        yield from (Counter(value) for value in (*aimed(nature, False), 0.0, nature.level))
        return
    if nature.unit:
        yield from (Gauge(value) for value in moments(nature, span))
        return
    yield from (Gauge(value) for value in aimed(nature))


def moments(nature: Nature, span: Span) -> Iterator[float]:
    """Usual moments: when something began, or when it will end."""
    away = (30 * DAY, DAY, YEAR) if nature.ahead else (-DAY, -3600.0, -30 * DAY, -60.0)
    yield from ((span.now + one) * nature.unit for one in away)


def fitted(options: Iterable[Option], nature: Nature, kind: str, span: Span) -> Iterator[Option]:
    """The options that are possible, changed where that makes them so."""
    for option in options:
        if option is None:
            yield None
        elif kind == "counter":
            if not isinstance(option, Counter) or option.rate + max(0.0, option.surge) <= nature.high:
                yield option
        elif nature.unit:
            yield from _of_moment(option, nature, span)
        else:
            yield from _of_level(option, nature, span)


def _of_moment(option: Option, nature: Nature, span: Span) -> Iterator[Option]:
    """A time of our days."""
    if isinstance(option, Gauge):
        if _recent(option.value, nature, span) and option.slope in (0.0, nature.unit):
            yield option
    elif isinstance(option, Step):
        if _recent(option.before, nature, span) and _recent(option.after, nature, span):
            yield option
    elif isinstance(option, Wave):
        yield Restarts((span.now - 1.0) * nature.unit, option.period, nature.unit)
    elif isinstance(option, Lost):
        yield Lost((span.now - DAY) * nature.unit, option.since)


def _recent(value: float, nature: Nature, span: Span) -> bool:
    return abs(value / nature.unit - span.now) < _TWENTY_YEARS and value > _STAMP


def _of_level(option: Option, nature: Nature, span: Span) -> Iterator[Option]:
    if isinstance(option, Gauge):
        yield from _line(_whole(option, nature), nature, span)
    elif isinstance(option, Step):
        made = replace(option, before=_round(option.before, nature), after=_round(option.after, nature))
        if nature.allows(made.before) and nature.allows(made.after) and made.before != made.after:
            yield made
    elif isinstance(option, Wave):
        if nature.allows(option.low) and nature.allows(option.high):
            yield option
        if nature.least or nature.high < option.high:
            yield Wave(nature.level * 0.5, nature.level, option.period)
    elif isinstance(option, Lost):
        yield Lost(nature.level, option.since)
    elif not isinstance(option, Sawtooth):
        yield option


def _whole(option: Gauge, nature: Nature) -> Gauge:
    return option if option.slope else Gauge(_round(option.value, nature))


def _round(value: float, nature: Nature) -> float:
    return float(round(value)) if nature.whole and math.isfinite(value) else value


def _line(option: Gauge, nature: Nature, span: Span) -> Iterator[Option]:
    """A level, or a slope that does not leave what is possible from the first sample to the end of the burn."""
    if not option.slope:
        if nature.allows(option.value):
            yield option
        return
    lowest = min(-option.slope * span.before, option.slope * span.after, 0.0)
    highest = max(-option.slope * span.before, option.slope * span.after, 0.0)
    if option.value + highest > nature.high:
        return
    if option.value + lowest >= nature.low:
        yield option
    elif nature.low - lowest + highest <= nature.high:
        yield replace(option, value=nature.low - lowest)


def start(nature: Nature, kind: str, span: Span) -> Option:
    """What a metric does as long as nothing else is asked of it."""
    if kind == "counter":
        return Counter(nature.level)
    if nature.unit:
        return Gauge(next(moments(nature, span)))
    return Gauge(nature.level)
