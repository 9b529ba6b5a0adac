"""Does the alert end once the service has recovered, and how soon?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Skipped, Verdict, index_of
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.ast import Aggregate, Binary, Expr, VectorSelector, walk
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import selectors
from pytest_sre.report.figures import span
from pytest_sre.sources.discover import Inventory
from pytest_sre.synthesis.entities import is_error
from pytest_sre.synthesis.kinds import Kinds

NAME = "resolves"
NEEDS = "time"
_LONG = 86400.0
"""`keep_firing_for` bridges gaps; nothing that lasts longer than a day (seconds) is a gap."""
_LATE = 30 * 86400.0
"""Seconds after recovery: an SLO's period is over by then."""


def judge(case: Case) -> Verdict:
    """Pass when every alert that fired in a burn ends after recovery, `keep_firing_for` included."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    burns = [one for one in timed.about_itself(case) if one.recovery is not None]
    if all(one.fired is None for one in burns):
        return Skipped("it did not fire on virtual time, so there is nothing to resolve (see detects)")
    lasting = [one for one in burns if one.fired is not None and one.ended is None and not one.error]
    return (
        *timed.failed(case, NAME, burns),
        *(_lasting(case, one) for one in lasting),
        *(_late(case, one) for one in burns[:1] if _after(one) > _LATE + case.rule.keep_firing_for),
        *(_kept(case) for _ in burns[:1] if case.rule.keep_firing_for > _LONG and not lasting),
    )


def _lasting(case: Case, passage: Passage) -> Finding:
    assert passage.recovery is not None
    guessed = sorted(_guessed(case))
    unsure = (
        f"; if {guessed[0]} is no counter, whatever its name, a snapshot says so (`metrics` in sre.yaml)"
        if guessed
        else ""
    )
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} does not end after recovery",
        expected="no alert once healthy data fill all that it reads",
        seen=f"still firing {span(passage.end - passage.recovery)} after recovery",
        details=passage.why,
        next_step="the expression holds on data of a service that has recovered: compare what is new (`rate`, `increase`), "
        f"not what adds up{unsure}",
        severity="warning" if guessed or _differs(case) else "error",
    )


def _differs(case: Case) -> bool:
    """Whether it takes the difference of what adds up, as `started - finished`: what the second does is not known."""
    texts = index_of(case.inventory).texts(case.rule)
    with suppress(PromqlError):
        nodes = [node for text in texts for node in walk(parse(text))]
        return any(isinstance(n, Binary) and n.op == "-" and _bare(n.lhs) and _bare(n.rhs) for n in nodes)
    return False


def _bare(expr: Expr) -> bool:
    """Whether an expression is a selector, or aggregates one."""
    while isinstance(expr, Aggregate):
        expr = expr.expr
    return isinstance(expr, VectorSelector)


def _guessed(case: Case) -> set[str]:
    """The metrics that are taken for counters of something harmless for no other reason than their names.

    Some exporters call a gauge ``disks_offline_total``; nobody calls one ``errors_total``.
    """
    texts, kinds = index_of(case.inventory).texts(case.rule), _kinds(case.inventory)
    names = {selector.name for text in texts for selector in selectors(text)}
    return {name for name in names if kinds.only_named(name) and not is_error(name)}


@lru_cache(maxsize=8)
def _kinds(inventory: Inventory) -> Kinds:
    """What all rules of a repository tell of its metrics."""
    return Kinds(_parsed(inventory), inventory.snapshots.types)


def _parsed(inventory: Inventory) -> Iterator[Expr]:
    for rule in inventory.rules:
        with suppress(PromqlError):
            yield parse(rule.expr)


def _after(passage: Passage) -> float:
    """Seconds from recovery to the end; 0 where there is none."""
    return 0.0 if passage.ended is None or passage.recovery is None else passage.ended - passage.recovery


def _late(case: Case, passage: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} ends only {span(_after(passage))} after recovery",
        expected="an end within 30 days",
        seen=f"still firing {span(_LATE)} after recovery",
        next_step="read a shorter range: while an alert fires nobody is told of the next burn",
        severity="warning",
    )


def _kept(case: Case) -> Finding:
    keep = span(case.rule.keep_firing_for)
    return Finding(
        NAME,
        case.rule.location,
        f"{case.rule.name} goes on for {keep} after recovery",
        expected="an end within a day",
        seen=f"keep_firing_for: {keep}",
        next_step="lower `keep_firing_for`: while an alert fires nobody is told of the next burn",
        severity="warning",
    )
