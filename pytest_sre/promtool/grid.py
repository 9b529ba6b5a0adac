"""How often an exported scenario is sampled and evaluated: seldom, for promtool evaluates every rule each time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_sre.promql.ast import MatrixSelector, Subquery, walk
from pytest_sre.synthesis.shape import Shape
from pytest_sre.timemachine import timeline
from pytest_sre.timemachine.question import Question

TICKS = 100
"""So many evaluations are enough for a scenario; small windows may need more."""
IN_WINDOW = 4
"""Samples, or evaluations of a recording rule, in the smallest window, at least."""
FEW = 4
"""So many evaluations more than needed lie before the onset, in the burn and after it."""
LOOKBACK = 240.0
"""Seconds: what is read where no sample or evaluation need lie must be that dense (the lookback is 5 minutes)."""
_COARSEST = 3600.0
_SIZES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)
_FACTORS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)


@dataclass(frozen=True, slots=True)
class Grid:
    """Seconds between samples, and between evaluations: a multiple of it."""

    interval: float
    evaluation: float


def grid(questions: Sequence[Question], late: bool) -> Grid:
    """The grid of one alert's scenarios; ``late`` says that a rule reads what is only recorded after it.

    The interval divides no window. Prometheus 3 leaves out the sample at a window's left edge, which older versions
    count: where no sample lies there, all of them see the same.
    """
    shape = questions[0].contrast.shape
    interval = interval_for(min(map(_densest, questions)), [node.range for node in _windows(shape)])
    span = max(one.history + one.burn + one.recovery + rule_time(one) for one in questions)
    most = max(interval, _rarest(shape, late))
    wanted = min(most, max(interval, span / TICKS))
    factor = max(one for one in _FACTORS if one * interval <= wanted)
    return Grid(interval, interval * factor)


def stretched(question: Question, on: Grid, depth: int) -> Question:
    """The scenario on a grid: what it waits for takes longer, by ``depth`` recording rules one behind the other."""
    more = (depth + FEW) * on.evaluation
    whole = on.evaluation

    def up(seconds: float) -> float:
        return math.ceil((seconds + more) / whole - 1e-9) * whole if seconds else 0.0

    return replace(
        question,
        history=up(question.history + rule_time(question)),
        burn=up(question.burn),
        recovery=up(question.recovery),
        step=on.interval,
    )


def rule_time(question: Question) -> float:
    """Seconds of history that its rule alone asks for: times in gauges must not lie before promtool's time 0."""
    return (
        question.rule.hold
        + question.rule.keep_firing_for
        + timeline.oldest(question.behaviours, question.now)
    )


def _densest(question: Question) -> float:
    """Seconds between samples, at most."""
    shape = question.contrast.shape
    limits = [_COARSEST, *(read.range / IN_WINDOW for read in shape.reads if read.range)]
    if shape.functions & {"offset", "subquery"}:
        limits.append(LOOKBACK)
    if not any(read.range for read in shape.reads):
        limits.append(60.0)
    if not shape.functions <= timeline.RATES:
        limits.append(question.step)
    return min(limits)


def _rarest(shape: Shape, late: bool) -> float:
    """Seconds between evaluations, at most."""
    return min(
        [_COARSEST, *([LOOKBACK] if late else []), *(window / IN_WINDOW for window in _recorded(shape))]
    )


def _recorded(shape: Shape) -> Iterator[float]:
    """Windows over recorded series and subqueries: what they hold is made by evaluations."""
    recorded = {selector for selector, _ in shape.recorded}
    for node in _windows(shape):
        if isinstance(node, Subquery) or node.selector in recorded:
            yield node.range


def _windows(shape: Shape) -> Iterator[MatrixSelector | Subquery]:
    for expr in shape.exprs:
        for node in walk(expr):
            if isinstance(node, (MatrixSelector, Subquery)):
                yield node


def interval_for(limit: float, windows: Iterable[float]) -> float:
    """A round number of seconds, at most ``limit``, that divides no window; else one with a factor few windows have."""
    kept = list(windows)
    for prime in (1, 7, 11, 13):
        fits = [
            float(size * prime)
            for size in _SIZES
            if size * prime <= limit and all(window % (size * prime) for window in kept)
        ]
        if fits and max(fits) * 3 > limit:
            return max(fits)
    return max(1.0, math.floor(limit))
