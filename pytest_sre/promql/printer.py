"""Our tree back to PromQL, for messages."""

from __future__ import annotations

import json
import math
import re

from pytest_sre.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
)

_RANK = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, ">": 3, "<": 3, ">=": 3, "<=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_NAME = re.compile("[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")
_WORDS = frozenset(
    {"and", "or", "unless", "atan2", "bool", "on", "ignoring", "group_left", "group_right", "by", "without"}
    | {"offset", "inf", "nan", "start", "end"}
)
"""What a bare metric name would be taken for, at least by some parser."""
_UNITS = ((604800, "w"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def to_text(expr: Expr) -> str:
    """The expression as PromQL, with the parentheses it needs."""
    if isinstance(expr, Number):
        return number(expr.value)
    if isinstance(expr, String):
        return _string(expr.value)
    if isinstance(expr, VectorSelector):
        return _selector(expr) + _modifiers(expr.offset, expr.at)
    if isinstance(expr, MatrixSelector):
        inner = expr.selector
        return f"{_selector(inner)}[{duration(expr.range)}]" + _modifiers(inner.offset, inner.at)
    if isinstance(expr, Subquery):
        step = duration(expr.step) if expr.step is not None else ""
        return f"{_whole(expr.expr)}[{duration(expr.range)}:{step}]" + _modifiers(expr.offset, expr.at)
    if isinstance(expr, Call):
        return f"{expr.name}({', '.join(map(to_text, expr.args))})"
    if isinstance(expr, Aggregate):
        return _aggregate(expr)
    if isinstance(expr, Unary):
        return "-" + _operand(expr.expr, 6)
    return _binary(expr)


def number(value: float) -> str:
    """A number without needless digits."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def duration(seconds: float) -> str:
    """Seconds in the largest unit that divides them."""
    if seconds != int(seconds):
        return f"{round(seconds * 1000)}ms"
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{int(seconds) // size}{unit}"
    return f"{int(seconds)}s"


def _selector(expr: VectorSelector) -> str:
    bare = _NAME.fullmatch(expr.name) is not None and expr.name.lower() not in _WORDS
    matchers = [f"{_label(m.label)}{m.op}{_string(m.value)}" for m in expr.matchers]
    if bare or not expr.name:
        return f"{expr.name}{{{','.join(matchers)}}}" if matchers or not expr.name else expr.name
    return f"{{{','.join([f'__name__={_string(expr.name)}', *matchers])}}}"


def _label(name: str) -> str:
    """A label's name, in quotes where Prometheus 3 takes it in no other way."""
    return name if _LABEL.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _modifiers(offset: float, at: float | str | None) -> str:
    text = ""
    if at is not None:
        text += f" @ {at}()" if isinstance(at, str) else f" @ {number(at)}"
    if offset:
        text += f" offset {'-' if offset < 0 else ''}{duration(abs(offset))}"
    return text


def _aggregate(expr: Aggregate) -> str:
    clause = ""
    if expr.labels or expr.without:
        clause = f" {'without' if expr.without else 'by'} ({', '.join(map(_label, expr.labels))}) "
    param = f"{to_text(expr.param)}, " if expr.param is not None else ""
    return f"{expr.op}{clause}({param}{to_text(expr.expr)})"


def _operand(expr: Expr, rank: int) -> str:
    text = to_text(expr)
    tight = not isinstance(expr, (Binary, Unary)) or (isinstance(expr, Binary) and _RANK[expr.op] > rank)
    return text if tight else f"({text})"


def _whole(expr: Expr) -> str:
    """What a subquery's brackets follow: they must not be taken for a part's."""
    moved = isinstance(expr, VectorSelector) and (expr.offset or expr.at is not None)
    loose = moved or isinstance(expr, (Binary, Unary, Subquery, MatrixSelector))
    return f"({to_text(expr)})" if loose else to_text(expr)


def _binary(expr: Binary) -> str:
    rank, matching = _RANK[expr.op], expr.matching
    words = [expr.op]
    if expr.bool:
        words.append("bool")
    if matching.on is not None:
        words.append(f"on ({', '.join(map(_label, matching.on))})")
    elif matching.ignoring or matching.group:  # which cannot stand alone
        words.append(f"ignoring ({', '.join(map(_label, matching.ignoring))})")
    if matching.group:
        words.append(f"group_{matching.group} ({', '.join(map(_label, matching.include))})")
    left = _operand(expr.lhs, rank if expr.op == "^" else rank - 1)
    if expr.op == "^" and isinstance(expr.lhs, Number) and left.startswith("-"):
        left = f"({left})"  # -2 ^ 2 is -(2 ^ 2)
    right = _operand(expr.rhs, rank - 1 if expr.op == "^" else rank)
    return f"{left} {' '.join(words)} {right}"
