"""Alerts that no realistic data can ever fire, conditions that always hold, and functions that do not fit a metric."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import Binary, Expr
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never.always import holding
from pytest_sre.synthesis.never.analysis import Analysis
from pytest_sre.synthesis.never.claims import excluding
from pytest_sre.synthesis.never.facts import NO_FACTS, Facts, KnownTypes
from pytest_sre.synthesis.never.lasting import too_short
from pytest_sre.synthesis.never.misuse import misused
from pytest_sre.synthesis.never.presence import hidden, missing
from pytest_sre.synthesis.never.verdict import Always, Misuse, Never

__all__ = [
    "NO_FACTS", "Always", "Facts", "KnownTypes", "Misuse", "Never", "always", "impossible", "misuses",
    "unscraped",
]  # fmt: skip

_kept = threading.local()


def impossible(
    expr: Expr,
    rules: RuleIndex,
    facts: Facts = NO_FACTS,
    alert: Rule | None = None,
    lookback: float = 300.0,
) -> Never | None:
    """Why an expression can never have a result with realistic data, or ``alert`` not for as long as its ``for``.

    None where it may. A reason that lies in a recording rule names the rule and its place. ``lookback`` in seconds.
    """
    analysis = _analysis(rules, facts, lookback)
    found = analysis.kinds(expr)
    if isinstance(found, Never):
        return found
    return too_short(alert, expr, analysis) if alert is not None else None


def unscraped(expr: Expr, rules: RuleIndex, facts: Facts = NO_FACTS) -> Never | None:
    """Why an expression that may have a result has none on scraped series, which all have ``job`` and ``instance``.

    Series may lack them: pushed ones, or where relabelling drops them. So this is less than `impossible`.
    """
    if impossible(expr, rules, facts) is not None:
        return None
    found = _analysis(rules, facts, scraped=True).kinds(expr)
    return found if isinstance(found, Never) else None


def always(expr: Expr, rules: RuleIndex, facts: Facts = NO_FACTS) -> Always | None:
    """The comparison because of which an alert fires on all data where its series exist, and why.

    None where some values keep it quiet, and where no series are read (``vector(1)``). Where the result has
    ``existence``, the alert asks whether there are series at all (``count(x) > 0``): often that is meant.
    """
    return holding(expr, _analysis(rules, facts))


def misuses(expr: Expr, rules: RuleIndex, facts: Facts = NO_FACTS) -> tuple[Misuse, ...]:
    """Functions that do not fit the type of their metric, such as ``rate()`` of a gauge; they do give values."""
    return tuple(misused(expr, rules, facts))


def _analysis(rules: RuleIndex, facts: Facts, lookback: float = 300.0, scraped: bool = False) -> Analysis:
    """The analysis of these rules; each thread keeps its own, so that rules are looked at once."""
    kept: WeakKeyDictionary[RuleIndex, dict[bool, Analysis]] = _kept.__dict__.setdefault(
        "of", WeakKeyDictionary()
    )
    both = kept.setdefault(rules, {})
    found = both.get(scraped)
    if found is None or found.facts != facts or found.lookback != lookback:
        found = both[scraped] = Analysis(rules, facts, _together, lookback, scraped)
    return found


def _together(found: Analysis, expr: Binary) -> Never | None:
    """How the two sides of an operation hang together."""
    if expr.op == "unless":
        return hidden(expr, found)
    return excluding(expr, found) or missing(expr)
