"""PromQL text to our tree, by way of promql-parser 0.12."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

import promql_parser

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
)

_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*', re.S)
_BEFORE_EPOCH = re.compile(r"@\s*-\s*[\d.]")  # promql-parser panics on it
_SMOOTHING = "double_exponential_smoothing"
_OLD_SMOOTHING = re.compile(r"\bholt_winters(?=\s*\()")
"""What Prometheus before 3.0 calls it; promql-parser knows the new name only."""
_MATCH_OPS: dict[str, Literal["=", "!=", "=~", "!~"]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}


class PromqlError(ValueError):
    """A text that is not PromQL; the message is the parser's."""


@lru_cache(maxsize=20_000)
def parse(text: str) -> Expr:
    """Parse an expression. Raises PromqlError."""
    try:
        if "@" in text and _BEFORE_EPOCH.search(_STRINGS.sub('""', text)):
            raise PromqlError("a time before 1970 after @")
        plain = _STRINGS.sub(_plain_string, text)
        if _OLD_SMOOTHING.search(plain):
            return _renamed(_convert(promql_parser.parse(_OLD_SMOOTHING.sub(_SMOOTHING, plain))))
        return _convert(promql_parser.parse(plain))
    except RecursionError:
        raise PromqlError("nested too deeply") from None
    except PromqlError:
        raise
    except ValueError as error:
        raise PromqlError(str(error)) from None


def _renamed(expr: Expr) -> Expr:
    """The expression with the old name of the smoothing function, as its author wrote it."""
    if isinstance(expr, Call):
        name = "holt_winters" if expr.name == _SMOOTHING else expr.name
        return Call(name, tuple(map(_renamed, expr.args)))
    if isinstance(expr, Binary):
        return replace(expr, lhs=_renamed(expr.lhs), rhs=_renamed(expr.rhs))
    if isinstance(expr, (Aggregate, Unary, Subquery)):
        return replace(expr, expr=_renamed(expr.expr))
    return expr


def _plain_string(match: re.Match[str]) -> str:
    """Backtick strings as double-quoted ones (the parser resolves escapes in them), comments as a space."""
    text = match[0]
    if text[0] == "#":
        return " "
    if text[0] != "`":
        return text
    inner = text[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _seconds(delta: timedelta | None) -> float:
    return delta.total_seconds() if delta is not None else 0.0


def _at(modifier: Any) -> float | Literal["start", "end"] | None:
    if modifier is None:
        return None
    kind = str(modifier.type)
    if kind.endswith("Start"):
        return "start"
    return "end" if kind.endswith("End") else float(modifier.at.timestamp())


def _convert(node: Any) -> Expr:
    kind = type(node).__name__
    if kind == "ParenExpr":
        return _convert(node.expr)
    if kind == "VectorSelector":
        return _selector(node)
    if kind == "MatrixSelector":
        return MatrixSelector(_selector(node.vector_selector), _seconds(node.range))
    if kind == "SubqueryExpr":
        step = node.step.total_seconds() if node.step is not None else None
        return Subquery(_convert(node.expr), _seconds(node.range), step, _seconds(node.offset), _at(node.at))
    if kind == "Call":
        return Call(node.func.name, tuple(_convert(arg) for arg in node.args))
    if kind == "AggregateExpr":
        return _aggregate(node)
    if kind == "BinaryExpr":
        return _binary(node)
    if kind == "UnaryExpr":
        return _negated(_convert(node.expr))
    if kind == "NumberLiteral":
        return Number(float(node.val))
    if kind == "StringLiteral":
        return String(str(node.val))
    raise PromqlError(f"unknown syntax: {kind}")


def _negated(expr: Expr) -> Expr:
    return Number(-expr.value) if isinstance(expr, Number) else Unary(expr)


def _selector(node: Any) -> VectorSelector:
    if node.matchers.or_matchers:
        raise PromqlError('"or" between matchers is not PromQL')
    name = node.name or ""
    matchers = []
    for matcher in node.matchers.matchers:
        op = _MATCH_OPS[str(matcher.op)]
        if matcher.name == "__name__" and op == "=" and matcher.value and not name:
            name = matcher.value
        else:
            matchers.append(Matcher(matcher.name, op, matcher.value))
    return VectorSelector(name, tuple(matchers), _seconds(node.offset), _at(node.at))


def _aggregate(node: Any) -> Aggregate:
    param = _convert(node.param) if node.param is not None else None
    modifier = node.modifier
    labels = tuple(modifier.labels) if modifier is not None else ()
    without = modifier is not None and str(modifier.type).endswith("Without")
    return Aggregate(str(node.op), _convert(node.expr), param, labels, without)


def _binary(node: Any) -> Binary:
    lhs, rhs, modifier = _convert(node.lhs), _convert(node.rhs), node.modifier
    if modifier is None:
        return Binary(str(node.op), lhs, rhs)
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = ()
    if modifier.matching is not None:
        if str(modifier.matching.type).endswith("Include"):
            on = tuple(modifier.matching.labels)
        else:
            ignoring = tuple(modifier.matching.labels)
    card = str(modifier.card)
    group: Literal["", "left", "right"] = ""
    if card.endswith("ManyToOne"):
        group = "left"
    elif card.endswith("OneToMany"):
        group = "right"
    matching = Matching(on, ignoring, group, tuple(modifier.group_labels or ()))
    return Binary(str(node.op), lhs, rhs, bool(modifier.return_bool), matching)
