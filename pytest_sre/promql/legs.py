"""The legs of an expression: both sides of every ``and``, ``or`` and ``unless``, down to comparisons."""

from __future__ import annotations

from dataclasses import replace

from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, Matching, Number, Unary
from pytest_sre.promql.condition import Compare, Condition, Joined, Leg, join, leaves, mapped
from pytest_sre.promql.fold import fold, holds
from pytest_sre.promql.legnames import names_of
from pytest_sre.promql.parse import PromqlError
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.units import unit_of

_TURNED: dict[str, Compare] = {"==": "==", "!=": "!=", ">": "<", "<": ">", ">=": "<=", "<=": ">="}
_OPPOSITE: dict[str, Compare] = {"==": "!=", "!=": "==", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}
_OPAQUE = frozenset({"absent", "absent_over_time", "scalar", "vector"})
"""Functions whose result says nothing of whether their argument has one."""


def legs(expr: Expr) -> tuple[Leg, ...]:
    """The distinct conditions of an expression, from left to right; at least one. Raises PromqlError."""
    return leaves(conditions(expr))


def conditions(expr: Expr) -> Condition:
    """The conditions for an expression to have a result. Raises PromqlError where it is nested too deeply."""
    try:
        tree = _tree(expr)
        names = names_of(leaves(tree))
        return mapped(tree, lambda leg: replace(leg, name=names[leg]))
    except RecursionError:
        raise PromqlError("nested too deeply") from None


def _tree(expr: Expr) -> Condition:
    return _guards(expr, top=True) or _present(expr)


def _present(expr: Expr) -> Leg:
    return Leg("", to_text(expr))


def _guards(expr: Expr, *, top: bool) -> Condition | None:
    """The conditions in an expression, None for a plain value.

    ``top``: it is the result itself, so that aggregations are looked through and values beside conditions must
    be there. Else it is a value that is compared, whose presence goes without saying.
    """
    if isinstance(expr, Unary):
        return _guards(expr.expr, top=top)
    if isinstance(expr, Aggregate):
        return _guards(expr.expr, top=True) if top else None
    if isinstance(expr, Call):
        return None if expr.name in _OPAQUE else join("and", [_guards(part, top=top) for part in expr.args])
    if not isinstance(expr, Binary):
        return None
    if expr.op in _TURNED:
        return None if expr.bool else _comparison(expr)
    if expr.op in ("and", "or", "unless"):
        return _set(expr, top)
    return _arithmetic(expr, top)


def _set(expr: Binary, top: bool) -> Condition | None:
    if expr.op == "or":
        sides = [_tree(side) if top else _guards(side, top=False) for side in (expr.lhs, expr.rhs)]
        return join("or", list(sides)) if all(sides) else None
    left = _tree(expr.lhs) if top else _guards(expr.lhs, top=False)
    right = _tree(expr.rhs)
    if expr.op == "unless":
        right = Joined("unless", (mapped(right, lambda leg: replace(leg, negated=not leg.negated)),))
    return join("and", [left, right])


def _arithmetic(expr: Binary, top: bool) -> Condition | None:
    """Conditions that are calculated with: ``(a > 1) * on () group_left () info`` needs both sides."""
    found = [_guards(side, top=top) for side in (expr.lhs, expr.rhs)]
    if not any(found):
        return None
    sides = zip((expr.lhs, expr.rhs), found, strict=True)
    return join(
        "and", [one or (_present(side) if top and not _scalar(side) else None) for side, one in sides]
    )


def _comparison(expr: Binary) -> Condition:
    left, right = _constant(expr.lhs), _constant(expr.rhs)
    if right is None and (left is not None or _scalar(expr.lhs)) and not _scalar(expr.rhs):
        return _comparison(Binary(_TURNED[expr.op], expr.rhs, expr.lhs))  # a number pairs with every series
    truth = None if right is None else _truth(expr.op, expr.lhs, right)
    if truth is not None:
        return truth
    value = _value(expr.lhs)
    leg = Leg(
        "",
        to_text(value),
        _TURNED[_TURNED[expr.op]],
        right,
        to_text(_value(expr.rhs)) if right is None else "",
        expr.matching if right is None else Matching(),
        _budget(expr.rhs),
        unit_of(value),
    )
    return join("and", [_guards(expr.lhs, top=False), _guards(expr.rhs, top=False), leg]) or leg


def _value(expr: Expr) -> Expr:
    """What a filter lets through, without the filter: ``a`` of ``(a > 1) < 5`` and of ``(a unless b) > 2``."""
    while isinstance(expr, Binary) and not expr.bool and (expr.op in _TURNED or expr.op in ("and", "unless")):
        turn = expr.op in _TURNED and _constant(expr.lhs) is not None and _constant(expr.rhs) is None
        expr = expr.rhs if turn else expr.lhs
    return expr


def _truth(op: str, expr: Expr, limit: float) -> Condition | None:
    """The conditions of ``bool`` comparisons that are compared: ``(a > bool 1) == 1`` asks for ``a > 1``."""
    if not isinstance(expr, Binary):
        return None
    if expr.bool:
        true, false = holds(op, 1.0, limit), holds(op, 0.0, limit)
        if true == false:
            return None
        return _comparison(replace(expr, bool=False, op=expr.op if true else _OPPOSITE[expr.op]))
    terms = _operands(expr, expr.op)
    if expr.op not in ("*", "+") or not all(isinstance(term, Binary) and term.bool for term in terms):
        return None
    outcomes = [holds(op, float(count), limit) for count in range(len(terms) + 1 if expr.op == "+" else 2)]
    parts = [_truth("==", term, 1.0) for term in terms]
    if outcomes[-1] and not any(outcomes[:-1]):
        return join("and", parts)
    return join("or", parts) if expr.op == "+" and all(outcomes[1:]) and not outcomes[0] else None


def _operands(expr: Expr, op: str) -> list[Expr]:
    """The parts of a sum or a product."""
    if isinstance(expr, Binary) and expr.op == op and not expr.bool:
        return [*_operands(expr.lhs, op), *_operands(expr.rhs, op)]
    return [expr]


def _scalar(expr: Expr) -> bool:
    """Whether it is a number to PromQL, not a vector."""
    if isinstance(expr, Unary):
        return _scalar(expr.expr)
    if isinstance(expr, Binary):
        return _scalar(expr.lhs) and _scalar(expr.rhs)
    return isinstance(expr, Number) or (isinstance(expr, Call) and expr.name in ("time", "scalar", "pi"))


def _constant(expr: Expr) -> float | None:
    """The number that an expression always is, also as ``vector(5)``."""
    if isinstance(expr, Call) and expr.name in ("vector", "scalar") and expr.args:
        return _constant(expr.args[0])
    return fold(expr)


def _budget(expr: Expr) -> float | None:
    """1x of a threshold that is a burn rate: 0.001 of ``14.4 * 0.001`` or ``14.4 * (1 - 0.999)``."""
    factors = [fold(factor) for factor in _operands(expr, "*")]
    known = [factor for factor in factors if factor is not None]
    if len(factors) == 3 and 100.0 in known:  # of an error ratio in percent
        known.remove(100.0)
        scale = 100.0
    else:
        scale = 1.0
    if len(known) != 2 or len(known) < len(factors) - (scale == 100.0):
        return None
    small, large = sorted(known)
    return small * scale if 0 < small <= 0.2 and small < large <= 1000 and large >= 0.5 else None
