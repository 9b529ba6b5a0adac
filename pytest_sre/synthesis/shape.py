"""What an alert's expression, with its recording rules, asks for: selectors, labels, constants, windows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pytest_sre.model.routing import Matcher
from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)
from pytest_sre.promql.fold import fold
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.pushed import raw_selectors
from pytest_sre.promql.queries import matched_labels, queries
from pytest_sre.promql.reach import Read, reads
from pytest_sre.promql.resolve import RuleIndex, selectors_of
from pytest_sre.synthesis import grid
from pytest_sre.synthesis.links import Join, Link, links
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.thresholds import thresholds

_TEMPLATE_LABEL = re.compile(r'(?:\$labels|\.Labels)\.(\w+)|\blabel "(\w+)"')
_ALERT = frozenset({"alertname", "alertstate"})
_MAX_CONSTANTS = 12
_COMBINED = 6
_MOST_CHANGES = 500
_USUAL = 10
"""Samples that every window has anyway."""


@dataclass(frozen=True)
class Shape:
    """An alert seen as a task: ``exprs`` are its own and those of its recording rules.

    ``raw`` are the selectors that no rule records, by metric name; ``asked`` the same with the matchers of those who
    read them through recording rules. ``grouping`` are the labels that something groups or matches by, ``lost`` those
    that do not count everywhere.
    """

    rule: Rule
    expr: Expr
    exprs: tuple[Expr, ...]
    raw: Mapping[str, tuple[VectorSelector, ...]]
    asked: Mapping[str, tuple[VectorSelector, ...]]
    recorded: tuple[tuple[VectorSelector, frozenset[str]], ...]
    reads: frozenset[Read]
    grouping: frozenset[str]
    lost: frozenset[str]
    mentioned: frozenset[str]
    constants: tuple[float, ...]
    products: tuple[float, ...]
    ranges: tuple[float, ...]
    functions: frozenset[str]
    links: tuple[Link | Join, ...]
    dense: grid.Windows


def shape_of(rule: Rule, rules: RuleIndex) -> Shape:
    """Read an alert. Raises PromqlError where its own expression is not PromQL."""
    expr = parse(rule.expr)
    exprs = [expr]
    for found in rules.closure(rule):
        try:
            exprs.append(parse(found.expr))
        except PromqlError:
            continue
    raw: dict[str, dict[VectorSelector, None]] = {}
    recorded: dict[tuple[VectorSelector, frozenset[str]], None] = {}
    for part in exprs:
        for selector in selectors_of(part):
            if rules.records(selector):
                fixed = [_fixed(found) for found in rules.behind(selector)]
                recorded[(selector, frozenset.intersection(*fixed) if fixed else frozenset())] = None
            else:
                for one in rules.together(selector):
                    raw.setdefault(_name(one), {})[one] = None
    nodes = [node for part in exprs for node in walk(part)]
    constants = tuple(_constants(exprs))
    return Shape(
        rule,
        expr,
        tuple(exprs),
        {name: tuple(found) for name, found in raw.items()},
        _asked(expr, rules, raw),
        tuple(recorded),
        reads(expr, rules),
        frozenset(_grouping(nodes)),
        frozenset(_lost(nodes)),
        frozenset(_mentioned(rule)),
        constants,
        tuple(_products(constants)),
        tuple(dict.fromkeys(n.range for n in nodes if isinstance(n, (MatrixSelector, Subquery)))),
        frozenset(_functions(nodes)),
        tuple(dict.fromkeys(links(nodes))),
        frozenset(_dense(nodes)),
    )


def _asked(
    expr: Expr, rules: RuleIndex, raw: Mapping[str, Iterable[VectorSelector]]
) -> dict[str, tuple[VectorSelector, ...]]:
    """By metric name, in the order of ``raw``; where a record's labels hide what is asked, what ``raw`` has."""
    found: dict[str, dict[VectorSelector, None]] = {}
    for selector in raw_selectors(expr, rules):
        found.setdefault(_name(selector), {})[selector] = None
    return {name: tuple(found.get(name, given)) for name, given in raw.items()}


def _fixed(rule: Rule) -> frozenset[str]:
    """The labels that a rule sets itself."""
    return frozenset(rule.labels) | (_ALERT if rule.kind == "alert" else frozenset())


def _dense(nodes: Iterable[Expr]) -> Iterable[tuple[float, float, float, float]]:
    """Windows that need more samples than usual, because a number of changes in them is asked for."""
    for node in nodes:
        if isinstance(node, Binary) and node.op in COMPARISONS:
            for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
                count = fold(other)
                for call in walk(side):
                    counting = isinstance(call, Call) and call.name in ("changes", "resets")
                    window = call.args[0] if isinstance(call, Call) and counting else None
                    if isinstance(window, MatrixSelector) and count and 0 < count < _MOST_CHANGES:
                        apart = max(1.0, window.range / (count + 2) / 2)
                        if apart < window.range / _USUAL:
                            yield (0.0, window.range, 5 * apart, 0.0)


