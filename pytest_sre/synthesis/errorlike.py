"""Which counters count what goes wrong, told by what they do to an alert, not by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pytest_sre.promql.ast import Binary, Expr, VectorSelector, walk
from pytest_sre.promql.resolve import RuleIndex, selectors, selectors_of
from pytest_sre.synthesis.entities import TRAFFIC, Entity, is_error
from pytest_sre.synthesis.search import Trial
from pytest_sre.synthesis.signals import Counter

_MORE = 1e6


def error_rates(
    entities: list[Entity],
    exprs: Iterable[Expr],
    rules: RuleIndex,
    score: Callable[[], float],
    share: float,
) -> dict[Entity, Counter]:
    """What each counter of errors counts while all is well: ``share`` of the traffic of its whole.

    ``entities`` do what makes the alert fire; ``score`` is positive as long as it does, and falls the farther it is
    from that. What entities do afterwards is left open.
    """
    counters = [entity for entity in entities if entity.kind == "counter"]
    found = {entity: Counter(share * TRAFFIC) for entity in counters if is_error(entity.name)}
    owner = {id(entity.tracks[0]): entity for entity in counters}
    trial = Trial(counters)
    known: dict[Entity, bool] = {}
    for part, whole in _ratios(exprs, rules):
        inside, all_of = _selected([*part, *whole], trial, owner), _selected(whole, trial, owner)
        if len(inside) < 2 or not all_of or any(entity in known for entity in inside):
            continue
        for entity in inside:
            entity.set(Counter(TRAFFIC))
        known.update({entity: _is_error(entity, score) for entity in inside})
        errors = [entity for entity in inside if known[entity]]
        good = sum(not known[entity] for entity in all_of)
        if errors and good:
            for entity in inside:
                found.pop(entity, None)
            for entity in errors:
                found[entity] = Counter(share * TRAFFIC * good / len(errors))
                entity.set(found[entity])
    return found


def _is_error(entity: Entity, score: Callable[[], float]) -> bool:
    """Whether less of it silences the alert and more of it does not."""
    base = score()
    entity.set(Counter(TRAFFIC / _MORE))
    less = score()
    entity.set(Counter(TRAFFIC * _MORE))
    more = score()
    entity.set(Counter(TRAFFIC))
    if (less > 0) != (more > 0):
        return more > 0
    return not (base > 0 >= more) and less < more


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
