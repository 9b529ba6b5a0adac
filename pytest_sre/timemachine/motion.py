"""Scenarios in which values move, around the threshold and above it: does an alert keep its state and its labels?

All times in seconds, relative to the onset unless said otherwise.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, AlertHistory, Passage
from pytest_sre.promql.ast import Aggregate, walk
from pytest_sre.synthesis.contrast import Behaviour, Contrast
from pytest_sre.synthesis.mixture import FLAG, mix
from pytest_sre.synthesis.signals import Gauge, Signal
from pytest_sre.timemachine.labels import by_value
from pytest_sre.timemachine.question import Asker, Question, question
from pytest_sre.timemachine.ranked import rivals, shown
from pytest_sre.timemachine.states import Labeller

HOUR = 3600.0
UNIT = 60.0
"""A value that hovers stays on one side of the threshold for at least so long: some scrapes."""
LONGEST = 3
"""... and for at most so many times as long."""
_PERIOD, _UPPER = 27, 18
"""Of so many units it is mostly above the threshold for the first ones, and mostly below it for the rest.

So a longer window has a value clearly on one side; it would tremble on the threshold if both sides took the same time.
"""
_FARTHEST = 86400.0
"""What lasts some minutes does not move windows that are longer than this."""
_EVALUATIONS = 10
_BETWEEN, _BELOW = 0.75, 0.97


def motions(asker: Asker, rule: Rule, contrast: Contrast) -> Iterator[Question]:
    """What is asked of an alert; nothing where `for` holds its state and its labels are fixed."""
    if not rule.hold and not rule.keep_firing_for and _hovers(contrast):
        asked = question(asker, rule, contrast, contrast.behaviours, "hover", "around the threshold")
        unit = max(1, math.ceil(UNIT / asked.interval)) * asked.interval
        yield _turning(asked, unit, LONGEST, HOUR)
    count = shown(contrast.shape.expr)
    if contrast.near_reason != FLAG and (count or by_value(rule) or _counts_values(contrast)):
        behaviours = rivals([_restless(one) for one in contrast.behaviours], count)
        asked = question(asker, rule, contrast, behaviours, "moving", "values that move while it burns")
        yield _turning(asked, asked.interval, 1, min(rule.hold, HOUR) + _EVALUATIONS * asked.interval)


def _hovers(contrast: Contrast) -> bool:
    """Whether its values may go up and down around its threshold, within its reach."""
    reach = max((read.reach for read in contrast.shape.reads), default=0.0)
    return reach <= _FARTHEST and any(
        one.over is not None and one.over != one.near for one in contrast.behaviours
    )


def _counts_values(contrast: Contrast) -> bool:
    """Whether a label of some result is made from values."""
    return any(
        isinstance(node, Aggregate) and node.op == "count_values"
        for expr in contrast.shape.exprs
        for node in walk(expr)
    )


def _turning(asked: Question, unit: float, longest: int, lasting: float) -> Question:
    """The question with values that turn after 1 to ``longest`` units; all windows are full of that from the onset on."""
    end = math.ceil(lasting / asked.grid) * asked.grid
    at = -math.ceil(asked.history / unit) * unit
    chance, turns = random.Random(1), []
    while at < end:
        turns.append(at)
        mostly = len(turns) % 2 == (at % (_PERIOD * unit) < _UPPER * unit)
        at += unit * (1 + int(longest * chance.random()) if mostly else 1)
    step = unit / math.ceil(unit / asked.step)
    history = asked.history + 2 * unit
    return replace(asked, quiet=0.0, burn=end, history=history, step=step, fine=step, turns=tuple(turns))


def _restless(one: Behaviour) -> Behaviour:
    """A series that goes to and fro between two values, both beyond the threshold."""
    above = one.over is not None and one.over != one.near
    high = one.over if above else one.burning
    if high is None or one.healthy == one.burning:
        return replace(one, near=high, over=high)
    return replace(one, near=_nearer(one, high, above), over=high)


def _nearer(one: Behaviour, high: Signal, above: bool) -> Signal:
    """A value somewhat nearer to the threshold."""
    if above and one.near is not None:
        return mix(one.near, high, _BETWEEN) or high
    if one.healthy is not None:
        return mix(one.healthy, high, _BELOW) or high
    return Gauge(_BELOW * high.value, high.slope) if isinstance(high, Gauge) else high


def read(
    asked: Question, onset: float, history: AlertHistory, activity: Activity, labels: Labeller
) -> Passage:
    """How often an alert began to fire, and the names that one and the same thing had while values moved."""
    ticks = activity.ticks
    fired = Counter(one.labels for one in history.periods if one.fired_at is not None)
    lasted = [(ticks[-1] if one.ended is None else one.ended) - one.active_at for one in history.periods]
    return Passage(
        asked.kind,
        asked.name,
        ticks[0] - onset,
        ticks[-1] - onset,
        asked.interval,
        error=next(iter(history.errors.values()), ""),
        firings=max(fired.values(), default=0),
        faces=_faces(activity, labels) if asked.kind == "moving" else (),
        lasted=max(lasted, default=0.0),
    )


def _faces(activity: Activity, labels: Labeller) -> tuple[Labels, ...]:
    """The labels of alerts that replace each other although the expression always holds."""
    for row in activity.rows:
        named = dict.fromkeys(labels(row.labels, value) for value in row.values)
        if len(named) > 1:
            return tuple(named)
    present: dict[float, list[Labels]] = {}
    for row in activity.rows:
        for time, value in zip(row.times, row.values, strict=True):
            present.setdefault(time, []).append(labels(row.labels, value))
    if len(present) < len(activity.ticks):
        return ()
    sets = [tuple(sorted(present[tick])) for tick in sorted(present)]
    turns = [one for one, _ in groupby(sets)]
    return tuple(dict.fromkeys(one[0] for one in turns)) if len(turns) > 1 else ()
