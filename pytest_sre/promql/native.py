"""Native histograms in expressions: which parts are about them, and the same written for classic buckets.

The search knows classic histograms. ``histogram_quantile(0.9, sum by (job) (rate(x[5m])))`` is to it
``histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m])))``: that guides it; Prometheus judges what was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.fold import fold, is_scalar
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import number
from pytest_sre.promql.resolve import RuleIndex

_PLACES = {
    "histogram_count": 0, "histogram_sum": 0, "histogram_avg": 0, "histogram_stddev": 0, "histogram_stdvar": 0,
    "histogram_quantile": 1, "histogram_fraction": 2,
}  # fmt: skip
"""Functions of histograms, and which argument the histogram is."""
_SETS = frozenset({"and", "unless"})
_SPREAD = (0.16, 0.84)
"""Quantiles that lie two standard deviations apart, were values normal."""


def histogram(expr: Expr, rules: RuleIndex) -> Expr | None:
    """What a call says is a native histogram; None for all other expressions and for classic buckets."""
    place = _PLACES.get(expr.name) if isinstance(expr, Call) else None
    if not isinstance(expr, Call) or place is None or place >= len(expr.args):
        return None
    inner = expr.args[place]
    found = list(histogram_selectors(inner))
    native = bool(found) and all(one.name for one in found) and not _is_classic(inner, rules, expr.name)
    return inner if native else None


def histogram_selectors(expr: Expr) -> Iterator[VectorSelector]:
    """The selectors whose values an expression passes on, as sums, rates or choices of them."""
    if isinstance(expr, VectorSelector):
        yield expr
    elif isinstance(expr, MatrixSelector):
        yield expr.selector
    elif isinstance(expr, (Subquery, Unary, Aggregate)):
        yield from histogram_selectors(expr.expr)
    elif isinstance(expr, Call) and expr.args and not is_scalar(expr):
        yield from histogram_selectors(expr.args[_place(expr)])
    elif isinstance(expr, Binary):
        for side in _sides(expr):
            yield from histogram_selectors(side)


def _place(call: Call) -> int:
    """Where a function's vector is: the first argument that is no number or string."""
    return next(
        (i for i, one in enumerate(call.args) if fold(one) is None and not isinstance(one, String)), 0
    )


def _sides(expr: Binary) -> tuple[Expr, ...]:
    """The sides of an operation between histograms that are histograms themselves."""
    if expr.op in ("+", "-", "or"):
        return (expr.lhs, expr.rhs)
    return (expr.rhs,) if is_scalar(expr.lhs) else (expr.lhs,)


def _is_classic(expr: Expr, rules: RuleIndex, function: str, within: frozenset[Rule] = frozenset()) -> bool:
    """Whether these are classic buckets, or may be: a recorded name that nothing here records."""
    for node in walk(expr):
        if isinstance(node, Aggregate) and "le" in node.labels:
            return True
        if isinstance(node, Binary) and "le" in (*(node.matching.on or ()), *node.matching.ignoring):
            return True
    return any(_classic_series(one, rules, function, within) for one in histogram_selectors(expr))


def _classic_series(
    selector: VectorSelector, rules: RuleIndex, function: str, within: frozenset[Rule]
) -> bool:
    if selector.name.endswith("_bucket") or any(one.label == "le" for one in selector.matchers):
        return True
    behind = [rule for rule in rules.behind(selector) if rule.kind == "record"]
    if not behind:
        return ":" in selector.name and function == "histogram_quantile"
    return any(
        _is_classic(inner, rules, function, within | {rule})
        for rule in behind
        if rule not in within and (inner := _parsed(rule.expr))
    )


def _parsed(text: str) -> Expr | None:
    try:
        return parse(text)
    except PromqlError:
        return None


