"""Interval analysis: alerts that no realistic data can ever fire."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sre.promql.ast import Expr
from pytest_sre.promql.resolve import RuleIndex


@dataclass(frozen=True, slots=True)
class Never:
    """Why a (sub-)expression can never have a result."""

    reason: str
    part: str


def impossible(expr: Expr, rules: RuleIndex) -> Never | None:
    """Why an expression can never have a result; None where it may."""
    return None