def _name(selector: VectorSelector) -> str:
    """The metric name, or one that the selector's ``__name__`` matchers allow."""
    if selector.name:
        return selector.name
    named = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
    for text in [text for matcher in named if matcher.op == "=~" for text in examples(matcher.value)]:
        if text and all(matcher.matches({"__name__": text}) for matcher in named):
            return text
    return "some_metric"


def _grouping(nodes: Iterable[Expr]) -> Iterable[str]:
    """Labels that series should carry because something groups, matches or copies by them."""
    for node in nodes:
        if isinstance(node, Aggregate) and not node.without:
            yield from node.labels
        elif isinstance(node, Binary):
            yield from (*(node.matching.on or ()), *node.matching.include)


def _lost(nodes: Sequence[Expr]) -> Iterable[str]:
    """Labels that count in one place and not in another: what differs in these is brought together somewhere."""
    kept: list[frozenset[str]] = []
    for node in nodes:
        if isinstance(node, Aggregate):
            if node.without:
                yield from node.labels
            else:
                kept.append(frozenset(node.labels))
        elif isinstance(node, Binary):
            yield from node.matching.ignoring
            if node.matching.on is not None:
                kept.append(frozenset((*node.matching.on, *node.matching.include)))
    if kept:
        yield from frozenset().union(*kept) - frozenset.intersection(*kept)


def _mentioned(rule: Rule) -> Iterable[str]:
    for text in (*rule.labels.values(), *rule.annotations.values()):
        if "{{" in text:
            yield from (one or other for one, other in _TEMPLATE_LABEL.findall(text))
    yield from matched_labels(queries(rule))


def _functions(nodes: Iterable[Expr]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, Call):
            yield node.name
        elif isinstance(node, Aggregate):
            yield node.op
        elif isinstance(node, VectorSelector) and node.offset:
            yield "offset"
        elif isinstance(node, Subquery):
            yield "subquery"


def _constants(exprs: Sequence[Expr]) -> Iterable[float]:
    """Constants that may be thresholds: those compared with first, then what they ask of series, then all others."""
    compared: dict[float, None] = {}
    plain: dict[float, None] = {}
    for expr in exprs:
        _gather(expr, compared, plain)
    asked = [value for expr in exprs for value in thresholds(expr)]
    every = dict.fromkeys([*compared, *asked, *plain])
    return [value for value in every if math.isfinite(value)][:_MAX_CONSTANTS]


def _products(constants: Sequence[float]) -> Iterable[float]:
    """What else constants may mean together."""
    found: dict[float, None] = {}
    for a, b in combinations(constants[:_COMBINED], 2):
        made = (a * b, *([a / b] if b else []), *([b / a] if a else []), a + b, a - b, b - a)
        found.update(dict.fromkeys(value for value in made if math.isfinite(value)))
    return [value for value in found if value not in constants]


def _gather(expr: Expr, compared: dict[float, None], plain: dict[float, None]) -> None:
    value = fold(expr)
    if value is not None:
        plain[value] = None
        return
    if isinstance(expr, Binary):
        for side in (expr.lhs, expr.rhs):
            folded = fold(side)
            if folded is not None and expr.op in COMPARISONS:
                compared[folded] = None
            else:
                _gather(side, compared, plain)
        return
    parts: tuple[Expr, ...] = ()
    if isinstance(expr, Call):
        parts = expr.args
    elif isinstance(expr, Aggregate):
        parts = (expr.expr,) if expr.param is None else (expr.param, expr.expr)
    elif isinstance(expr, (Unary, Subquery)):
        parts = (expr.expr,)
    for part in parts:
        _gather(part, compared, plain)


def label_matchers(shape: Shape) -> dict[str, list[tuple[Matcher, ...]]]:
    """For each label, the matchers on it of each selector (recorded ones too, unless the rule sets the label)."""
    found: dict[str, dict[tuple[Matcher, ...], None]] = {}
    every = [(selector, frozenset[str]()) for group in shape.raw.values() for selector in group]
    for selector, fixed in [*every, *shape.recorded]:
        per_label: dict[str, list[Matcher]] = {}
        for matcher in selector.matchers:
            if matcher.label not in fixed and matcher.label != "__name__":
                per_label.setdefault(matcher.label, []).append(matcher)
        for label, matchers in per_label.items():
            found.setdefault(label, {})[tuple(matchers)] = None
    for link in shape.links:
        if (
            isinstance(link, Link)
            and link.source
            and not Matcher(link.source, "=~", link.pattern).matches({})
        ):
            found.setdefault(link.source, {})[(Matcher(link.source, "=~", link.pattern),)] = None
    return {label: list(groups) for label, groups in found.items()}
