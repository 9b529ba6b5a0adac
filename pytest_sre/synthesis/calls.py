"""Function calls, as the search's evaluator has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from pytest_sre.promql.ast import Call, Matcher, MatrixSelector, VectorSelector
from pytest_sre.promql.printer import to_text
from pytest_sre.synthesis import calendar, functions, over_ranges
from pytest_sre.synthesis.element import ABSENT_OFF, Element, EvalError, Unsupported, Vector, nameless
from pytest_sre.synthesis.links import replaced

if TYPE_CHECKING:
    from pytest_sre.synthesis.evaluate import Evaluator


def call(evaluator: Evaluator, expr: Call, time: float) -> Vector | float | str:
    """The value of a function call. Raises Unsupported and EvalError."""
    name = expr.name
    argument = expr.args[0] if expr.args else None
    recorded = isinstance(argument, MatrixSelector) and evaluator.rules.records(argument.selector)
    if name in ("rate", "increase") and isinstance(argument, MatrixSelector) and not recorded:
        return over_ranges.rate(evaluator, expr, argument, time)
    if name in functions.RANGE_FUNCTIONS:
        return over_ranges.over_range(evaluator, expr, expr.args[0], functions.RANGE_FUNCTIONS[name], time)
    if name in functions.STAMPS:
        return over_ranges.stamps(evaluator, expr, functions.STAMPS[name], time)
    handler = _CALLS.get(name)
    if handler is None and name not in functions.VALUE_FUNCTIONS:
        raise Unsupported(f"{name}() is not supported yet", to_text(expr))
    try:
        if handler is not None:
            return handler(evaluator, expr, time)
        return _map(evaluator, expr, time, functions.VALUE_FUNCTIONS[name])
    except ArithmeticError as error:
        raise EvalError(f"{name}(): {error}") from None


def _map(evaluator: Evaluator, expr: Call, time: float, function: Callable[[float], float]) -> Vector:
    return [
        Element(nameless(e.labels), function(e.value), e.off, e.gone, e.bad)
        for e in evaluator.vector(expr.args[0], time)
    ]


def _absent(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    argument = expr.args[0]
    if expr.name == "absent_over_time":
        ranged = evaluator.ranges(argument, time)
        found = [*(Element(window.labels, 1.0) for window in ranged.found), *ranged.ghosts]
    else:
        found = evaluator.vector(argument, time)
    inner = argument.selector if isinstance(argument, MatrixSelector) else argument
    matchers: tuple[Matcher, ...] = inner.matchers if isinstance(inner, VectorSelector) else ()
    labels: dict[str, str] = {}
    for matcher in matchers:
        if matcher.op == "=" and sum(other.label == matcher.label for other in matchers) == 1:
            labels[matcher.label] = matcher.value
    in_the_way = sum(element.gone for element in found if not element.off)
    ghosts = min((element.off for element in found), default=1.0)
    return [Element({k: v for k, v in labels.items() if v}, 1.0, in_the_way, ghosts)]


def _scalar(evaluator: Evaluator, expr: Call, time: float) -> float:
    found = [element for element in evaluator.vector(expr.args[0], time) if not element.off]
    return found[0].value if len(found) == 1 else math.nan


def _timestamp(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    argument = expr.args[0]
    if not isinstance(argument, VectorSelector) or evaluator.rules.records(argument):
        return _map(evaluator, expr, time, lambda _: evaluator.now + time)
    end = evaluator.at(argument, time) - argument.offset
    result: Vector = []
    for track in evaluator.data.select(argument):
        if track.signal is None:
            result.append(Element(nameless(track.labels), evaluator.now, ABSENT_OFF, 0.0))
            continue
        low, high = track.window(end - evaluator.lookback, end)
        if high > low:
            result.append(Element(nameless(track.labels), evaluator.now + track.times[high - 1]))
    return result


def _replaced(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    target, replacement, source, pattern = (evaluator.string(arg) for arg in expr.args[1:5])
    result: Vector = []
    for element in evaluator.vector(expr.args[0], time):
        value = replaced(pattern, replacement, element.labels.get(source, ""))
        labels = element.labels if value is None else {**element.labels, target: value}
        if value == "":
            labels = {key: kept for key, kept in labels.items() if key != target}
        result.append(element._replace(labels=labels))
    there = [tuple(sorted(element.labels.items())) for element in result if not element.off]
    if len(set(there)) < len(there):
        raise EvalError("label_replace: several series with the same labels")
    return result


def _joined(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    target, separator, *sources = (evaluator.string(arg) for arg in expr.args[1:])
    return [
        e._replace(labels={**e.labels, target: separator.join(e.labels.get(s, "") for s in sources)})
        for e in evaluator.vector(expr.args[0], time)
    ]


def _clamp(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    bounds = [evaluator.scalar(arg, time) for arg in expr.args[1:]]
    return _map(evaluator, expr, time, lambda value: functions.clamp(expr.name, value, bounds))


def _round(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    to = evaluator.scalar(expr.args[1], time) if len(expr.args) > 1 else 1.0
    return _map(evaluator, expr, time, lambda value: functions.rounded(value, to))


def _histogram_quantile(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    return functions.histogram_quantile(
        evaluator.scalar(expr.args[0], time), evaluator.vector(expr.args[1], time)
    )


def _calendar(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    """``hour()`` and the like: of the clock, or of each value."""
    part = calendar.PARTS[expr.name]
    if not expr.args:
        return [Element({}, part(evaluator.now + time))]
    return _map(evaluator, expr, time, part)


def _unchanged(evaluator: Evaluator, expr: Call, time: float) -> Vector:
    return evaluator.vector(expr.args[0], time)


_CALLS: dict[str, Callable[[Evaluator, Call, float], Vector | float | str]] = {
    "absent": _absent,
    "absent_over_time": _absent,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "double_exponential_smoothing": over_ranges.smoothing,
    "holt_winters": over_ranges.smoothing,
    "histogram_quantile": _histogram_quantile,
    "info": _unchanged,  # labels of target_info alone
    "label_join": _joined,
    "label_replace": _replaced,
    "pi": lambda evaluator, expr, time: math.pi,
    "predict_linear": over_ranges.predict,
    "quantile_over_time": over_ranges.quantile_over_time,
    "round": _round,
    "scalar": _scalar,
    "sort": _unchanged,
    "sort_by_label": _unchanged,
    "sort_by_label_desc": _unchanged,
    "sort_desc": _unchanged,
    "time": lambda evaluator, expr, time: evaluator.now + time,
    "timestamp": _timestamp,
    "vector": lambda evaluator, expr, time: [Element({}, evaluator.scalar(expr.args[0], time))],
    **dict.fromkeys(calendar.PARTS, _calendar),
}
