"""Which labels the result of an expression can have: what an aggregation drops is gone for whoever reads on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    CHOOSING,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold, is_scalar
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex

_BARE = frozenset({"vector", "time", "scalar", "pi"})
_ABSENT = frozenset({"absent", "absent_over_time"})


@dataclass(frozen=True, slots=True)
class Carried:
    """Labels that series may have: just ``names``, or where it is ``open`` any but these."""

    names: frozenset[str] = frozenset()
    open: bool = False

    def may(self, label: str) -> bool:
        """Whether series may have a label."""
        return (label in self.names) != self.open

    def plus(self, labels: Iterable[str]) -> Carried:
        """With these labels too."""
        more = frozenset(labels)
        return Carried(self.names - more if self.open else self.names | more, self.open)

    def minus(self, labels: Iterable[str]) -> Carried:
        """Without these labels."""
        less = frozenset(labels)
        return Carried(self.names | less if self.open else self.names - less, self.open)

    def kept(self, labels: Iterable[str]) -> Carried:
        """With nothing but these labels."""
        return Carried(frozenset(label for label in labels if self.may(label)))

    def union(self, other: Carried) -> Carried:
        """What either may have."""
        if self.open and other.open:
            return Carried(self.names & other.names, True)
        return other.plus(self.names) if other.open else self.plus(other.names)


ANY = Carried(open=True)
"""What series may have of which nothing is known."""


class Labels:
    """What each part of an alert's expression, recording rules resolved, may carry; ``raw`` says it of selectors."""

    def __init__(self, rules: RuleIndex, raw: Callable[[VectorSelector], Carried] = lambda _: ANY) -> None:
        """Without ``raw`` series may have any labels."""
        self._rules, self._raw = rules, raw
        self._open: list[Rule] = []
        self._known: dict[Rule, Carried] = {}

    def of(self, expr: Expr) -> Carried:
        """The labels that elements of an expression may have; those of a scalar are none."""
        if isinstance(expr, VectorSelector):
            return self._selected(expr)
        if isinstance(expr, MatrixSelector):
            return self._selected(expr.selector)
        if isinstance(expr, (Subquery, Unary)):
            return self.of(expr.expr)
        if isinstance(expr, Call):
            return self._call(expr)
        if isinstance(expr, Aggregate):
            return self._aggregate(expr)
        return self._binary(expr) if isinstance(expr, Binary) else Carried()

    def _selected(self, selector: VectorSelector) -> Carried:
        behind = self._rules.behind(selector)
        if not behind:
            return self._raw(selector)
        found = Carried()
        for rule in behind:
            found = found.union(self._recorded(rule))
        return found

    def _recorded(self, rule: Rule) -> Carried:
        if rule in self._known:
            return self._known[rule]
        if rule in self._open:
            # What needs itself gets its labels from elsewhere; of longer circles nothing is said.
            return Carried() if rule is self._open[-1] else ANY
        self._open.append(rule)
        try:
            found = self.of(parse(rule.expr)).plus(rule.labels)
        except PromqlError:
            found = ANY
        self._open.pop()
        self._known[rule] = found
        return found

    def _call(self, expr: Call) -> Carried:
        if expr.name in _BARE:
            return Carried()
        if expr.name in _ABSENT:
            return Carried(frozenset(_equal(expr.args[0])))
        vectors = [argument for argument in expr.args if not isinstance(argument, String)]
        # The vector is the last argument that is not a number: histogram_quantile(0.9, x), clamp_max(x, 1).
        vector = next((one for one in reversed(vectors) if fold(one) is None), None)
        carried = self.of(vector) if vector is not None else Carried()
        if expr.name == "histogram_quantile":
            return carried.minus(["le"])
        if expr.name in ("label_replace", "label_join") and isinstance(expr.args[1], String):
            return carried.plus([expr.args[1].value])
        return carried

    def _aggregate(self, expr: Aggregate) -> Carried:
        inner = self.of(expr.expr)
        if expr.op in CHOOSING:
            return inner
        found = inner.minus(expr.labels) if expr.without else inner.kept(expr.labels)
        made = [expr.param.value] if expr.op == "count_values" and isinstance(expr.param, String) else []
        return found.plus(made)

    def _binary(self, expr: Binary) -> Carried:
        left, right = self.of(expr.lhs), self.of(expr.rhs)
        if is_scalar(expr.lhs) or is_scalar(expr.rhs):
            return right if is_scalar(expr.lhs) else left
        if expr.op in ("and", "unless"):
            return left
        if expr.op == "or":
            return left.union(right)
        matching = expr.matching
        if matching.group:
            many = left if matching.group == "left" else right
            return many.plus(matching.include)
        return left.kept(matching.on) if matching.on is not None else left.minus(matching.ignoring)


def _equal(expr: Expr) -> Iterable[str]:
    """Labels that `absent` takes over: those that the selector sets equal to something."""
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if isinstance(selector, VectorSelector):
        yield from (matcher.label for matcher in selector.matchers if matcher.op == "=" and matcher.value)
