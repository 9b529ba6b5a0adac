"""A small evaluator for the search alone: how far an expression is from having a result. No verdict rests on it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Protocol

from pytest_sre.model.routing import Matcher
from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import arithmetic, holds
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.reach import record_step
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis import functions, vectors, windows
from pytest_sre.synthesis.element import Element, EvalError, Unsupported, Vector, nameless
from pytest_sre.synthesis.signals import Counter, Track
from pytest_sre.synthesis.windows import Ranged, Window

DEFAULT_STEP = 60.0
ABSENT_OFF = 1.0


class Data(Protocol):
    """Where series are looked up."""

    def select(self, selector: VectorSelector) -> Iterable[Track]:
        """The series that a selector matches, absent ones too."""


class Evaluator:
    """One evaluation over fixed data. ``now`` is the run's start in seconds since the epoch."""

    def __init__(
        self, data: Data, rules: RuleIndex, now: float, lookback: float = 300.0, moment: float = 0.0
    ) -> None:
        """``moment`` is when it all is evaluated, in seconds after the run's start. Results of recording rules are kept, so use a new one whenever data change."""
        self.data = data
        self.rules = rules
        self.now = now
        self.lookback = lookback
        self.moment = moment
        # series and samples read so far: what a search may spend is counted in these, not in seconds
        self.recorded: dict[tuple[Rule, float], Vector] = {}
        self.windows = 0
        self.open: set[Rule] = set()
        self.work = 0

    def vector(self, expr: Expr, time: float | None = None) -> Vector:
        """The instant vector of an expression. Raises Unsupported and EvalError."""
        found = self.evaluate(expr, self.moment if time is None else time)
        if isinstance(found, str):
            raise Unsupported("a string is no alert", to_text(expr))
        return [Element({}, found)] if isinstance(found, float) else found

    def evaluate(self, expr: Expr, time: float) -> Vector | float | str:
        """The value of an expression at a time relative to the run's start."""
        self.work += 1
        return _HANDLERS[type(expr)](self, expr, time)

    def scalar(self, expr: Expr, time: float) -> float:
        """A scalar parameter."""
        found = self.evaluate(expr, time)
        if not isinstance(found, float):
            raise Unsupported("a number is needed here", to_text(expr))
        return found

    def string(self, expr: Expr) -> str:
        """A string parameter."""
        if not isinstance(expr, String):
            raise Unsupported("a string is needed here", to_text(expr))
        return expr.value

    def _selector(self, expr: VectorSelector, time: float) -> Vector:
        end = self._moment(expr, time) - expr.offset
        if self.rules.records(expr):
            return self._recorded(expr, end)
        result: Vector = []
        for track in self.data.select(expr):
            if track.signal is None:
                result.append(Element(track.labels, 0.0, ABSENT_OFF, 0.0))
                continue
            low, high = track.window(end - self.lookback, end)
            if high > low:
                result.append(Element(track.labels, track.value(high - 1)))
        return result

    def _moment(self, expr: VectorSelector | Subquery, time: float) -> float:
        if isinstance(expr.at, float):
            raise Unsupported("looks at a fixed point in time", to_text(expr))
        return self.moment if expr.at is not None else time

    def _recorded(self, expr: VectorSelector, time: float) -> Vector:
        result: Vector = []
        seen: set[tuple[tuple[str, str], ...]] = set()
        for rule in self.rules.behind(expr):
            for element in self._rule(rule, time):
                if all(matcher.matches(element.labels) for matcher in expr.matchers):
                    key = tuple(sorted(element.labels.items()))
                    if element.off or key not in seen:
                        result.append(element)
                        seen.add(key)
        return result

    def _rule(self, rule: Rule, time: float) -> Vector:
        """What a recording rule writes at a time; a rule that fails writes nothing."""
        known = self.recorded.get((rule, time))
        if known is not None:
            return known
        if rule in self.open:
            return []
        self.open.add(rule)
        try:
            result = [_relabelled(element, rule) for element in self.vector(parse(rule.expr), time)]
            there = [tuple(sorted(element.labels.items())) for element in result if not element.off]
            if len(set(there)) < len(there):
                result = []
        except (EvalError, PromqlError):
            result = []
        finally:
            self.open.discard(rule)
        self.recorded[rule, time] = result
        return result

    def ranges(self, expr: Expr, time: float) -> Ranged:
        """The series in a range."""
        if isinstance(expr, Subquery):
            return self._subquery(expr, time)
        if not isinstance(expr, MatrixSelector):
            raise Unsupported("a range is needed here", to_text(expr))
        selector = expr.selector
        end = self._moment(selector, time) - selector.offset
        start = end - expr.range
        if self.rules.records(selector):
            return self._recorded_range(selector, start, end)
        result = Ranged([], [])
        for track in self.data.select(selector):
            if track.signal is None:
                result.ghosts.append(Element(track.labels, 0.0, ABSENT_OFF, 0.0))
                continue
            low, high = track.window(start, end)
            if high > low:
                points = [(track.times[i], track.value(i)) for i in range(low, high)]
                self.work += len(points) // 10
                result.found.append(Window(track.labels, points, start, end))
        return result

    def _subquery(self, expr: Subquery, time: float) -> Ranged:
        """Steps are multiples of the step since the epoch, as Prometheus has them."""
        end = self._moment(expr, time) - expr.offset
        start = end - expr.range
        times, weight = self._thinned(start, end, expr.step or DEFAULT_STEP, self.now)
        return self._gathered(lambda at: self.vector(expr.expr, at), times, (start, end), weight)

    def _recorded_range(self, selector: VectorSelector, start: float, end: float) -> Ranged:
        """A rule was evaluated at multiples of a step before the run, and is every second in it."""
        interval = max(map(self.rules.interval, self.rules.behind(selector)))
        step = record_step(interval, end - start, end - start)
        times, weight = self._thinned(start, min(end, 0.0), step, 0.0)
        if end > 0:
            times += self._thinned(max(start, 0.0), end, max(1.0, weight), 0.0)[0]
        span = (start, end)
        return self._gathered(lambda at: self._recorded(selector, at), times or [end], span, weight)

    def _thinned(self, start: float, end: float, step: float, origin: float) -> tuple[list[float], float]:
        limit = windows.LIMITS[min(self.windows, len(windows.LIMITS) - 1)]
        times, weight = windows.moments(start + origin, end + origin, step, limit)
        return [at - origin for at in times], weight

    def _gathered(
        self,
        evaluate: Callable[[float], Vector],
        times: list[float],
        span: tuple[float, float],
        weight: float,
    ) -> Ranged:
        self.windows += 1
        try:
            return windows.gather(evaluate, times, span, weight)
        finally:
            self.windows -= 1

    def _call(self, expr: Call, time: float) -> Vector | float | str:
        name = expr.name
        argument = expr.args[0] if expr.args else None
        recorded = isinstance(argument, MatrixSelector) and self.rules.records(argument.selector)
        if name in ("rate", "increase") and isinstance(argument, MatrixSelector) and not recorded:
            return self._rate(expr, argument, time)
        if name in functions.RANGE_FUNCTIONS:
            return self._over_range(expr, expr.args[0], functions.RANGE_FUNCTIONS[name], time)
        handler = _CALLS.get(name)
        if handler is None and name not in functions.VALUE_FUNCTIONS:
            raise Unsupported(f"{name}() is not supported yet", to_text(expr))
        try:
            if handler is not None:
                return handler(self, expr, time)
            return self._map(expr, time, functions.VALUE_FUNCTIONS[name])
        except ArithmeticError as error:
            raise EvalError(f"{name}(): {error}") from None

    def _map(self, expr: Call, time: float, function: Callable[[float], float]) -> Vector:
        return [
            Element(nameless(e.labels), function(e.value), e.off, e.gone, e.bad)
            for e in self.vector(expr.args[0], time)
        ]

    def _rate(self, expr: Call, matrix: MatrixSelector, time: float) -> Vector:
        """`rate` and `increase` of smooth counters from two samples each, which is most of all the work."""
        selector = matrix.selector
        end = self._moment(selector, time) - selector.offset
        start, per_second = end - matrix.range, expr.name == "rate"
        result: Vector = []
        for track in self.data.select(selector):
            self.work += 1
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

    def _over_range(
        self, expr: Call, argument: Expr, function: functions.RangeFunction, time: float
    ) -> Vector:
        ranged = self.ranges(argument, time)
        result = [element._replace(labels=nameless(element.labels)) for element in ranged.ghosts]
        for labels, points, start, end, weight in ranged.found:
            value = function(points, start, end)
            if value is not None:
                value *= weight if expr.name in functions.COUNTING else 1.0
                kept = labels if expr.name in functions.KEEPS_NAME else nameless(labels)
                result.append(Element(kept, value, 0.0, 1.0, not math.isfinite(value)))
        return result

    def _absent(self, expr: Call, time: float) -> Vector:
        argument = expr.args[0]
        if expr.name == "absent_over_time":
            ranged = self.ranges(argument, time)
            found = [*(Element(window.labels, 1.0) for window in ranged.found), *ranged.ghosts]
        else:
            found = self.vector(argument, time)
        inner = argument.selector if isinstance(argument, MatrixSelector) else argument
        matchers: tuple[Matcher, ...] = inner.matchers if isinstance(inner, VectorSelector) else ()
        labels: dict[str, str] = {}
        for matcher in matchers:
            if matcher.op == "=" and sum(other.label == matcher.label for other in matchers) == 1:
                labels[matcher.label] = matcher.value
        in_the_way = sum(element.gone for element in found if not element.off)
        ghosts = min((element.off for element in found), default=1.0)
        return [Element({k: v for k, v in labels.items() if v}, 1.0, in_the_way, ghosts)]

    def _binary(self, expr: Binary, time: float) -> Vector | float:
        lhs, rhs = self.evaluate(expr.lhs, time), self.evaluate(expr.rhs, time)
        if isinstance(lhs, str) or isinstance(rhs, str):
            raise Unsupported("strings cannot be combined", to_text(expr))
        if isinstance(lhs, float) and isinstance(rhs, float):
            compare = expr.op in vectors.COMPARISONS
            return float(holds(expr.op, lhs, rhs)) if compare else arithmetic(expr.op, lhs, rhs)
        if isinstance(rhs, float):
            return vectors.with_scalar(expr, lhs if isinstance(lhs, list) else [], rhs, False)
        if isinstance(lhs, float):
            return vectors.with_scalar(expr, rhs, lhs, True)
        if expr.op in ("and", "or", "unless"):
            return vectors.set_operation(expr, lhs, rhs)
        return vectors.between(expr, lhs, rhs)

    def _aggregate(self, expr: Aggregate, time: float) -> Vector:
        param: float | str = 0.0
        if expr.param is not None:
            param = self.string(expr.param) if expr.op == "count_values" else self.scalar(expr.param, time)
        return vectors.aggregate(expr, self.vector(expr.expr, time), param)

    def _unary(self, expr: Unary, time: float) -> Vector | float:
        found = self.evaluate(expr.expr, time)
        if isinstance(found, float):
            return -found
        if isinstance(found, str):
            raise Unsupported("a string has no sign", to_text(expr))
        return [e._replace(labels=nameless(e.labels), value=-e.value) for e in found]

    def _scalar(self, expr: Call, time: float) -> float:
        found = [element for element in self.vector(expr.args[0], time) if not element.off]
        return found[0].value if len(found) == 1 else math.nan

    def _timestamp(self, expr: Call, time: float) -> Vector:
        argument = expr.args[0]
        if not isinstance(argument, VectorSelector) or self.rules.records(argument):
            return self._map(expr, time, lambda _: self.now + time)
        end = self._moment(argument, time) - argument.offset
        result: Vector = []
        for track in self.data.select(argument):
            if track.signal is None:
                result.append(Element(nameless(track.labels), self.now, ABSENT_OFF, 0.0))
                continue
            low, high = track.window(end - self.lookback, end)
            if high > low:
                result.append(Element(nameless(track.labels), self.now + track.times[high - 1]))
        return result

    def _replaced(self, expr: Call, time: float) -> Vector:
        target, replacement, source, pattern = (self.string(arg) for arg in expr.args[1:5])
        result: Vector = []
        for element in self.vector(expr.args[0], time):
            value = _replacement(pattern, replacement, element.labels.get(source, ""))
            labels = element.labels if value is None else {**element.labels, target: value}
            if value == "":
                labels = {key: kept for key, kept in labels.items() if key != target}
            result.append(element._replace(labels=labels))
        there = [tuple(sorted(element.labels.items())) for element in result if not element.off]
        if len(set(there)) < len(there):
            raise EvalError("label_replace: several series with the same labels")
        return result

    def _joined(self, expr: Call, time: float) -> Vector:
        target, separator, *sources = (self.string(arg) for arg in expr.args[1:])
        return [
            e._replace(labels={**e.labels, target: separator.join(e.labels.get(s, "") for s in sources)})
            for e in self.vector(expr.args[0], time)
        ]

    def _clamp(self, expr: Call, time: float) -> Vector:
        bounds = [self.scalar(arg, time) for arg in expr.args[1:]]
        return self._map(expr, time, lambda value: functions.clamp(expr.name, value, bounds))

    def _round(self, expr: Call, time: float) -> Vector:
        to = self.scalar(expr.args[1], time) if len(expr.args) > 1 else 1.0
        return self._map(expr, time, lambda value: functions.rounded(value, to))

    def _predict(self, expr: Call, time: float) -> Vector:
        ahead = self.scalar(expr.args[1], time)

        def predicted(points: functions.Points, start: float, end: float) -> float | None:
            line = functions.regression(points, time)
            return line[0] * ahead + line[1] if line else None

        return self._over_range(expr, expr.args[0], predicted, time)

    def _quantile_over_time(self, expr: Call, time: float) -> Vector:
        q = self.scalar(expr.args[0], time)
        return self._over_range(expr, expr.args[1], lambda p, s, e: functions.over_time_quantile(q, p), time)

    def _histogram_quantile(self, expr: Call, time: float) -> Vector:
        return functions.histogram_quantile(self.scalar(expr.args[0], time), self.vector(expr.args[1], time))


