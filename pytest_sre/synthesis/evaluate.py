"""A small evaluator for the search alone: how far an expression is from having a result. No verdict rests on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    COMPARISONS,
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
from pytest_sre.promql.resolve import ALERTS, RuleIndex
from pytest_sre.synthesis import calls, vectors, windows
from pytest_sre.synthesis.element import ABSENT_OFF, Element, EvalError, Unsupported, Vector, nameless
from pytest_sre.synthesis.signals import Track
from pytest_sre.synthesis.windows import Ranged, Window

DEFAULT_STEP = 60.0
_CHEAP = 8
"""Series that cost as much as one expression."""


class Data(Protocol):
    """Where series are looked up."""

    def select(self, selector: VectorSelector) -> Sequence[Track]:
        """The series that a selector matches, absent ones too."""


class Evaluator:
    """One evaluation over fixed data. ``now`` is the run's start in seconds since the epoch."""

    def __init__(
        self, data: Data, rules: RuleIndex, now: float, lookback: float = 300.0, moment: float = 0.0
    ) -> None:
        """``moment`` is when it all is evaluated, in seconds after the run's start. Results of recording rules are kept, so use a new one whenever data change."""
        self.data = data
        self.rules = rules
        self.now: float = now
        self.lookback = lookback
        self.moment = moment
        # series and samples read so far: what a search may spend is counted in these, not in seconds
        # where several rules record the same series, the first one's value counts, or the last one's
        self.last_wins = False
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
        end = self.at(expr, time) - expr.offset
        if self.rules.records(expr):
            return self._recorded(expr, end)
        result: Vector = []
        tracks = self.data.select(expr)
        self.work += len(tracks) // _CHEAP
        for track in tracks:
            if track.signal is None:
                result.append(Element(track.labels, 0.0, ABSENT_OFF, 0.0))
                continue
            low, high = track.window(end - self.lookback, end)
            if high > low:
                result.append(Element(track.labels, track.value(high - 1)))
        return result

    def at(self, expr: VectorSelector | Subquery, time: float) -> float:
        """When something is read that is evaluated at a time, before its offset."""
        if isinstance(expr.at, float):
            raise Unsupported("looks at a fixed point in time", to_text(expr))
        return self.moment if expr.at is not None else time

    def _recorded(self, expr: VectorSelector, time: float) -> Vector:
        result: Vector = []
        seen: set[tuple[tuple[str, str], ...]] = set()
        behind = self.rules.behind(expr)
        for rule in reversed(behind) if self.last_wins else behind:
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
        end = self.at(selector, time) - selector.offset
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
        end = self.at(expr, time) - expr.offset
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

    def _binary(self, expr: Binary, time: float) -> Vector | float:
        lhs, rhs = self.evaluate(expr.lhs, time), self.evaluate(expr.rhs, time)
        if isinstance(lhs, str) or isinstance(rhs, str):
            raise Unsupported("strings cannot be combined", to_text(expr))
        if isinstance(lhs, float) and isinstance(rhs, float):
            compare = expr.op in COMPARISONS
            return float(holds(expr.op, lhs, rhs)) if compare else arithmetic(expr.op, lhs, rhs)
        if isinstance(rhs, float):
            return vectors.with_scalar(expr, lhs if isinstance(lhs, list) else [], rhs, False)
        if isinstance(lhs, float):
            return vectors.with_scalar(expr, rhs, lhs, True)
        if expr.op in ("and", "or", "unless"):
            return vectors.set_operation(expr, lhs, rhs)
        return vectors.between(expr, lhs, rhs)

    def _aggregate(self, expr: Aggregate, time: float) -> Vector:
        if expr.op == "limit_ratio":
            raise Unsupported("limit_ratio() chooses series by a hash of their labels", to_text(expr))
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


def _relabelled(element: Element, rule: Rule) -> Element:
    """What a rule writes for an element; labels made by an alert's templates are not known, and left out."""
    if rule.kind == "alert":
        own = {key: value for key, value in rule.labels.items() if "{{" not in value}
        own |= {"__name__": ALERTS, "alertname": rule.name, "alertstate": "firing"}
        labels = {**element.labels, **own}
        return Element({k: v for k, v in labels.items() if v}, 1.0, element.off, element.gone, element.bad)
    labels = {**element.labels, **rule.labels, "__name__": rule.name}
    return element._replace(labels={key: value for key, value in labels.items() if value})


_HANDLERS: dict[type, Callable[[Evaluator, Expr, float], Vector | float | str]] = {
    Number: lambda self, expr, time: expr.value,  # type: ignore[union-attr]
    String: lambda self, expr, time: expr.value,  # type: ignore[union-attr]
    VectorSelector: Evaluator._selector,  # type: ignore[dict-item]
    Call: calls.call,  # type: ignore[dict-item]
    Aggregate: Evaluator._aggregate,  # type: ignore[dict-item]
    Binary: Evaluator._binary,  # type: ignore[dict-item]
    Unary: Evaluator._unary,  # type: ignore[dict-item]
}
