"""Which series must be there for a result, which must not, and what is there whenever something else is."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold
from pytest_sre.promql.printer import to_text
from pytest_sre.synthesis.never import claims
from pytest_sre.synthesis.never.analysis import Analysis
from pytest_sre.synthesis.never.functions import ELEMENTWISE, PER_SERIES
from pytest_sre.synthesis.never.matchers import allowed, includes
from pytest_sre.synthesis.never.span import Span
from pytest_sre.synthesis.never.sure import always_there
from pytest_sre.synthesis.never.verdict import Never

Series = VectorSelector | MatrixSelector
_SHAPING = ELEMENTWISE | {"label_replace", "label_join"}


def needs(expr: Expr) -> Iterator[Series]:
    """Selectors that must find something, or the expression has no result."""
    if isinstance(expr, (VectorSelector, MatrixSelector)):
        yield expr
    elif isinstance(expr, (Aggregate, Unary)):
        yield from needs(expr.expr)
    elif isinstance(expr, Call) and expr.name in _SHAPING | PER_SERIES:
        yield from (found for argument in expr.args for found in needs(argument))
    elif isinstance(expr, Binary) and expr.op != "or":
        yield from needs(expr.lhs)
        if expr.op != "unless":
            yield from needs(expr.rhs)


def lacks(expr: Expr) -> Iterator[Series]:
    """Selectors that must find nothing, or the expression has no result."""
    if isinstance(expr, Call) and expr.name in ("absent", "absent_over_time"):
        yield from _anything(expr.args[0])
    elif isinstance(expr, (Aggregate, Unary)):
        yield from lacks(expr.expr)
    elif isinstance(expr, Call) and expr.name in _SHAPING and expr.args:
        yield from lacks(expr.args[0])
    elif isinstance(expr, Binary) and expr.op != "or":
        yield from lacks(expr.lhs)
        if expr.op != "unless":
            yield from lacks(expr.rhs)


def _anything(expr: Expr) -> Iterator[Series]:
    """Selectors each of which suffices to give the expression a result."""
    if isinstance(expr, (VectorSelector, MatrixSelector)):
        yield expr
    elif isinstance(expr, Aggregate) and expr.op in ("sum", "avg", "min", "max", "count", "group"):
        yield from _anything(expr.expr)
    elif isinstance(expr, Binary) and expr.op == "or":
        yield from _anything(expr.lhs)
        yield from _anything(expr.rhs)


def missing(expr: Binary) -> Never | None:
    """Why an operation has no result: one side needs series that the other needs to be gone."""
    there, gone = [*needs(expr)], [*lacks(expr)]
    for one in gone:
        for other in there:
            if _inside(other, one):
                return Never(
                    f"absent({to_text(one)}) has a result only without the series that {to_text(other)} needs",
                    to_text(expr),
                    "join the two with or",
                )
    return None


def _inside(some: Series, other: Series) -> bool:
    """Whether the series that ``some`` selects are all selected by ``other``."""
    if isinstance(some, MatrixSelector) or isinstance(other, MatrixSelector):
        if not (isinstance(some, MatrixSelector) and isinstance(other, MatrixSelector)):
            return False
        return some.range <= other.range and _inside(some.selector, other.selector)
    if not some.name or (some.name, some.offset, some.at) != (other.name, other.offset, other.at):
        return False
    return all(_implied(matcher, some.matchers) for matcher in other.matchers)


def _implied(wanted: Matcher, given: tuple[Matcher, ...]) -> bool:
    if wanted in given:
        return True
    values = allowed(tuple(one for one in given if one.label == wanted.label)).listed
    return values is not None and all(includes(wanted, value) for value in values)


def hidden(expr: Binary, analysis: Analysis) -> Never | None:
    """Why ``unless`` leaves nothing: its right side is there wherever its left side is."""
    if always_there(expr.rhs) and expr.matching.on == ():
        seen = "the right side always has a result, and on () matches all"
    elif _covered(expr.lhs, expr.rhs, analysis):
        seen = "the right side has a result wherever the left side has one"
    else:
        return None
    return Never(f"unless leaves nothing: {seen}", to_text(expr), "mend the right side of unless")


def _covered(left: Expr, right: Expr, analysis: Analysis) -> bool:
    """Whether for each element of ``left`` there is one of ``right`` with the same labels."""
    given = claims.merged(claims.claims(left, analysis))
    return any(_there(one, right, analysis, given) for one in _wider(left))


def _wider(expr: Expr) -> Iterator[Expr]:
    """Expressions that have an element for each one of this."""
    yield expr
    if isinstance(expr, Binary) and not expr.bool:
        if expr.op in COMPARISONS and fold(expr.rhs) is not None:
            yield from _wider(expr.lhs)
        elif expr.op == "and":
            yield from _wider(expr.lhs)
            if expr.matching == Matching():
                yield from _wider(expr.rhs)
        elif expr.op == "unless":
            yield from _wider(expr.lhs)


def _there(one: Expr, right: Expr, analysis: Analysis, given: dict[Expr, Span]) -> bool:
    if one == right:
        return True
    if isinstance(one, VectorSelector) and isinstance(right, VectorSelector):
        return _inside(one, right)
    if isinstance(right, Binary) and right.op == "or" and right.matching == Matching():
        return any(_there(one, side, analysis, given) for side in (right.lhs, right.rhs))
    if isinstance(right, Binary) and claims.weaker(right, analysis, given):
        return _there(one, right.lhs, analysis, given)
    return False