@lru_cache(maxsize=10_000)
def _replacement(pattern: str, replacement: str, value: str) -> str | None:
    """What `label_replace` writes; None where the pattern does not match."""
    try:
        match = re.fullmatch(pattern, value)
        template = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", replacement.replace("\\", "\\\\"))
        return match.expand(template) if match else None
    except (re.error, IndexError):
        return ""


def _relabelled(element: Element, rule: Rule) -> Element:
    labels = {**element.labels, **rule.labels, "__name__": rule.name}
    return element._replace(labels={key: value for key, value in labels.items() if value})


_HANDLERS: dict[type, Callable[[Evaluator, Expr, float], Vector | float | str]] = {
    Number: lambda self, expr, time: expr.value,  # type: ignore[union-attr]
    String: lambda self, expr, time: expr.value,  # type: ignore[union-attr]
    VectorSelector: Evaluator._selector,  # type: ignore[dict-item]
    Call: Evaluator._call,  # type: ignore[dict-item]
    Aggregate: Evaluator._aggregate,  # type: ignore[dict-item]
    Binary: Evaluator._binary,  # type: ignore[dict-item]
    Unary: Evaluator._unary,  # type: ignore[dict-item]
}
_CALLS: dict[str, Callable[[Evaluator, Call, float], Vector | float | str]] = {
    "absent": Evaluator._absent,
    "absent_over_time": Evaluator._absent,
    "clamp": Evaluator._clamp,
    "clamp_max": Evaluator._clamp,
    "clamp_min": Evaluator._clamp,
    "histogram_quantile": Evaluator._histogram_quantile,
    "label_join": Evaluator._joined,
    "label_replace": Evaluator._replaced,
    "predict_linear": Evaluator._predict,
    "quantile_over_time": Evaluator._quantile_over_time,
    "round": Evaluator._round,
    "scalar": Evaluator._scalar,
    "sort": lambda self, expr, time: self.vector(expr.args[0], time),
    "sort_desc": lambda self, expr, time: self.vector(expr.args[0], time),
    "time": lambda self, expr, time: self.now + time,
    "timestamp": Evaluator._timestamp,
    "vector": lambda self, expr, time: [Element({}, self.scalar(expr.args[0], time))],
}
