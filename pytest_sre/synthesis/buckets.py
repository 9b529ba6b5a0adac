"""Histograms whose counts an SLO sets: buckets stay cumulative, ``+Inf`` equals ``_count``, ``_sum`` fits them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_sre.model.scenario import Labels
from pytest_sre.model.slo import Slo
from pytest_sre.synthesis.aligned import selects
from pytest_sre.synthesis.contrast import Behaviour
from pytest_sre.synthesis.shape import Shape

_SUFFIXES = ("_bucket", "_count", "_sum")
_Family = tuple[str, Labels]


def completed(
    rates: Mapping[Labels, float], slo: Slo, behaviours: Iterable[Behaviour], well: bool = False
) -> dict[Labels, float]:
    """The rates (a second) with those of all series of the histograms that some of them belong to.

    While all is ``well`` good requests are as good as can be: how good, an SLO doesn't say.
    """
    families: dict[_Family, list[Labels]] = defaultdict(list)
    for labels in dict.fromkeys([*rates, *(b.labels for b in behaviours)]):
        families[_family(labels)].append(labels)
    found = dict(rates)
    for (base, _), members in families.items():
        if base and any(labels in rates for labels in members) and any(map(_bound, members)):
            found.update(_spread(slo, {labels: rates.get(labels) for labels in members}, well))
    return found


def whole(slo: Slo, shape: Shape, behaviours: tuple[Behaviour, ...]) -> tuple[Behaviour, ...]:
    """With the SLO's own bucket and count, where the alert reads all buckets of that histogram (for a quantile of it)."""
    found = {b.labels: b for b in behaviours}
    for behaviour in behaviours:
        labels = dict(behaviour.labels)
        if _bound(behaviour.labels) is None or labels["__name__"] != slo.part.name:
            continue
        bounds = [
            matcher.value for matcher in slo.part.matchers if matcher.label == "le" and matcher.op == "="
        ]
        own = [_labels(labels, slo.part.name, bound) for bound in bounds]
        if any(_reads(shape, dict(one)) for one in own):
            base = slo.part.name.removesuffix("_bucket")
            for one in (*own, _labels(labels, f"{base}_count", ""), _labels(labels, slo.part.name, "+Inf")):
                found.setdefault(one, replace(behaviour, labels=one))
    return tuple(found.values())


def _labels(labels: Mapping[str, str], name: str, bound: str) -> Labels:
    pairs = {**labels, "__name__": name, "le": bound}
    return tuple(sorted(pair for pair in pairs.items() if pair[1]))


def _reads(shape: Shape, labels: Mapping[str, str]) -> bool:
    """Whether the alert reads a series."""
    return any(selects(one, labels) for group in shape.raw.values() for one in group)


def _family(labels: Labels) -> _Family:
    """Metric name without suffix ("" outside of histograms), and the labels that all its series share."""
    name = dict(labels)["__name__"]
    base = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), "")
    return base or "", tuple(pair for pair in labels if pair[0] not in ("__name__", "le"))


def _bound(labels: Labels) -> float | None:
    """The upper bound of a bucket in the histogram's unit; None for other series."""
    pairs = dict(labels)
    try:
        return float(pairs["le"]) if pairs["__name__"].endswith("_bucket") else None
    except (KeyError, ValueError):
        return None


def _spread(slo: Slo, members: Mapping[Labels, float | None], well: bool) -> dict[Labels, float]:
    """All series of one histogram. Good requests are even over the buckets up to the SLO's bound, others over the rest.

    While all is ``well`` the good ones are in the first bucket.
    """
    part = next((labels for labels in members if slo.part.matches(dict(labels))), None)
    limit = (_bound(part) if part is not None else None) or math.inf
    whole = max(rate or 0.0 for rate in members.values())
    good = members[part] if part is not None and limit < math.inf else whole
    good = whole if good is None else good
    bounds = sorted({bound for labels in members if (bound := _bound(labels)) is not None} | {math.inf})
    below, above = [b for b in bounds if b <= limit], [b for b in bounds if b > limit]
    counts = {bound: good * (1 if well else i / len(below)) for i, bound in enumerate(below, 1)}
    counts.update({b: good + (whole - good) * i / len(above) for i, b in enumerate(above, 1)})
    return {labels: _rate_of(labels, counts, whole) for labels in members}


def _rate_of(labels: Labels, counts: Mapping[float, float], whole: float) -> float:
    bound = _bound(labels)
    if bound is not None:
        return counts[bound]
    return _sum(counts) if dict(labels)["__name__"].endswith("_sum") else whole


def _sum(counts: Mapping[float, float]) -> float:
    """What the observations add up to when each is as large as its bucket allows, and twice the last bound above it."""
    total = before = last = 0.0
    for bound, count in counts.items():
        value = bound if bound < math.inf else 2 * last
        total += (count - before) * value
        before, last = count, value
    return total
