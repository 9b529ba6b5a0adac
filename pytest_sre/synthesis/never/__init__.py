"""Alerts that no realistic data can ever fire, conditions that always hold, and functions that do not fit a metric."""

from __future__ import annotations

from pytest_sre.promql.ast import Binary, Expr
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never.claims import excluding
from pytest_sre.synthesis.never.facts import NO_FACTS, Facts, KnownTypes
from pytest_sre.synthesis.never.kinds import Analysis
from pytest_sre.synthesis.never.presence import hidden, missing
from pytest_sre.synthesis.never.verdict import Always, Misuse, Never

__all__ = ["NO_FACTS", "Always", "Facts", "KnownTypes", "Misuse", "Never", "impossible"]


def impossible(expr: Expr, rules: RuleIndex, facts: Facts = NO_FACTS) -> Never | None:
    """Why an expression can never have a result with realistic data; None where it may."""
    found = analysis(rules, facts).kinds(expr)
    return found if isinstance(found, Never) else None


def analysis(rules: RuleIndex, facts: Facts = NO_FACTS) -> Analysis:
    """What expressions can be, given these rules."""
    return Analysis(rules, facts, _together)


def _together(found: Analysis, expr: Binary) -> Never | None:
    """How the two sides of an operation hang together."""
    if expr.op == "unless":
        return hidden(expr, found)
    return excluding(expr, found) or missing(expr)
