"""What an expression can have as results, through recording rules of any depth.

An abstract interpretation: where in doubt, anything is possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from pytest_sre.promql.fold import fold
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.never import clock, functions, labels, operators, raw, reasons
from pytest_sre.synthesis.never.facts import Facts
from pytest_sre.synthesis.never.kinds import UNKNOWN, Kind, Kinds, few, grouped, hull
from pytest_sre.synthesis.never.labels import NONE
from pytest_sre.synthesis.never.matchers import ANY
from pytest_sre.synthesis.never.records import written
from pytest_sre.synthesis.never.span import ANYTHING, POSITIVE, SHARE, Span, combined, only
from pytest_sre.synthesis.never.sure import always_there, may_be_nan, single
from pytest_sre.synthesis.never.verdict import Never
from pytest_sre.synthesis.never.whole import ratio

Check = Callable[["Analysis", Binary], Never | None]


class Analysis:
    """What expressions can have as results; rules are looked at once."""

    def __init__(
        self, rules: RuleIndex, facts: Facts, check: Check, lookback: float = 300.0, scraped: bool = False
    ) -> None:
        """``check`` looks at how both sides of an operation hang together; ``lookback`` in seconds.

        With ``scraped`` all raw series are taken to have the labels that each scrape gives them.
        """
        self.rules, self.facts, self._check = rules, facts, check
        self.lookback, self.scraped = lookback, scraped
        self._open: set[Rule] = set()
        self._cut: set[Rule] = set()  # open rules that were asked again: what was found meanwhile is not all
        self._of_rule: dict[Rule, Kinds | Never] = {}
        self._known: dict[Expr, Kinds | Never] = {}

    def kinds(self, expr: Expr) -> Kinds | Never:
        """The sorts of elements an expression can have, or why it has none."""
        found = self._known.get(expr)
        if found is None:
            found = self._kinds(expr)
            if not self._cut:
                self._known[expr] = found
        return found

    def span(self, expr: Expr) -> Span:
        """The values an expression can have; anything where it has none."""
        found = self.scalar(expr)
        if found is not None:
            return found
        kinds = self.kinds(expr)
        return ANYTHING if isinstance(kinds, Never) else hull(kinds).span

    def scalar(self, expr: Expr) -> Span | None:
        """The span of a scalar; None for a vector."""
        value = fold(expr)
        if value is not None:
            return only(value)
        if isinstance(expr, Unary):
            inner = self.scalar(expr.expr)
            return None if inner is None else inner.negated()
        if isinstance(expr, Call):
            if expr.name == "scalar":
                return self.span(expr.args[0])
            return POSITIVE if expr.name == "time" else only(math.pi) if expr.name == "pi" else None
        if isinstance(expr, Binary):
            left, right = self.scalar(expr.lhs), self.scalar(expr.rhs)
            if left is None or right is None:
                return None
            return SHARE if expr.op in COMPARISONS else combined(expr.op, left, right)
        return None

    def _kinds(self, expr: Expr) -> Kinds | Never:
        if isinstance(expr, VectorSelector):
            return self._selector(expr)
        if isinstance(expr, MatrixSelector):
            return self._selector(expr.selector)
        if isinstance(expr, Subquery):
            return self.kinds(expr.expr)
        if isinstance(expr, Call):
            return self._call(expr)
        if isinstance(expr, Aggregate):
            return self._aggregate(expr)
        if isinstance(expr, Unary):
            return self._mapped(expr.expr, lambda kind: Kind(kind.labels.nameless(), kind.span.negated()))
        return self._binary(expr) if isinstance(expr, Binary) else UNKNOWN

    def _mapped(self, inner: Expr, change: Callable[[Kind], Kind]) -> Kinds | Never:
        kinds = self.kinds(inner)
        return kinds if isinstance(kinds, Never) else tuple(map(change, kinds))

    def _selector(self, expr: VectorSelector) -> Kinds | Never:
        """What a selector takes: of a raw metric, or of each rule that records it."""
        rules = self.rules.behind(expr)
        scraped = self.scraped or raw.of_scraping(expr.name)
        base = raw.base(expr.name, scraped and not self.rules.recording(expr.name))
        taken, broken = labels.selected(expr, base)
        if broken:
            return reasons.contradictory(expr, broken, base)
        anything = (Kind(taken, raw.values(expr.name, self.facts)),)
        if not rules:
            return anything
        kinds: list[Kind] = []
        dead: list[Never] = []
        for rule in rules:
            found = self._rule(rule)
            if isinstance(found, Never):
                dead.append(found.recorded(rule))
                continue
            for kind in found:
                if rule.kind != "record":
                    return anything  # an alert of the same name may stand in another repository
                written = labels.recorded(kind.labels, rule.name, rule.labels)
                taken, broken = labels.selected(expr, written)
                if broken:
                    dead.append(reasons.not_recorded(expr, rule, broken, written.of(broken)))
                else:
                    kinds.append(Kind(taken, kind.span))
        return few(kinds) if kinds else dead[0]

    def _rule(self, rule: Rule) -> Kinds | Never:
        """What a recording rule writes; one that needs itself may write anything."""
        known = self._of_rule.get(rule)
        if known is not None:
            return known
        if rule in self._open:
            self._cut.add(rule)
            return UNKNOWN
        self._open.add(rule)
        try:
            found = self.kinds(parse(rule.expr))
        except PromqlError:
            found = UNKNOWN
        finally:
            self._open.discard(rule)
            self._cut.discard(rule)
        if not self._cut:
            self._of_rule[rule] = found
        return found

    def _call(self, expr: Call) -> Kinds | Never:
        name = expr.name
        if name in ("absent", "absent_over_time"):
            argument = expr.args[0]
            if always_there(argument):
                return reasons.never_absent(expr)
            inner = argument.selector if isinstance(argument, MatrixSelector) else argument
            return (Kind(labels.absent(inner), only(1.0)),)
        if name == "vector":
            return (Kind(NONE, self.span(expr.args[0])),)
        if not expr.args or self.scalar(expr) is not None:
            return (Kind(NONE, functions.called(expr, ANYTHING)),)
        place = functions.vector_place(name)
        if len(expr.args) <= place:
            return UNKNOWN
        return self._applied(expr, expr.args[place])

    def _applied(self, expr: Call, vector: Expr) -> Kinds | Never:
        """A function of a vector, or of ranges."""
        name = expr.name
        if name == "histogram_quantile":
            return self._quantile(expr, vector)
        if name == "label_replace" and len(expr.args) == 5:
            return self._mapped(
                vector, lambda kind: replace(kind, labels=labels.replaced(kind.labels, expr.args))
            )
        if name == "label_join" and len(expr.args) > 2 and isinstance(expr.args[1], String):
            target = expr.args[1].value
            return self._mapped(vector, lambda kind: replace(kind, labels=kind.labels.having({target: ANY})))
        if name in functions.KEEPING:
            return self.kinds(vector)
        if name in functions.COUNTER and self._falls(vector):
            return self._mapped(vector, lambda kind: Kind(kind.labels.nameless(), ANYTHING))
        if name in functions.PER_SERIES or name in functions.ELEMENTWISE:
            return self._mapped(
                vector, lambda kind: Kind(kind.labels.nameless(), functions.called(expr, kind.span))
            )
        return UNKNOWN

    def _falls(self, expr: Expr) -> bool:
        """Whether a range may hold what is no counter, so that its rate can be negative."""
        if isinstance(expr, MatrixSelector) and not self.rules.records(expr.selector):
            return raw.is_gauge(expr.selector.name, self.facts)
        return self.span(expr).low < 0

    def _quantile(self, expr: Call, vector: Expr) -> Kinds | Never:
        """``histogram_quantile`` needs ``le``, and gives no more than the highest finite bucket."""
        kinds = self.kinds(vector)
        if isinstance(kinds, Never):
            return kinds
        names = self._buckets(vector)
        bare = all(kind.labels.of("le").listed == frozenset({""}) for kind in kinds)
        if names and bare and not any("vmrange" in kind.labels.known for kind in kinds):
            return reasons.without_le(expr, kinds[0].labels.of("le").why)
        tops = [
            max((b for b in self.facts.bounds(name) if math.isfinite(b)), default=math.inf) for name in names
        ]
        limited = tops and functions.within_share(expr.args[0])
        span = Span(high=max(tops)) if limited else ANYTHING
        return tuple(
            Kind(kind.labels.without(("le",), "histogram_quantile drops le").nameless(), span)
            for kind in kinds
        )

    def _buckets(self, expr: Expr) -> list[str]:
        """The metrics whose classic buckets an expression reads; none where it might be anything else."""
        found: list[str] = []
        texts: list[Expr] = [expr]
        texts += [parse(rule.expr) for rule in self.rules.closure_of(to_text(expr))]
        for selector in (node for text in texts for node in reasons.selectors(text)):
            if self.rules.records(selector):
                continue
            if not selector.name.endswith("_bucket"):
                return []
            found.append(selector.name)
        return found

    def _aggregate(self, expr: Aggregate) -> Kinds | Never:
        kinds = self.kinds(expr.expr)
        if isinstance(kinds, Never):
            return kinds
        alone = single(expr.expr)
        return few(
            [Kind(grouped(expr, kind.labels), functions.aggregated(expr, kind.span, alone)) for kind in kinds]
        )

    def _binary(self, expr: Binary) -> Kinds | Never:
        left, right = self.scalar(expr.lhs), self.scalar(expr.rhs)
        if left is not None and right is not None:
            return (Kind(NONE, self.scalar(expr) or ANYTHING),)
        if expr.op in COMPARISONS and not expr.bool and (late := clock.never(expr, self.lookback)):
            return late
        if left is not None or right is not None:
            return self._with_scalar(expr, left, right)
        return self._vectors(expr)

    def _with_scalar(self, expr: Binary, left: Span | None, right: Span | None) -> Kinds | Never:
        vector = expr.lhs if left is None else expr.rhs
        kinds = self.kinds(vector)
        if isinstance(kinds, Never):
            return kinds
        other = left or right or ANYTHING
        if expr.op == "!=" and may_be_nan(expr):
            other = ANYTHING  # all values differ from NaN
        return operators.with_scalar(expr, vector, kinds, other, self._fixed(expr))

    def _vectors(self, expr: Binary) -> Kinds | Never:
        left, right = self.kinds(expr.lhs), self.kinds(expr.rhs)
        if expr.op == "or":
            if isinstance(left, Never):
                return right if not isinstance(right, Never) else reasons.both(left, right)
            return left if isinstance(right, Never) else few([*left, *right])
        if isinstance(left, Never):
            return left
        if expr.op == "unless":
            return self._check(self, expr) or left
        if isinstance(right, Never):
            return right
        return self._check(self, expr) or operators.joined(expr, left, right, self._fixed(expr))

    def _fixed(self, expr: Binary) -> Span | None:
        """The values of an operation that are known from how its parts hang together."""
        return ratio(expr, self.span, partial(written, self.rules)) or clock.between(expr, self.lookback)
