"""Recording rules seen together."""

from __future__ import annotations

from pytest_sre.promql.ast import Expr, VectorSelector
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex


def written(rules: RuleIndex, one: Expr, other: Expr) -> tuple[Expr, Expr] | None:
    """What two records of one group are made of; None where they are not.

    A group's rules are evaluated for the same moment, so that what holds between their expressions holds between
    the series. Matchers of the readers choose elements; which ones meet is decided by labels all the same.
    """
    if not (isinstance(one, VectorSelector) and isinstance(other, VectorSelector)):
        return None
    behind = (*rules.behind(one), *rules.behind(other))
    if len(behind) != 2 or (one.offset, one.at) != (other.offset, other.at):
        return None
    first, second = behind
    plain = all(rule.kind == "record" and not rule.labels for rule in behind)
    together = (first.location.path, first.group) == (second.location.path, second.group)
    if not plain or not together or first.name == second.name:
        return None
    try:
        return parse(first.expr), parse(second.expr)
    except PromqlError:
        return None
