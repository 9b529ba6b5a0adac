"""The truth of an SLO put into an alert's series: this share of the requests fails, whatever the alert's threshold is.

Set are the series that the SLO's selectors match. All others stay healthy, so that nothing but the SLO's own error ratio
can make the alert fire. Traffic stays the same before, during and after; only the mix changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pytest_sre.model.routing import Matcher
from pytest_sre.model.scenario import Labels
from pytest_sre.model.slo import Slo
from pytest_sre.synthesis import buckets
from pytest_sre.synthesis.aligned import aligned, unlike
from pytest_sre.synthesis.contrast import Behaviour, Contrast
from pytest_sre.synthesis.entities import TRAFFIC
from pytest_sre.synthesis.signals import Counter, Signal

HEALTHY = 0.1
"""How much of what its budget allows fails in a service that is fine."""
Role = Literal["errors", "good", "total"]
Rates = dict[Labels, float]


def role(slo: Slo, labels: Mapping[str, str]) -> Role | None:
    """What a raw series counts; what is in the total but isn't an error is a good request, and the other way round.

    ``total`` is a series that counts all requests: another metric than the part, or another value of one of its labels.
    """
    if slo.part.matches(labels):
        return "errors" if slo.errors else "good"
    if not slo.total.matches(labels):
        return None
    if is_apart(slo):
        return "total"
    return "good" if slo.errors else "errors"


def is_apart(slo: Slo) -> bool:
    """Whether the part is counted beside the total (another metric, ``le="0.3"`` beside ``le="+Inf"``), not within it."""
    part, total = slo.part, slo.total
    return part.name != total.name or _refused(part.matchers, total.matchers)


def _refused(some: Sequence[Matcher], others: Sequence[Matcher]) -> bool:
    """Whether a value that one of two selectors names is refused by the other."""
    pairs = [(one, other) for one in some for other in others]
    pairs += [(other, one) for one, other in pairs]
    return any(
        a.op == "=" and a.label == b.label and not b.matches({a.label: a.value}) for a, b in pairs
    )  # fmt: skip


def at_ratio(
    contrast: Contrast, slo: Slo, ratio: float, well: float = HEALTHY
) -> tuple[Behaviour, ...] | None:
    """The alert's series when ``ratio`` (0..1) of the SLO's requests fail while it burns, else ``well`` of the budget.

    None: the alert does not read both the part and the total of the SLO's series, so it isn't about this SLO.
    """
    behaviours = buckets.whole(slo, contrast.shape, aligned(contrast, slo))
    known = {b.labels: found for b in behaviours if (found := role(slo, dict(b.labels)))}
    part = "errors" if slo.errors else "good"
    if part not in known.values() or (is_apart(slo) and "total" not in known.values()):
        return None
    healthy: Rates = {}
    burning: Rates = {}
    for group in _groups(slo, known):
        traffic = _traffic(slo, behaviours, group)
        for share, rates in ((well * slo.budget, healthy), (ratio, burning)):
            rates.update(_mixed(group, traffic, share))
    healthy = buckets.completed(healthy, slo, behaviours, well=True)
    burning = buckets.completed(burning, slo, behaviours)
    made = [_counted(labels, healthy[labels], burning[labels]) for labels in healthy]
    return (*made, *(_still(b) for b in behaviours if b.labels not in healthy and b.healthy is not None))


def _groups(slo: Slo, known: Mapping[Labels, Role]) -> list[dict[Labels, Role]]:
    """Series that make up one ratio: alike but for the labels that tell the part from the rest.

    All together where some would be without errors, or some without the rest.
    """
    apart = {m.label for m in set(slo.part.matchers) ^ set(slo.total.matchers)}
    groups: dict[Labels, dict[Labels, Role]] = defaultdict(dict)
    for labels, found in known.items():
        groups[tuple(p for p in labels if p[0] not in {*apart, "__name__", "le"})][labels] = found
    parts = list(groups.values())
    if len(parts) > 1 and any(len(set(group.values())) < 2 for group in parts):
        parts = [dict(known)]
    return [_with_rest(slo, group) for group in parts]


def _with_rest(slo: Slo, group: dict[Labels, Role]) -> dict[Labels, Role]:
    """Where the alert reads only the part, the other requests are there all the same."""
    if len(set(group.values())) < 2:
        labels = unlike(slo, next(iter(group)))
        found = role(slo, dict(labels)) if labels else None
        if labels and found:
            return {**group, labels: found}
    return group


def _traffic(slo: Slo, behaviours: Iterable[Behaviour], group: Mapping[Labels, Role]) -> float:
    """Requests a second: usual ones, or more where the alert asks for more."""
    counted = [b for b in behaviours if b.labels in group and slo.total.matches(dict(b.labels))]
    return max(TRAFFIC, sum(_rate(b.healthy) for b in counted), sum(_rate(b.burning) for b in counted))


def _rate(signal: Signal | None) -> float:
    return signal.rate if isinstance(signal, Counter) else 0.0


def _mixed(group: Mapping[Labels, Role], traffic: float, ratio: float) -> Rates:
    """Events a second of each series when ``ratio`` of the requests fail; series of one role share evenly."""
    share: dict[Role, float] = {"errors": ratio, "good": 1 - ratio, "total": 1.0}
    count = {one: list(group.values()).count(one) for one in share}
    return {labels: traffic * share[found] / count[found] for labels, found in group.items()}


def _counted(labels: Labels, healthy: float, burning: float) -> Behaviour:
    return Behaviour(labels, Counter(healthy), Counter(healthy), Counter(burning))


def _still(behaviour: Behaviour) -> Behaviour:
    return Behaviour(behaviour.labels, behaviour.healthy, behaviour.healthy, behaviour.healthy)
