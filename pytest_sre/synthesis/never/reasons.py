"""The words in which a verdict is told: what can be, why, and what to change."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import COMPARISONS, Aggregate, Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.promql.printer import number, to_text
from pytest_sre.synthesis.never.labels import Labels
from pytest_sre.synthesis.never.matchers import Values
from pytest_sre.synthesis.never.span import SHARE, Span, plain
from pytest_sre.synthesis.never.verdict import Never
from pytest_sre.synthesis.never.whole import cancelled

_EDGE = {
    ">": "more than ",
    ">=": "at least ",
    "<": "less than ",
    "<=": "at most ",
    "==": "exactly ",
    "!=": "anything but ",
}
_THRESHOLD = "change the threshold or the expression so that a service in trouble can reach it"


def selectors(expr: Expr) -> Iterator[VectorSelector]:
    """All selectors of an expression."""
    return (node for node in walk(expr) if isinstance(node, VectorSelector))


def contradictory(expr: VectorSelector, label: str, base: Labels | None) -> Never:
    """A selector whose matchers on one label let nothing through."""
    matchers = [str(matcher) for matcher in expr.matchers if matcher.label == label]
    if base is not None and label in base.known:
        return Never(
            f"no series has {' and '.join(matchers)}: {base.of(label).why}", to_text(expr), "mend the matcher"
        )
    together = (
        "let no value through together"
        if len(matchers) > 1
        else "lets nothing through: it rules out every value, and a missing label too"
    )
    return Never(f"{' and '.join(matchers)} {together}", to_text(expr), f"mend the matchers of {label}")


def not_recorded(expr: VectorSelector, rule: Rule, label: str, has: Values) -> Never:
    """A selector that asks for a label which the rule never writes."""
    matchers = " and ".join(str(matcher) for matcher in expr.matchers if matcher.label == label)
    return Never(
        f"no recorded series has {matchers}: {_which(label, has)}, as {rule.name} is recorded ({rule.location})",
        to_text(expr),
        f"mend the matcher, or make the recording rule keep {label}",
    )


def apart(expr: Binary, label: str, left: Values, right: Values) -> Never:
    """Two sides whose elements differ in a label by which they are matched."""
    matching = expr.matching
    how = (
        f"on ({', '.join(matching.on)})"
        if matching.on is not None
        else f"all labels but {', '.join(matching.ignoring)}"
        if matching.ignoring
        else "all labels"
    )
    return Never(
        f"{expr.op} matches by {how}, and both sides never agree on {label}: on the left {_which(label, left)}, "
        f"on the right {_which(label, right)}",
        to_text(expr),
        f"leave {label} out of the matching with on(...) or ignoring({label}), or give both sides the label",
    )


def _which(label: str, values: Values) -> str:
    """What is known of a label."""
    why = f" ({values.why})" if values.why else ""
    if values.listed == frozenset({""}):
        return f"{label} is never there{why}"
    if values.listed is not None:
        texts = sorted(f'"{text}"' if text else "absent" for text in values.listed)
        shown = ", ".join(texts[:4]) + (", …" if len(texts) > 4 else "")
        return f"{label} is always {shown}{why}" if len(texts) == 1 else f"{label} is one of {shown}{why}"
    if values.never_absent:
        return f"{label} is always there{why}"
    return f"{label} satisfies {', '.join(map(str, values.matchers))}{why}"


def without_le(expr: Call, why: str) -> Never:
    """A quantile of buckets that have lost their bounds."""
    return Never(
        f"histogram_quantile() needs the label le of the buckets, which is not there: {why}",
        to_text(expr),
        "keep le: sum by (le, ...) (rate(..._bucket[5m]))",
    )


def never_absent(expr: Call) -> Never:
    """``absent()`` of what is always there."""
    return Never(
        f"{to_text(expr.args[0])} always has a result, so that {expr.name}() never has one",
        to_text(expr),
        "ask absent() of the series themselves",
    )


def both(left: Never, right: Never) -> Never:
    """Neither side of ``or`` can have a result."""
    more = (
        ""
        if left.reason == right.reason
        else f"; nor can the right side of or ({right.part}): {right.reason}"
    )
    return Never(left.reason + more, left.part, left.next_step)


def out_of_reach(expr: Binary, vector: Expr, op: str, left: Span, right: Span) -> Never:
    """A comparison that no value satisfies."""
    part = to_text(expr)
    burn = _burn(expr, left)
    if burn:
        return Never(
            burn, part, "lower the factor or raise the objective: even 100 % errors do not burn that fast"
        )
    share = (
        " (100 % errors)"
        if left == SHARE and expr.op in (">", ">=") and vector is expr.lhs and _has_share(vector)
        else ""
    )
    side = "left" if vector is expr.lhs else "right"
    what = "ratio" if share else "value"
    upper = op in (">", ">=") or (op == "==" and left.high <= right.low)
    limit = number(float(plain(right.low if upper else right.high)))
    fixed = cancelled(vector) if isinstance(vector, Binary) else None
    if fixed is not None:
        seen = f"the value on the {side} is always {plain(fixed)}, as each series is divided by itself"
    elif op == "!=" or left.single is not None:
        seen = f"the {what} on the {side} is always {plain(left.low)}"
    elif upper:
        seen = f"the {what} on the {side} is {'less than' if left.high_open else 'at most'} {plain(left.high)}{share}"
    else:
        seen = f"the {what} on the {side} is {'more than' if left.low_open else 'at least'} {plain(left.low)}"
    why, step = _cause(vector, left, op, right)
    return Never(f"{seen}, the rule needs {_EDGE[op]}{limit}{why}", part, step)


def threshold(op: str, right: Span) -> str:
    """The end of a span that a comparison looks at."""
    return plain(right.low if op in (">", ">=") else right.high) if right.single is None else plain(right.low)


def _cause(vector: Expr, left: Span, op: str, right: Span) -> tuple[str, str]:
    """Why values end there, where that is a trap, and what to do."""
    if isinstance(vector, Aggregate):
        inner = vector.expr
        if vector.op == "count" and left.low == 1 and not right.low >= 1:
            return (
                ": where there is nothing to count, count() has no result",
                f"ask absent({to_text(inner)}), or sum instead of count where the values are 0 or 1"
                + ("" if vector.labels or vector.without else ", or write count(...) or vector(0)"),
            )
        filtered = isinstance(inner, Binary) and inner.op in COMPARISONS and not inner.bool
        if filtered and vector.op in ("sum", "avg", "min", "max"):
            return (
                f": {to_text(inner)} keeps the values of its left side",
                f"count them: count(...) instead of {vector.op}(...), or write the comparison with bool",
            )
    if isinstance(vector, Call) and vector.name in ("absent", "absent_over_time"):
        return ": absent() is 1, or has no result", f"ask {to_text(vector)} alone"
    if isinstance(vector, Binary) and vector.op in COMPARISONS and not vector.bool:
        return (
            ": a comparison keeps the values of its left side",
            "write the conditions with and, or the first with bool",
        )
    quantile = any(isinstance(node, Call) and node.name == "histogram_quantile" for node in walk(vector))
    if quantile and math.isfinite(left.high):
        return (
            ": a quantile is at most the highest finite bucket, as the snapshots show them",
            "give the histogram buckets above the threshold, or lower it",
        )
    if math.isfinite(left.high) and left.high <= 1 and op in (">", ">=") and 1 < right.low <= 100:
        return "", "if the threshold is in percent, multiply the ratio by 100 or divide the threshold"
    return "", _THRESHOLD


def _has_share(expr: Expr) -> bool:
    """Whether an expression is about errors as a part of requests, as far as its shape tells."""
    if isinstance(expr, VectorSelector):
        return expr.name != "up"
    if isinstance(expr, Binary):
        return expr.op in ("/", "-")
    return isinstance(expr, Aggregate) and _has_share(expr.expr)


def _burn(expr: Binary, left: Span) -> str:
    """The reason in terms of burn rates, where the threshold is a factor times an error budget."""
    product = expr.rhs
    if not (isinstance(product, Binary) and product.op == "*" and expr.op in (">", ">=") and left == SHARE):
        return ""
    a, b = fold(product.lhs), fold(product.rhs)
    if a is None or b is None:
        return ""
    factor, budget = max(a, b), min(a, b)
    if not 0 < budget < 1 <= factor:
        return ""
    return (
        f"{number(factor)} x {_short(budget)}: at most {_short(1 / budget)}x burn is possible at an objective of "
        f"{_short(100 * (1 - budget))} %, the rule needs {_EDGE[expr.op]}{number(factor)}x"
    )


def _short(value: float) -> str:
    return f"{value:.6g}"
