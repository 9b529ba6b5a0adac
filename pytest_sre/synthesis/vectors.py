"""Operators and aggregations over vectors whose elements carry distances."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pytest_sre.promql.ast import COMPARISONS, Aggregate, Binary, Matching
from pytest_sre.promql.fold import arithmetic, holds
from pytest_sre.synthesis.element import STRUCTURE, Element, EvalError, Vector, nameless

Key = tuple[tuple[str, str], ...]
EXACT = 0.01
"""How far a comparison that holds exactly (==) is from not holding, at least."""
_ROUNDING = 1e-9
_LEAST = 1e-12
_BEHIND = 0.001
_TIMES, _DAY = 0.01, 86400.0


def gap(op: str, a: float, b: float) -> tuple[float, float]:
    """(how far a comparison is from true, how far from false); one of them is 0."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return (0.0, EXACT) if holds(op, a, b) else (1.5, 0.0)
    apart = abs(a - b) / (abs(a) + abs(b) + 1e-12)
    if (
        apart < _TIMES and min(a, b) > 1e9
    ):  # times of our days: a minute counts, though they are almost the same
        apart = abs(a - b) / (abs(a - b) + _DAY)
    if a != b:
        apart = max(apart, _LEAST)  # what last digits decide is not taken for what holds exactly
    if op == "==":
        return (0.0, EXACT) if a == b else (EXACT + apart, 0.0)
    if op == "!=":
        return (0.0, EXACT + apart) if a != b else (EXACT, 0.0)
    if holds(op, a, b):
        return (0.0, EXACT + apart)
    if not (a and b):  # all numbers are as far from 0, relatively
        apart = (apart + abs(a - b) / (abs(a - b) + 1)) / 2
    return (EXACT + apart, 0.0)


def _computed(op: str, a: float, b: float) -> float:
    """The value of an operation; 0 where last digits are all that is left of a difference: no data are built on these."""
    value = arithmetic(op, a, b)
    return 0.0 if op in ("+", "-") and abs(value) < _LEAST * max(abs(a), abs(b)) else value


def with_scalar(node: Binary, vector: Vector, scalar: float, swapped: bool) -> Vector:
    """A vector combined with a number (``swapped``: the number stands on the left)."""
    op, result = node.op, []
    compare = op in COMPARISONS
    for labels, value, off, gone, bad in vector:
        a, b = (scalar, value) if swapped else (value, scalar)
        if not compare:
            computed = _computed(op, a, b)
            rotten = bad or not math.isfinite(computed)
            result.append(Element(nameless(labels), computed, off, gone, rotten))
            continue
        bad = bad or not (math.isfinite(a) and math.isfinite(b))
        if node.bool:
            result.append(Element(nameless(labels), float(holds(op, a, b)), off, gone, bad))
            continue
        to_true, to_false = gap(op, a, b)
        result.append(Element(labels, value, off + to_true, min(gone, to_false), bad))
    return result


def matching_key(matching: Matching) -> Callable[[dict[str, str]], Key]:
    """What must agree for two elements to match."""
    if matching.on is not None:
        on = matching.on
        return lambda labels: tuple([(label, labels[label]) for label in on if label in labels])
    ignored = frozenset((*matching.ignoring, "__name__"))
    return lambda labels: tuple(sorted([item for item in labels.items() if item[0] not in ignored]))


def _table(vector: Vector, key: Callable[[dict[str, str]], Key]) -> dict[Key, Vector]:
    table: dict[Key, Vector] = {}
    for element in vector:
        table.setdefault(key(element.labels), []).append(element)
    return table


def set_operation(node: Binary, lhs: Vector, rhs: Vector) -> Vector:
    """``and``, ``or`` and ``unless``."""
    key = matching_key(node.matching)
    if node.op == "or":
        there = {key(element.labels) for element in lhs if not element.off}
        hidden = {key(element.labels): element.gone for element in rhs if not element.off}
        # what hides another vanishes only when that does too: farther, if not by much
        shown = [
            element if element.off or element.gone <= 2 * EXACT
            else element._replace(gone=element.gone + _BEHIND * hidden.get(key(element.labels), 0.0))
            for element in lhs
        ]  # fmt: skip
        return shown + [element for element in rhs if key(element.labels) not in there]
    table = _table(rhs, key)
    result = []
    for labels, value, off, gone, bad in lhs:
        partners = table.get(key(labels), [])
        if node.op == "and":
            if not partners:
                result.append(Element(labels, value, off + STRUCTURE, gone, bad))
                continue
            best = min(partners, key=lambda partner: (partner.bad, partner.off))
            present = [partner.gone for partner in partners if not partner.off]
            gone = min(gone, max(present, default=gone))
            result.append(Element(labels, value, off + best.off, gone, bad or best.bad))
        else:
            in_the_way = sum(partner.gone for partner in partners if not partner.off)
            away = min((partner.off for partner in partners if partner.off), default=1.0)
            result.append(Element(labels, value, off + in_the_way, min(gone, away), bad))
    return result