def mapped(expr: Expr, rules: RuleIndex, names: Collection[str]) -> Expr:
    """The expression for classic histograms; itself where it has no native ones.

    ``names`` are the metrics that are native histograms: what else reads them, asks whether they are there.
    """
    inner = histogram(expr, rules)
    if isinstance(expr, Call) and inner is not None:
        return _mapped_call(expr, inner)
    if isinstance(expr, Call):
        return replace(expr, args=tuple(mapped(one, rules, names) for one in expr.args))
    if isinstance(expr, Aggregate):
        param = mapped(expr.param, rules, names) if expr.param is not None else None
        return replace(expr, expr=mapped(expr.expr, rules, names), param=param)
    if isinstance(expr, Binary):
        return replace(expr, lhs=mapped(expr.lhs, rules, names), rhs=mapped(expr.rhs, rules, names))
    if isinstance(expr, (Unary, Subquery)):
        return replace(expr, expr=mapped(expr.expr, rules, names))
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    known = isinstance(selector, VectorSelector) and selector.name in names
    return part(expr, "bucket", "+Inf") if known else expr


def _mapped_call(expr: Call, inner: Expr) -> Expr:
    buckets = part(inner, "bucket")
    if expr.name == "histogram_quantile":
        return replace(expr, args=(expr.args[0], buckets))
    if expr.name == "histogram_count":
        return _up_to(inner, "+Inf")
    if expr.name == "histogram_sum":
        return part(inner, "sum")
    if expr.name == "histogram_avg":
        return Binary("/", part(inner, "sum"), _up_to(inner, "+Inf"))
    if expr.name == "histogram_fraction":
        return _fraction(expr, inner)
    low, high = (Call("histogram_quantile", (Number(share), buckets)) for share in _SPREAD)
    spread = Binary("/", Binary("-", high, low), Number(2.0))
    return spread if expr.name == "histogram_stddev" else Binary("^", spread, Number(2.0))


def _fraction(expr: Call, inner: Expr) -> Expr:
    low, high = fold(expr.args[0]), fold(expr.args[1])
    if low is None or high is None:
        return expr
    within = _up_to(inner, number(high))
    if low > 0:
        within = Binary("-", within, _up_to(inner, number(low)))
    return Binary("/", within, _up_to(inner, "+Inf"))


def _up_to(expr: Expr, bound: str) -> Expr:
    """How many observations are not above a bound."""
    return Aggregate("sum", part(expr, "bucket", bound), None, ("le",), without=True)


def part(expr: Expr, suffix: str, bound: str = "") -> Expr:
    """The classic series that an expression of native histograms is about: its ``bucket`` or ``sum``.

    ``bound`` picks one bucket; else ``le`` goes through all aggregations.
    """
    le = ("le",) if suffix == "bucket" and not bound else ()
    if isinstance(expr, VectorSelector):
        chosen = (Matcher("le", "=", bound),) if bound else ()
        return replace(expr, name=f"{expr.name}_{suffix}", matchers=(*expr.matchers, *chosen))
    if isinstance(expr, MatrixSelector):
        selector = part(expr.selector, suffix, bound)
        assert isinstance(selector, VectorSelector)
        return replace(expr, selector=selector)
    if isinstance(expr, Aggregate):
        labels = expr.labels if expr.without else (*expr.labels, *le)
        return replace(expr, expr=part(expr.expr, suffix, bound), labels=labels)
    if isinstance(expr, (Unary, Subquery)):
        return replace(expr, expr=part(expr.expr, suffix, bound))
    if isinstance(expr, Call) and expr.args:
        place = _place(expr)
        vector = part(expr.args[place], suffix, bound)
        return replace(expr, args=(*expr.args[:place], vector, *expr.args[place + 1 :]))
    return _between(expr, suffix, bound, le) if isinstance(expr, Binary) else expr


def _between(expr: Binary, suffix: str, bound: str, le: tuple[str, ...]) -> Expr:
    sides = _sides(expr)
    both = len(sides) == 2
    lhs = part(expr.lhs, suffix, bound) if expr.lhs in sides else expr.lhs
    rhs = part(expr.rhs, suffix, bound) if expr.rhs in sides else expr.rhs
    matching = expr.matching
    if both and matching.on is not None:
        matching = replace(matching, on=(*matching.on, *le))
    elif not both and not is_scalar(expr.lhs) and not is_scalar(expr.rhs):
        if matching.on is None and suffix == "bucket":  # the other side has no buckets
            matching = replace(matching, ignoring=(*matching.ignoring, "le"))
        if expr.op not in _SETS and suffix == "bucket":
            matching = replace(matching, group=matching.group or "left")
    return replace(expr, lhs=lhs, rhs=rhs, matching=matching)
