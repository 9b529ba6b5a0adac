"""Interval analysis: alerts that no realistic data can ever fire. Where in doubt, anything is possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import number, to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.parts import is_share

Interval = tuple[float, float]
ANYTHING: Interval = (-math.inf, math.inf)
_POSITIVE = frozenset({
    "rate", "increase", "irate", "changes", "resets", "count_over_time", "stddev_over_time", "stdvar_over_time",
    "abs", "exp", "sqrt", "time", "timestamp",
})  # fmt: skip
_SAME_OVER_TIME = frozenset({"avg_over_time", "min_over_time", "max_over_time", "last_over_time"})
_TRANSPARENT = frozenset({
    "abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "label_replace", "label_join", "sort",
    "sort_desc", "exp", "ln", "log2", "log10", "sqrt", "sgn", "timestamp",
})  # fmt: skip
_KEEPING = frozenset({"label_replace", "label_join", "sort", "sort_desc"})
_COMPARISONS = frozenset({">", "<", ">=", "<=", "=="})
_EDGE = {">": "more than ", ">=": "at least ", "<": "less than ", "<=": "at most ", "==": "exactly "}


@dataclass(frozen=True, slots=True)
class Never:
    """Why a (sub-)expression can never have a result."""

    reason: str
    part: str


def impossible(expr: Expr, rules: RuleIndex) -> Never | None:
    """Why an expression can never have a result with realistic data; None where it may."""
    return _Bounds(rules).never(expr)


class _Bounds:
    def __init__(self, rules: RuleIndex) -> None:
        self.rules = rules
        self.open: set[Rule] = set()

    def never(self, expr: Expr) -> Never | None:
        """The first part without which there is no result, and which can have none."""
        if isinstance(expr, Binary):
            return self._never_binary(expr)
        if isinstance(expr, Aggregate):
            return self.never(expr.expr)
        if isinstance(expr, Unary):
            return self.never(expr.expr)
        if isinstance(expr, Call) and expr.name in _TRANSPARENT:
            return self.never(expr.args[0])
        if isinstance(expr, Call) and expr.name == "histogram_quantile":
            return self.never(expr.args[1])
        if isinstance(expr, VectorSelector):
            found = [self._never_in(rule) for rule in self.rules.behind(expr)]
            return found[0] if found and all(found) else None
        return None

    def _never_binary(self, expr: Binary) -> Never | None:
        left, right = self.never(expr.lhs), self.never(expr.rhs)
        if expr.op == "or":
            return left if left and right else None
        if expr.op == "unless":
            return left
        if left or right:
            return left or right
        if expr.op not in _COMPARISONS or expr.bool or (self._scalar(expr.lhs) and self._scalar(expr.rhs)):
            return None
        low, high = self.interval(expr.lhs), self.interval(expr.rhs)
        return Never(self._reason(expr, low, high), to_text(expr)) if _disjoint(expr.op, low, high) else None

    def _scalar(self, expr: Expr) -> bool:
        """Whether a comparison with this needs ``bool`` and drops nothing."""
        return fold(expr) is not None or (isinstance(expr, Call) and expr.name in ("time", "scalar"))

    def _never_in(self, rule: Rule) -> Never | None:
        """As `never`, for what a recording rule writes; a rule that needs itself may do anything."""
        if rule in self.open:
            return None
        self.open.add(rule)
        try:
            return self.never(parse(rule.expr))
        except PromqlError:
            return None
        finally:
            self.open.discard(rule)

    def _rule_interval(self, rule: Rule) -> Interval:
        if rule.kind == "alert":
            return (1.0, 1.0)
        if rule in self.open:
            return ANYTHING
        self.open.add(rule)
        try:
            return self.interval(parse(rule.expr))
        except PromqlError:
            return ANYTHING
        finally:
            self.open.discard(rule)

    def interval(self, expr: Expr) -> Interval:
        """Values that elements of an expression can have."""
        value = fold(expr)
        if value is not None:
            return (value, value)
        if isinstance(expr, VectorSelector):
            return self._selected(expr)
        if isinstance(expr, MatrixSelector):
            return self._selected(expr.selector)
        if isinstance(expr, Subquery):
            return self.interval(expr.expr)
        if isinstance(expr, Unary):
            low, high = self.interval(expr.expr)
            return (-high, -low)
        if isinstance(expr, Call):
            return self._call(expr)
        if isinstance(expr, Aggregate):
            return self._aggregate(expr)
        return self._binary(expr) if isinstance(expr, Binary) else ANYTHING

    def _selected(self, expr: VectorSelector) -> Interval:
        rules = self.rules.behind(expr)
        if not rules:
            return (0.0, 1.0) if expr.name == "up" else ANYTHING
        found = [self._rule_interval(rule) for rule in rules]
        return (min(low for low, _ in found), max(high for _, high in found))

    def _call(self, expr: Call) -> Interval:
        name = expr.name
        if name in ("absent", "absent_over_time", "present_over_time"):
            return (1.0, 1.0)
        if name in _SAME_OVER_TIME or name in _KEEPING:
            return self.interval(expr.args[0])
        if name == "vector":
            return self.interval(expr.args[0])
        if name in ("clamp_max", "clamp_min") and (bound := fold(expr.args[1])) is not None:
            low, high = self.interval(expr.args[0])
            return (
                (min(low, bound), min(high, bound))
                if name == "clamp_max"
                else (max(low, bound), max(high, bound))
            )
        return (0.0, math.inf) if name in _POSITIVE else ANYTHING

    def _aggregate(self, expr: Aggregate) -> Interval:
        low, high = self.interval(expr.expr)
        if expr.op in ("avg", "min", "max", "topk", "bottomk", "limitk"):
            return (low, high)
        if expr.op in ("count", "count_values"):
            return (1.0, math.inf)
        if expr.op == "group":
            return (1.0, 1.0)
        if expr.op in ("stddev", "stdvar"):
            return (0.0, math.inf)
        if expr.op == "sum" and not expr.labels and not expr.without and self._single(expr.expr):
            return (low, high)
        return (
            (low if low >= 0 else -math.inf, math.inf if high > 0 else high) if expr.op == "sum" else ANYTHING
        )

    def _single(self, expr: Expr) -> bool:
        """Whether an expression has at most one element."""
        if isinstance(expr, Aggregate):
            return (
                not expr.labels
                and not expr.without
                and expr.op not in ("topk", "bottomk", "limitk", "count_values")
            )
        if isinstance(expr, Binary) and expr.op not in ("or",):
            scalars = [fold(side) is not None for side in (expr.lhs, expr.rhs)]
            return all(
                scalar or self._single(side)
                for scalar, side in zip(scalars, (expr.lhs, expr.rhs), strict=True)
            )
        return False

    def _binary(self, expr: Binary) -> Interval:
        op = expr.op
        if op == "/" and is_share(expr):
            return (0.0, 1.0)
        left, right = self.interval(expr.lhs), self.interval(expr.rhs)
        if op in _COMPARISONS or op == "!=":
            return (0.0, 1.0) if expr.bool else left
        if op in ("and", "unless"):
            return left
        if op == "or":
            return (min(left[0], right[0]), max(left[1], right[1]))
        return _combined(op, left, right)

    def _reason(self, expr: Binary, left: Interval, right: Interval) -> str:
        burn = _burn(expr, left)
        if burn:
            return burn
        share = (
            " (100 % errors)"
            if left == (0.0, 1.0) and expr.op in (">", ">=") and _has_share(expr.lhs)
            else ""
        )
        if expr.op in (">", ">=") or (expr.op == "==" and left[1] < right[0]):
            what = "ratio" if share else "value"
            return (
                f"the {what} on the left is at most {number(left[1])}{share}, "
                f"the rule needs {_EDGE[expr.op]}{number(right[0])}"
            )
        return f"the value on the left is at least {number(left[0])}, the rule needs {_EDGE[expr.op]}{number(right[1])}"


def _disjoint(op: str, left: Interval, right: Interval) -> bool:
    if op == ">":
        return left[1] <= right[0] and math.isfinite(left[1])
    if op == ">=":
        return left[1] < right[0] and math.isfinite(left[1])
    if op == "<":
        return left[0] >= right[1] and math.isfinite(left[0])
    if op == "<=":
        return left[0] > right[1] and math.isfinite(left[0])
    return (left[1] < right[0] and math.isfinite(left[1])) or (left[0] > right[1] and math.isfinite(left[0]))


def _combined(op: str, left: Interval, right: Interval) -> Interval:
    """Arithmetic on intervals; anything where NaN or a division by zero might hide."""
    if op == "+":
        return (left[0] + right[0], left[1] + right[1])
    if op == "-":
        return (left[0] - right[1], left[1] - right[0])
    constant = right if right[0] == right[1] else left if left[0] == left[1] else None
    if op == "*" and constant is not None and constant[0] > 0:
        other = left if constant is right else right
        return (other[0] * constant[0], other[1] * constant[0])
    if op == "/" and right[0] == right[1] and right[0] > 0:
        return (left[0] / right[0], left[1] / right[0])
    if op in ("*", "/") and left[0] >= 0 and right[0] >= 0:
        return (0.0, math.inf)
    return ANYTHING


def _has_share(expr: Expr) -> bool:
    """Whether an expression is about errors as a part of requests, as far as its shape tells."""
    if isinstance(expr, VectorSelector):
        return expr.name != "up"
    if isinstance(expr, Binary):
        return expr.op in ("/", "-")
    return isinstance(expr, Aggregate) and _has_share(expr.expr)


def _burn(expr: Binary, left: Interval) -> str:
    """The reason in terms of burn rates, where the threshold is a factor times an error budget."""
    product = expr.rhs
    if not (
        isinstance(product, Binary) and product.op == "*" and expr.op in (">", ">=") and left == (0.0, 1.0)
    ):
        return ""
    a, b = fold(product.lhs), fold(product.rhs)
    if a is None or b is None:
        return ""
    factor, budget = max(a, b), min(a, b)
    if not 0 < budget < 1 <= factor:
        return ""
    return (
        f"{number(factor)} x {_plain(budget)}: at most {_plain(1 / budget)}x burn is possible at an objective of "
        f"{_plain(100 * (1 - budget))} %, the rule needs {_EDGE[expr.op]}{number(factor)}x"
    )


def _plain(value: float) -> str:
    return f"{value:.6g}"