def between(node: Binary, lhs: Vector, rhs: Vector) -> Vector:
    """Arithmetic and comparisons between vectors. Raises EvalError for many-to-many matching."""
    matching, key = node.matching, matching_key(node.matching)
    many, one = (rhs, lhs) if matching.group == "right" else (lhs, rhs)
    table = {match: _only(found, "one") for match, found in _table(one, key).items()}
    if not matching.group:
        kept = [(match, _only(found, "left")) for match, found in _table(many, key).items()]
    else:
        kept = [(key(element.labels), element) for element in many]
    result: Vector = []
    for match, element in kept:
        partner = table.get(match)
        if partner is None:
            result.append(element._replace(off=element.off + STRUCTURE, labels=nameless(element.labels)))
            continue
        left, right = (partner, element) if matching.group == "right" else (element, partner)
        result.append(_pair(node, left, right, element, partner))
    _distinct(result, node)
    return result


def _distinct(result: Vector, node: Binary) -> None:
    if not node.matching.group:
        return
    seen = set()
    for element in result:
        if not element.off:
            found = tuple(sorted(element.labels.items()))
            if found in seen:
                raise EvalError("multiple matches for labels: grouping labels must ensure unique matches")
            seen.add(found)


def _only(found: Vector, side: str) -> Element:
    if len(found) == 1:
        return found[0]
    if sum(not element.off for element in found) > 1:
        raise EvalError(f"many-to-many matching: duplicate series on the {side} side")
    return min(found, key=lambda element: element.off)


def _pair(node: Binary, left: Element, right: Element, many: Element, one: Element) -> Element:
    op, a, b = node.op, left.value, right.value
    off = left.off + right.off
    gone = min(left.gone, right.gone)
    bad = left.bad or right.bad
    labels = _result_labels(node, many, one)
    if op not in COMPARISONS:
        value = _computed(op, a, b)
        return Element(labels, value, off, gone, bad or not math.isfinite(value))
    bad = bad or not (math.isfinite(a) and math.isfinite(b))
    if node.bool:
        return Element(labels, float(holds(op, a, b)), off, gone, bad)
    to_true, to_false = gap(op, a, b)
    return Element(labels, a, off + to_true, min(gone, to_false), bad)


def _result_labels(node: Binary, many: Element, one: Element) -> dict[str, str]:
    matching = node.matching
    drop_name = node.op not in COMPARISONS or node.bool
    labels = nameless(many.labels) if drop_name else dict(many.labels)
    if not matching.group:
        if matching.on is not None:
            return {label: labels[label] for label in matching.on if label in labels}
        return {label: value for label, value in labels.items() if label not in matching.ignoring}
    for label in matching.include:
        labels = {key: value for key, value in labels.items() if key != label}
        if one.labels.get(label):
            labels[label] = one.labels[label]
    return labels


def aggregate(node: Aggregate, vector: Vector, param: float | str) -> Vector:
    """All aggregations; an absent group is judged by its ghosts."""
    if not node.labels and not node.without:
        return _group(node.op, {}, vector, param) if vector else []
    groups: dict[Key, tuple[dict[str, str], Vector]] = {}
    drop = frozenset((*node.labels, "__name__"))
    for element in vector:
        if node.without:
            labels = {key: value for key, value in element.labels.items() if key not in drop}
        else:
            labels = {label: element.labels[label] for label in node.labels if label in element.labels}
        groups.setdefault(tuple(sorted(labels.items())), (labels, []))[1].append(element)
    result: Vector = []
    for labels, members in groups.values():
        result += _group(node.op, labels, members, param)
    return result


def _group(op: str, labels: dict[str, str], members: Vector, param: float | str) -> Vector:
    present = [member for member in members if not member.off]
    off = 0.0 if present else min([member.off for member in members])
    used = present or members
    if op in ("topk", "bottomk", "limitk"):
        sign = -1.0 if op == "topk" else 1.0
        ordered = sorted(used, key=lambda member: sign * member.value if op != "limitk" else 0.0)
        return ordered[: max(0, int(float(param)))]
    gone = max([member.gone for member in present], default=0.0)
    bad = any(member.bad for member in used)
    if op == "count_values":
        counts: dict[float, int] = {}
        for member in used:
            counts[member.value] = counts.get(member.value, 0) + 1
        return [
            Element({**labels, str(param): f"{value:g}"}, float(count), off, gone, bad)
            for value, count in counts.items()
        ]
    value = _fold(op, [member.value for member in used], param)
    return [Element(labels, value, off, gone, bad or not math.isfinite(value))]


def _fold(op: str, values: list[float], param: float | str) -> float:
    count = len(values)
    if op == "sum":
        return sum(values)
    if op == "avg":
        return sum(values) / count
    if op == "min":
        return min(values)
    if op == "max":
        return max(values)
    if op == "count":
        return float(count)
    if op == "group":
        return 1.0
    if op == "quantile":
        return quantile(float(param), values)
    return math.sqrt(variance(values)) if op == "stddev" else variance(values)


def variance(values: Sequence[float]) -> float:
    """The population variance; 0 where values differ in their last digits only: no data are built on these."""
    mean = math.fsum(values) / len(values)
    found = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return 0.0 if found <= (_ROUNDING * mean) ** 2 else found


def quantile(q: float, values: list[float]) -> float:
    """Prometheus' quantile of plain values (linear between ranks)."""
    if not values or math.isnan(q):
        return math.nan
    if q < 0 or q > 1:
        return -math.inf if q < 0 else math.inf
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)
