"""Spans of values, with open ends; NaN is in none of them, as no comparison but ``!=`` keeps it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_sre.promql.printer import number

_INF = math.inf


@dataclass(frozen=True, slots=True)
class Span:
    """All values from ``low`` to ``high``; an open end does not belong to it (infinite ends do)."""

    low: float = -_INF
    high: float = _INF
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        """Whether no value lies in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def single(self) -> float | None:
        """The only value in it."""
        return self.low if self.low == self.high and not self.empty else None

    def within(self, other: Span) -> bool:
        """Whether ``other`` holds all of it."""
        met = self.meet(other)
        return met == self

    def meet(self, other: Span) -> Span:
        """What both hold."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Span(low, high, low_open, not shut)

    def hull(self, other: Span) -> Span:
        """The smallest span that holds both."""
        low, low_open = min((self.low, self.low_open), (other.low, other.low_open))
        high, shut = max((self.high, not self.high_open), (other.high, not other.high_open))
        return Span(low, high, low_open, not shut)

    def negated(self) -> Span:
        """The values with their signs turned round."""
        return Span(-self.high, -self.low, self.high_open, self.low_open)

    def __str__(self) -> str:
        if self.single is not None:
            return f"always {plain(self.low)}"
        low = f"{'more than' if self.low_open else 'at least'} {plain(self.low)}" if self.low > -_INF else ""
        high = (
            f"{'less than' if self.high_open else 'at most'} {plain(self.high)}" if self.high < _INF else ""
        )
        return " and ".join(filter(None, (low, high))) or "anything"


ANYTHING = Span()
POSITIVE = Span(0.0)
SHARE = Span(0.0, 1.0)


def only(value: float) -> Span:
    """A single value; anything for NaN."""
    return ANYTHING if math.isnan(value) else Span(value, value)


def plain(value: float) -> str:
    """A value without noise in its last digits."""
    return number(float(f"{value:.12g}")) if math.isfinite(value) else number(value)


def accepted(op: str, right: Span) -> Span:
    """The values that stand in relation ``op`` to some value of ``right``."""
    if op in (">", ">="):
        return Span(right.low, _INF, op == ">" or right.low_open)
    if op in ("<", "<="):
        return Span(-_INF, right.high, False, op == "<" or right.high_open)
    return right if op == "==" else ANYTHING


def surely(op: str, left: Span, right: Span) -> bool:
    """Whether a comparison holds for all values of both."""
    if left.empty or right.empty:
        return False
    if op in (">", ">="):
        strict = left.low_open or right.high_open
        return left.low > right.high or (left.low == right.high and (op == ">=" or strict))
    if op in ("<", "<="):
        strict = left.high_open or right.low_open
        return left.high < right.low or (left.high == right.low and (op == "<=" or strict))
    if op == "!=":
        return left.meet(right).empty
    return left.single is not None and left.single == right.single


def kept(op: str, left: Span, right: Span) -> Span:
    """What a comparison leaves of the values on its left; empty where it never holds."""
    if op == "!=" and left.single is not None and left.single == right.single:
        return Span(_INF, -_INF)
    return left.meet(accepted(op, right))


def combined(op: str, left: Span, right: Span) -> Span:
    """Arithmetic on spans; anything where a NaN or a division by zero might hide."""
    if op == "+":
        return _added(left, right)
    if op == "-":
        return _added(left, right.negated())
    if op == "*":
        return _multiplied(left, right)
    if op == "/":
        return _divided(left, right)
    if op == "%" and left.low >= 0:
        return Span(0.0, left.high)
    if op == "^" and left.low >= 0:
        return POSITIVE
    return ANYTHING


def _added(left: Span, right: Span) -> Span:
    low, high = left.low + right.low, left.high + right.high
    return Span(
        -_INF if math.isnan(low) else low,
        _INF if math.isnan(high) else high,
        left.low_open or right.low_open,
        left.high_open or right.high_open,
    )


def _multiplied(left: Span, right: Span) -> Span:
    for one, other in ((left, right), (right, left)):
        factor = one.single
        if factor == 0 or (factor is not None and math.isinf(factor)):
            return ANYTHING if not (math.isfinite(other.low) and math.isfinite(other.high)) else only(0.0)
        if factor is not None:
            scaled = Span(other.low * abs(factor), other.high * abs(factor), other.low_open, other.high_open)
            return scaled if factor > 0 else scaled.negated()
    if left.low >= 0 and right.low >= 0:
        low, high = left.low * right.low, left.high * right.high
        return Span(0.0 if math.isnan(low) else low, _INF if math.isnan(high) else high)
    return ANYTHING


def _divided(left: Span, right: Span) -> Span:
    if right.low <= 0:
        return POSITIVE if left.low >= 0 and right.low == 0 else ANYTHING
    if right.single is not None and math.isfinite(right.low):
        return _multiplied(left, only(1 / right.low)) if right.low != 1 else left
    if left.low >= 0:
        low, high = left.low / right.high, left.high / right.low
        return Span(0.0 if math.isnan(low) else low, _INF if math.isnan(high) else high)
    return ANYTHING
