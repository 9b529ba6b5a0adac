"""Native histograms as promtool's notation writes them: ``{{schema:1 sum:2 count:3 buckets:[1 2]}}``.

Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from pytest_sre.model.samples import RESET_HINTS, Buckets, Histogram, ResetHint, ShownHistogram

_FLOAT = r"[-+]?(?:\d[\d_]*\.?\d*(?:e[-+]?\d+)?|inf|nan)"
_KINDS = {
    **dict.fromkeys(("schema", "offset", "n_offset"), r"-?\d+"),
    **dict.fromkeys(("sum", "count", "z_bucket", "z_bucket_w"), _FLOAT),
    **dict.fromkeys(("buckets", "n_buckets", "custom_values"), rf"\[\s*(?:{_FLOAT}\s*)+\]"),
    "counter_reset_hint": "|".join(RESET_HINTS),
}
_ITEM = re.compile(r"(\w+):(\[[^\]]*\]|[^\s\[\]]+)(?:\s+|$)", re.I)
CUSTOM = -53
_WIDE = 10_000


def parse(text: str) -> Histogram:
    """The histogram of ``{{…}}``; raises ValueError."""
    inner, found, at = text[2:-2].strip(), dict[str, str](), 0
    while at < len(inner):
        item = _ITEM.match(inner, at)
        key = item[1].lower() if item else ""
        if not item or key not in _KINDS or not re.fullmatch(_KINDS[key], item[2], re.I):
            raise ValueError(f"{text}: {inner[at:]!r} is none of {', '.join(_KINDS)} with a fitting value")
        if key in found:
            raise ValueError(f"{text}: {key} is set twice")
        found[key], at = item[2], item.end()
    return _checked(
        Histogram(
            schema=int(found.get("schema", "0")),
            count=_number(found.get("count", "0")),
            sum=_number(found.get("sum", "0")),
            zero_threshold=_number(found.get("z_bucket_w", "0")),
            zero_count=_number(found.get("z_bucket", "0")),
            positive=_buckets(found.get("offset"), found.get("buckets")),
            negative=_buckets(found.get("n_offset"), found.get("n_buckets")),
            custom_values=_numbers(found.get("custom_values")),
            hint=cast(ResetHint, found.get("counter_reset_hint", "unknown").lower()),
        ),
        text,
    )


def _checked(value: Histogram, text: str) -> Histogram:
    if value.schema != CUSTOM and not -4 <= value.schema <= 8:
        raise ValueError(f"{text}: schema must be between -4 and 8, or {CUSTOM} with custom_values")
    return value


def _number(text: str) -> float:
    return float(text.replace("_", ""))


def _numbers(text: str | None) -> tuple[float, ...]:
    return tuple(map(_number, text[1:-1].split())) if text else ()


def _buckets(offset: str | None, counts: str | None) -> Buckets:
    return Buckets(int(offset or 0), _numbers(counts)) if counts else Buckets()


def add(one: Histogram, other: Histogram, sign: float = 1.0) -> Histogram:
    """One histogram plus (or minus) another, in the first one's schema; raises ValueError.

    Source: FloatHistogram.Add and Sub of Prometheus' model/histogram/float_histogram.go.
    """
    if one.schema > other.schema:
        raise ValueError(f"histograms of schema {one.schema} and {other.schema} cannot be combined")
    if one.custom_values != other.custom_values:
        raise ValueError("histograms with different custom_values cannot be combined")
    if one.zero_threshold != other.zero_threshold:
        raise ValueError("histograms with different z_bucket_w cannot be combined here")
    finer = 0 if one.schema == CUSTOM else other.schema - one.schema
    return replace(
        one,
        count=one.count + sign * other.count,
        sum=one.sum + sign * other.sum,
        zero_count=one.zero_count + sign * other.zero_count,
        positive=_add(one.positive, _coarser(other.positive, finer), sign),
        negative=_add(one.negative, _coarser(other.negative, finer), sign),
        hint=_hint(one.hint, other.hint),
    )


def _hint(one: ResetHint, other: ResetHint) -> ResetHint:
    return one if one == other else "gauge" if "gauge" in (one, other) else "unknown"


def _coarser(side: Buckets, steps: int) -> Buckets:
    """Buckets of a schema lower by ``steps``: index i becomes ceil(i / 2^steps)."""
    if not steps or not side.counts:
        return side
    first, last = (-(-i >> steps) for i in (side.offset, side.offset + len(side.counts) - 1))
    counts = [0.0] * (last - first + 1)
    for i, count in enumerate(side.counts, side.offset):
        counts[-(-i >> steps) - first] += count
    return Buckets(first, tuple(counts))


def _add(one: Buckets, other: Buckets, sign: float) -> Buckets:
    if not other.counts:
        return one
    first = min(one.offset, other.offset) if one.counts else other.offset
    last = max(one.offset + len(one.counts), other.offset + len(other.counts)) if one.counts else 0
    counts = [0.0] * ((last or other.offset + len(other.counts)) - first)
    if len(counts) > _WIDE:
        raise ValueError("histograms whose buckets lie too far apart")
    for side, factor in ((one, 1.0), (other, sign)):
        for i, count in enumerate(side.counts, side.offset - first):
            counts[i] += factor * count
    return Buckets(first, tuple(counts))


def write(value: Histogram) -> str:
    """A histogram in the notation; ``parse`` gives it back."""
    both: list[tuple[str, object, Callable[[object], str]]] = [
        ("schema", value.schema, str),
        ("sum", value.sum, repr),
        ("count", value.count, repr),
        ("z_bucket", value.zero_count, repr),
        ("z_bucket_w", value.zero_threshold, repr),
        ("offset", value.positive.offset, str),
        ("buckets", value.positive.counts, _listed),
        ("n_offset", value.negative.offset, str),
        ("n_buckets", value.negative.counts, _listed),
        ("custom_values", value.custom_values, _listed),
        ("counter_reset_hint", value.hint if value.hint != "unknown" else "", str),
    ]
    return "{{" + " ".join(f"{key}:{show(item)}" for key, item, show in both if item) + "}}"


def _listed(items: object) -> str:
    assert isinstance(items, tuple)
    return "[" + " ".join(map(repr, items)) + "]"


def shown(value: Histogram) -> ShownHistogram:
    """A histogram as Prometheus' API gives it.

    Source: https://prometheus.io/docs/specs/native_histograms/#schema: bucket i ends at 2^(i * 2^-schema).
    """

    def bound(i: int) -> float:
        if value.schema != CUSTOM:
            exponent = i * 2.0**-value.schema
            return math.inf if exponent >= 1024 else 2.0**exponent
        return -math.inf if i < 0 else value.custom_values[i] if i < len(value.custom_values) else math.inf

    positive = [
        (bound(i - 1), bound(i), n) for i, n in enumerate(value.positive.counts, value.positive.offset)
    ]
    negative = [
        (-bound(i), -bound(i - 1), n) for i, n in enumerate(value.negative.counts, value.negative.offset)
    ]
    zero = (-value.zero_threshold, value.zero_threshold, value.zero_count)
    return ShownHistogram(
        value.count, value.sum, tuple(one for one in (*negative[::-1], zero, *positive) if one[2])
    )
