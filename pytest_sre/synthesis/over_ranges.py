"""Functions of ranges: rates, and what is computed of all samples in a window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pytest_sre.promql.ast import Call, Expr, MatrixSelector
from pytest_sre.synthesis import functions
from pytest_sre.synthesis.element import ABSENT_OFF, Element, Vector, nameless
from pytest_sre.synthesis.signals import Counter

if TYPE_CHECKING:
    from pytest_sre.synthesis.evaluate import Evaluator


def rate(evaluator: Evaluator, expr: Call, matrix: MatrixSelector, time: float) -> Vector:
    """`rate` and `increase` of smooth counters from two samples each, which is most of all the work."""
    selector = matrix.selector
    end = evaluator.at(selector, time) - selector.offset
    start, per_second = end - matrix.range, expr.name == "rate"
    result: Vector = []
    for track in evaluator.data.select(selector):
        evaluator.work += 1
        signal = track.signal
        if signal is None:
            result.append(Element(nameless(track.labels), 0.0, ABSENT_OFF, 0.0))
            continue
        low, high = track.window(start, end)
        if high - low < 2:
            continue
        if type(signal) is Counter:
            first = track.value(low)
            ends = (track.times[low], track.times[high - 1])
            change = track.value(high - 1) - first
            value = functions.extrapolate(ends, first, change, high - low, (start, end), True, per_second)
        else:
            points = [(track.times[i], track.value(i)) for i in range(low, high)]
            value = functions.extrapolated(points, start, end, True, per_second) or 0.0
        result.append(Element(nameless(track.labels), value))
    return result


def over_range(
    evaluator: Evaluator, expr: Call, argument: Expr, function: functions.RangeFunction, time: float
) -> Vector:
    """A function of the samples of each series in a range."""
    ranged = evaluator.ranges(argument, time)
    result = [element._replace(labels=nameless(element.labels)) for element in ranged.ghosts]
    for labels, points, start, end, weight in ranged.found:
        value = function(points, start, end)
        if value is not None:
            value *= weight if expr.name in functions.COUNTING else 1.0
            kept = labels if expr.name in functions.KEEPS_NAME else nameless(labels)
            result.append(Element(kept, value, 0.0, 1.0, not math.isfinite(value)))
    return result


def predict(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    """``predict_linear``."""
    ahead = evaluator.scalar(expr.args[1], time)

    def predicted(points: functions.Points, start: float, end: float) -> float | None:
        line = functions.regression(points, time)
        return line[0] * ahead + line[1] if line else None

    return over_range(evaluator, expr, expr.args[0], predicted, time)


def quantile_over_time(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    """``quantile_over_time``."""
    q = evaluator.scalar(expr.args[0], time)
    return over_range(evaluator, expr, expr.args[1], lambda p, s, e: functions.over_time_quantile(q, p), time)


def smoothing(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    """``double_exponential_smoothing`` (called ``holt_winters`` before 3.0)."""
    level, trend = (evaluator.scalar(argument, time) for argument in expr.args[1:3])
    return over_range(
        evaluator, expr, expr.args[0], lambda p, s, e: functions.smoothed(p, level, trend), time
    )


def stamps(evaluator: Evaluator, expr: Call, pick: functions.RangeFunction, time: float) -> Vector:
    """When the sample was taken that a function of a range is about, in seconds since the epoch."""
    return [
        element._replace(value=element.value if element.off else evaluator.now + element.value)
        for element in over_range(evaluator, expr, expr.args[0], pick, time)
    ]
