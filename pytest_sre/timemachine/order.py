"""Which rules read what others record, and which of them must be evaluated round by round."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.resolve import fits, selectors

_WORD = re.compile(r"[\w:]+")
STATES = ("ALERTS", "ALERTS_FOR_STATE")


@dataclass(frozen=True, slots=True)
class Block:
    """Rules that are evaluated together, by their place: all at once, or (``together``) round by round.

    ``after`` are the places of the blocks that come first; ``read`` is whether anything reads what it records,
    ``rivals`` whether other rules may record the same series.
    """

    members: tuple[int, ...]
    after: tuple[int, ...]
    together: bool
    read: bool
    rivals: bool


def blocks(
    rules: Sequence[Rule], groups: Sequence[Hashable] = (), offsets: Sequence[float] = ()
) -> list[Block]:
    """The rules of a round as blocks that can be evaluated one after the other.

    Rules of the same of ``groups`` (all, where not given) are evaluated in the order given; whole groups in one that
    suits their readers. ``offsets`` are their groups' `query_offset` in seconds (0 where not given).
    """
    count = len(rules)
    reads = _reads(rules, groups or [None] * count, offsets or [0.0] * count)
    rivals = _rivals(rules)
    backward = {(one, other) for one, others in reads.items() for other, late in others.items() if late}
    first = {one: others.keys() | rivals.get(one, set()) for one, others in reads.items()}
    linked = {one: set(others) for one, others in first.items()}
    for one, other in backward:
        linked[other].add(one)
    found = [tuple(sorted(members)) for members in _components(linked)]
    block_of = {one: number for number, members in enumerate(found) for one in members}
    late = {one for one, _ in backward}
    everything_read = {other for others in reads.values() for other in others}
    contested = rivals.keys() | {other for others in rivals.values() for other in others}
    return [
        Block(
            members,
            tuple(sorted({block_of[other] for one in members for other in first[one]} - {number})),
            together=len(members) > 1 or not late.isdisjoint(members),
            read=not everything_read.isdisjoint(members),
            rivals=not contested.isdisjoint(members),
        )
        for number, members in enumerate(found)
    ]


def _rivals(rules: Sequence[Rule]) -> dict[int, set[int]]:
    """For each rule the earlier ones that may record the same series: the first of a round wins."""
    by_name: dict[tuple[str, str], list[int]] = {}
    found: dict[int, set[int]] = {}
    for place, rule in enumerate(rules):
        alike = by_name.setdefault((rule.kind, rule.name), [])
        if before := {other for other in alike if not distinct(rule, rules[other])}:
            found[place] = before
        alike.append(place)
    return found


def distinct(one: Rule, other: Rule) -> bool:
    """Whether two rules of one name cannot give the same series: their own labels differ."""
    return any(
        "{{" not in text + other.labels[name] and text != other.labels[name]
        for name, text in one.labels.items()
        if name in other.labels
    )


def _reads(
    rules: Sequence[Rule], groups: Sequence[Hashable], offsets: Sequence[float]
) -> dict[int, dict[int, bool]]:
    """For each rule the places of those whose series it reads, and whether what it reads can come late.

    So does what its group records after it in a round, or what is recorded under a time that it has already passed.
    """
    by_name: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        for name in (rule.name,) if rule.kind == "record" else STATES:
            by_name.setdefault(name, []).append(place)
    found: dict[int, dict[int, bool]] = {}
    for place, rule in enumerate(rules):
        others = found[place] = {}
        # The engine may know syntax that our parser does not: then every name that occurs may be read.
        words = set(_WORD.findall(rule.expr)) & by_name.keys()
        for selector in selectors(rule.expr) or map(VectorSelector, words):
            for other in _behind(selector, by_name, rules):
                after = other >= place and groups[other] == groups[place]
                late = after or offsets[other] > offsets[place] + selector.offset
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
