"""An alert that leaves labels free covers many services, an SLO's among them: its series take the SLO's label values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_sre.model.routing import Matcher
from pytest_sre.model.scenario import Labels
from pytest_sre.model.slo import Slo
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.synthesis.contrast import Behaviour, Contrast
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.shape import Shape

_GOOD = ("200", "ok", "success", "other", "")
_BAD = ("500", "error", "failed")


def aligned(contrast: Contrast, slo: Slo) -> tuple[Behaviour, ...]:
    """The behaviours with labels that the SLO's selectors want, where the alert's own selectors allow them.

    A value is changed on all series alike, so that what was joined or grouped by it still is.
    """
    behaviours = contrast.behaviours
    for label, value in _wanted(slo):
        changed = _relabelled(behaviours, {slo.part.name, slo.total.name}, label, value)
        same = len({b.labels for b in changed}) == len(behaviours)
        if same and _selected(contrast.shape, changed) == _selected(contrast.shape, behaviours):
            behaviours = changed
    return behaviours


def unlike(slo: Slo, labels: Labels) -> Labels | None:
    """The labels of requests that are in the total and not in the part; ``labels`` are those of the part."""
    for matcher in slo.part.matchers:
        if matcher not in slo.total.matchers:
            for value in (*_named(matcher, "!=", "!~"), *(_GOOD if slo.errors else _BAD)):
                pairs = {**dict(labels), matcher.label: value}
                if slo.total.matches(pairs) and not slo.part.matches(pairs):
                    return tuple(sorted(pair for pair in pairs.items() if pair[1]))
    return None


def _wanted(slo: Slo) -> Iterator[tuple[str, str]]:
    """Label values that both the part and the total ask for."""
    for matcher in slo.total.matchers:
        if slo.part.name != slo.total.name or matcher in slo.part.matchers:
            for value in _named(matcher, "=", "=~")[:1]:
                if value and all(m.matches({m.label: value}) for m in _about(slo, matcher.label)):
                    yield matcher.label, value


def _about(slo: Slo, label: str) -> list[Matcher]:
    return [m for m in (*slo.part.matchers, *slo.total.matchers) if m.label == label]


def _named(matcher: Matcher, equal: str, regex: str) -> tuple[str, ...]:
    """Values that a matcher of one of these kinds names."""
    if matcher.op == equal:
        return (matcher.value,)
    return examples(matcher.value) if matcher.op == regex else ()


def _relabelled(
    behaviours: tuple[Behaviour, ...], names: set[str], label: str, value: str
) -> tuple[Behaviour, ...]:
    concerned = [dict(b.labels) for b in behaviours if dict(b.labels)["__name__"] in names]
    olds = {labels.get(label, "") for labels in concerned}
    if len(olds) != 1 or value in olds:
        return behaviours
    old = olds.pop()
    return tuple(
        replace(b, labels=tuple(sorted({**dict(b.labels), label: value}.items())))
        if dict(b.labels).get(label, "") == old
        else b
        for b in behaviours
    )


def _selected(shape: Shape, behaviours: tuple[Behaviour, ...]) -> list[list[bool]]:
    """Which of the alert's selectors match which series."""
    series = [dict(b.labels) for b in behaviours]
    return [[selects(one, labels) for labels in series] for group in shape.raw.values() for one in group]


def selects(selector: VectorSelector, labels: Mapping[str, str]) -> bool:
    """Whether a selector of an alert matches a series; ``labels`` has ``__name__``."""
    named = selector.name in ("", labels["__name__"])
    return named and all(matcher.matches(labels) for matcher in selector.matchers)
