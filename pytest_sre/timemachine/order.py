"""Which rules read what others record, and which of them must be evaluated round by round."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
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


def blocks(rules: Sequence[Rule], groups: Sequence[Hashable]) -> list[Block]:
    """The rules of a round as blocks that can be evaluated one after the other.

    Rules of the same of ``groups`` are evaluated in the order given; whole groups in one that suits their readers.
    """
    reads = _reads(rules)
    backward = {
        (one, other)
        for one, others in reads.items()
        for other in others
        if other >= one and groups[one] == groups[other]
    }
    linked = {one: set(others) for one, others in reads.items()}
    for one, other in backward:
        linked[other].add(one)
    block_of: dict[int, int] = {}
    components = _components(linked)
    for number, members in enumerate(components):
        block_of.update(dict.fromkeys(members, number))
    found = []
    everything_read = {other for others in reads.values() for other in others}
    for number, members in enumerate(components):
        after = {block_of[other] for one in members for other in reads[one]} - {number}
        together = len(members) > 1 or members[0] in reads[members[0]]
        read = bool(everything_read & set(members))
        found.append(Block(tuple(sorted(members)), tuple(sorted(after)), together, read))
    return found


def _reads(rules: Sequence[Rule]) -> dict[int, set[int]]:
    """For each rule the places of those whose series it reads."""
    by_name: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        for name in (rule.name,) if rule.kind == "record" else _STATES:
            by_name.setdefault(name, []).append(place)
    return {
        place: {other for selector in selectors(rule.expr) for other in _behind(selector, by_name, rules)}
        for place, rule in enumerate(rules)
    }


def _behind(selector: VectorSelector, by_name: Mapping[str, list[int]], rules: Sequence[Rule]) -> list[int]:
    named = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
    names = [selector.name] if selector.name else list(by_name)
    return [
        place
        for name in names
        if all(matcher.matches({"__name__": name}) for matcher in named)
        for place in by_name.get(name, ())
        if fits(rules[place], selector)
    ]


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
