"""Which counters count what goes wrong, told by what they do to an alert, not by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pytest_sre.promql.ast import Binary, Expr, VectorSelector, walk
from pytest_sre.promql.resolve import RuleIndex, selectors, selectors_of
from pytest_sre.synthesis.entities import TRAFFIC, Entity, Option, is_error
from pytest_sre.synthesis.search import Trial
from pytest_sre.synthesis.signals import Counter

_MORE = 1000.0


def error_rates(
    entities: list[Entity],
    exprs: Iterable[Expr],
    rules: RuleIndex,
    fires: Callable[[], bool],
    share: float,
) -> dict[Entity, Counter]:
    """What each counter of errors counts while all is well: ``share`` of the traffic of its whole.

    ``entities`` do what makes the alert fire, and do so again afterwards; ``fires`` tells whether it still does.
    """
    counters = [entity for entity in entities if entity.kind == "counter"]
    found = {entity: Counter(share * TRAFFIC) for entity in counters if is_error(entity.name)}
    owner = {id(entity.tracks[0]): entity for entity in counters}
    trial = Trial(counters)
    known: dict[Entity, bool] = {}
    for part, whole in _ratios(exprs, rules):
        inside = _selected([*part, *whole], trial, owner)
        if not _selected(part, trial, owner) or not _selected(whole, trial, owner):
            continue
        for entity in inside:
            if entity not in known:
                known[entity] = entity in found or _is_error(entity, fires)
        errors = [entity for entity in inside if known[entity]]
        good = sum(not known[entity] for entity in _selected(whole, trial, owner))
        if errors and good:
            rate = share * TRAFFIC * good / len(errors)
            found.update(dict.fromkeys(errors, Counter(rate)))
    return found


def _is_error(entity: Entity, fires: Callable[[], bool]) -> bool:
    """Whether less of it silences the alert and more of it does not."""
    kept = entity.option
    rate = kept.rate if isinstance(kept, Counter) and kept.rate else TRAFFIC
    try:
        return not _would(entity, Counter(rate / _MORE), fires) and _would(
            entity, Counter(rate * _MORE), fires
        )
    finally:
        entity.set(kept)


def _would(entity: Entity, option: Option, fires: Callable[[], bool]) -> bool:
    entity.set(option)
    return fires()


def _selected(wanted: Iterable[VectorSelector], trial: Trial, owner: dict[int, Entity]) -> dict[Entity, None]:
    """The counters that some selectors match, in order."""
    return {owner[id(track)]: None for selector in wanted for track in trial.select(selector)}


def _ratios(
    exprs: Iterable[Expr], rules: RuleIndex
) -> Iterator[tuple[list[VectorSelector], list[VectorSelector]]]:
    """The raw selectors on either side of each division."""
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Binary) and node.op == "/":
                sides = list(_raw(node.lhs, rules)), list(_raw(node.rhs, rules))
                if all(sides):
                    yield sides


def _raw(expr: Expr, rules: RuleIndex) -> Iterator[VectorSelector]:
    """The raw selectors of an expression and of the rules behind it."""
    for selector in selectors_of(expr):
        if not rules.records(selector):
            yield selector
        for rule in rules.behind(selector):
            for inner in rules.closure_of(rule.expr):
                yield from _plain(inner.expr, rules)
            yield from _plain(rule.expr, rules)


def _plain(text: str, rules: RuleIndex) -> Iterator[VectorSelector]:
    yield from (selector for selector in selectors(text) if not rules.records(selector))
