"""Which rules read what others record, and which of them must be evaluated round by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.resolve import fits, selectors

_STATES = ("ALERTS", "ALERTS_FOR_STATE")


@dataclass(frozen=True, slots=True)
class Block:
    """Rules that are evaluated together, by their place: all at once, or (``together``) round by round.

    ``after`` are the places of the blocks that come first; ``read`` is whether anything reads what it records.
    """

    members: tuple[int, ...]
    after: tuple[int, ...]
    together: bool
    read: bool


def blocks(rules: Sequence[Rule], offsets: Sequence[float] = ()) -> list[Block]:
    """The rules of a round, given in their order, as blocks that can be evaluated one after the other.

    ``offsets`` are their groups' `query_offset` in seconds (0 where not given).
    """
    reads = _reads(rules, offsets or [0.0] * len(rules))
    backward = {(one, other) for one, others in reads.items() for other, late in others.items() if late}
    linked = {one: set(others) for one, others in reads.items()}
    for one, other in backward:
        linked[other].add(one)
    block_of: dict[int, int] = {}
    groups = _components(linked)
    for number, group in enumerate(groups):
        block_of.update(dict.fromkeys(group, number))
    found = []
    everything_read = {other for others in reads.values() for other in others}
    for number, group in enumerate(groups):
        after = {block_of[other] for one in group for other in reads[one]} - {number}
        together = any(pair[0] in group for pair in backward)
        found.append(
            Block(tuple(sorted(group)), tuple(sorted(after)), together, bool(everything_read & set(group)))
        )
    return found


def _reads(rules: Sequence[Rule], offsets: Sequence[float]) -> dict[int, dict[int, bool]]:
    """For each rule the places of those whose series it reads, and whether what it reads can come late.

    So does what is recorded after it in a round, or under a time that the reader has already passed.
    """
    by_name: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        for name in (rule.name,) if rule.kind == "record" else _STATES:
            by_name.setdefault(name, []).append(place)
    found: dict[int, dict[int, bool]] = {}
    for place, rule in enumerate(rules):
        others = found[place] = {}
        for selector in selectors(rule.expr):
            for other in _behind(selector, by_name, rules):
                late = other >= place or offsets[other] > offsets[place] + selector.offset
                others[other] = others.get(other, False) or late
    return found


def _behind(selector: VectorSelector, by_name: Mapping[str, list[int]], rules: Sequence[Rule]) -> list[int]:
    named = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
    names = [selector.name] if selector.name else list(by_name)
    return [
        place
        for name in names
        if all(matcher.matches({"__name__": name}) for matcher in named)
        for place in by_name.get(name, ())
        if fits(rules[place], selector) and (rules[place].kind == "record" or _named(rules[place], selector))
    ]


def _named(alert: Rule, selector: VectorSelector) -> bool:
    return all(
        matcher.matches({"alertname": alert.name})
        for matcher in selector.matchers
        if matcher.label == "alertname"
    )


def _components(linked: Mapping[int, set[int]]) -> list[list[int]]:
    """Strongly connected components, those that others need first (Tarjan's algorithm, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    open_nodes: dict[int, None] = {}
    found: list[list[int]] = []
    for root in linked:
        path = [] if root in number else [(root, iter(sorted(linked[root])))]
        while path:
            node, rest = path[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                open_nodes[node] = None
            following = next(rest, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append([one for one in open_nodes if number[one] >= number[node]])
                    for one in found[-1]:
                        del open_nodes[one]
            elif following not in number:
                path.append((following, iter(sorted(linked[following]))))
            elif following in open_nodes:
                low[node] = min(low[node], number[following])
    return found
