"""What a selector of a recorded series asks of the raw series behind it: matchers on labels that survive the record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    CHOOSING,
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    String,
    VectorSelector,
    children,
)
from pytest_sre.promql.fold import is_scalar
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex, fits

Matchers = tuple[Matcher, ...]
_BARE = frozenset({"scalar", "absent", "absent_over_time", "vector", "info"})
_ALERT = frozenset({"__name__", "alertname", "alertstate"})
_MANY = 500
"""Pairs of a rule and matchers that are followed at most."""


def raw_selectors(expr: Expr, rules: RuleIndex) -> Iterator[VectorSelector]:
    """The raw selectors behind an expression, with the matchers of those who read them through records; nearest first."""
    queue: deque[tuple[Expr, Matchers]] = deque([(expr, ())])
    seen: set[tuple[Rule, Matchers]] = set()
    while queue:
        for selector, matchers in pushed(*queue.popleft()):
            whole = VectorSelector(selector.name, matchers, selector.offset, selector.at)
            behind = rules.behind(selector)
            if not behind:
                yield whole
            for rule in behind:
                rest = tuple(m for m in matchers if m.label not in rule.labels and m.label not in _ALERT)
                if fits(rule, whole) and (rule, rest) not in seen and len(seen) < _MANY:
                    seen.add((rule, rest))
                    try:
                        queue.append((parse(rule.expr), rest))
                    except PromqlError:
                        continue


def pushed(expr: Expr, matchers: Matchers) -> Iterator[tuple[VectorSelector, Matchers]]:
    """The selectors of an expression with what they must match for its result to match ``matchers``."""
    if isinstance(expr, VectorSelector):
        more = (m for m in matchers if m.label != "__name__")
        yield expr, tuple(dict.fromkeys([*expr.matchers, *more]))
        return
    for part in children(expr):
        yield from pushed(part, tuple(m for m in matchers if _survives(m.label, part, expr)))


def _survives(label: str, part: Expr, whole: Expr) -> bool:
    """Whether a label of ``whole``'s elements is that of the elements of its ``part`` behind them."""
    if isinstance(whole, Aggregate):
        made = whole.param if whole.op == "count_values" else None
        if part is not whole.expr or (isinstance(made, String) and made.value == label):
            return False
        return whole.op in CHOOSING or (label in whole.labels) != whole.without
    if isinstance(whole, Call):
        return not _made(label, whole)
    return _survives_binary(label, part, whole) if isinstance(whole, Binary) else True


def _made(label: str, call: Call) -> bool:
    """Whether a function's result does not have the label of its argument."""
    if call.name in ("label_replace", "label_join"):
        target = call.args[1]
        return not isinstance(target, String) or target.value == label
    return call.name in _BARE or (call.name == "histogram_quantile" and label == "le")


def _survives_binary(label: str, part: Expr, whole: Binary) -> bool:
    if whole.op == "or" or is_scalar(whole.lhs) or is_scalar(whole.rhs):
        return True
    matching = whole.matching
    shared = label in matching.on if matching.on is not None else label not in matching.ignoring
    if whole.op in ("and", "unless"):
        return part is whole.lhs or (shared and whole.op == "and")
    if not matching.group:
        return shared
    many = whole.lhs if matching.group == "left" else whole.rhs
    return (label in matching.include) != (part is many) or shared
