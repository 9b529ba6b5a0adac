"""Legs that nothing in a scenario moves: whether they hold rests on values of our own choice."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_sre.promql.condition import Leg
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.synthesis.aligned import selects
from pytest_sre.synthesis.contrast import Behaviour
from pytest_sre.synthesis.signals import Gauge


def assumed(legs: Iterable[Leg], behaviours: Iterable[Behaviour], rules: RuleIndex) -> frozenset[Leg]:
    """The legs whose series do in a burn what they do when all is well, at a level that might be another one.

    Not meant are those that read 0/1 metrics alone: that ``up`` is 1 when all is well is no choice of ours.
    """
    every = [(dict(one.labels), one) for one in behaviours]
    found = set()
    for leg in legs:
        texts = [text for text in (leg.text, leg.other) if text]
        texts += [rule.expr for text in tuple(texts) for rule in rules.closure_of(text)]
        raw = [one for text in texts for one in selectors(text) if not rules.records(one)]
        read = [one for labels, one in every if any(selects(selector, labels) for selector in raw)]
        if read and all(map(_still, read)) and not all(map(_is_flag, read)):
            found.add(leg)
    return frozenset(found)


def _still(one: Behaviour) -> bool:
    return one.healthy == one.burning


def _is_flag(one: Behaviour) -> bool:
    return one.healthy in (Gauge(0.0), Gauge(1.0))
