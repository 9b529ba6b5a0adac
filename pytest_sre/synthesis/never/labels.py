"""Which labels the elements of an expression surely have, surely lack or may have, and with what values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import Expr, Matching, String, VectorSelector
from pytest_sre.synthesis.never.matchers import ANY, Values, allowed, readable

NAME = "__name__"
_EXTERNAL = (
    "cluster", "cluster_id", "cluster_name", "region", "zone", "datacenter", "dc", "site", "location", "env", "environment",
    "stage", "stack", "tenant", "tenant_id", "account", "project", "customer", "replica", "prometheus",
    "prometheus_replica", "receive_replica", "monitor",
)  # fmt: skip
"""What teams give their servers as external labels: where records are read over several servers, they are there."""
_COPIES = frozenset({"(.*)", "(.+)"})
_BARE = frozenset({".*", ".+"})
_ALL = frozenset({"$0", "${0}"})
_WHOLE = frozenset({"$1", "${1}", *_ALL})


@dataclass(frozen=True, slots=True)
class Labels:
    """``known`` are the labels something is known of; all others may be there if ``more``, and are absent if not.

    ``why`` says why others are absent.
    """

    known: Mapping[str, Values] = field(default_factory=dict)
    more: bool = True
    why: str = ""

    def of(self, label: str) -> Values:
        """What values a label can have."""
        found = self.known.get(label)
        if found is not None:
            return found
        return ANY if self.more else Values(frozenset({""}), why=self.why)

    def having(self, changed: Mapping[str, Values]) -> Labels:
        """These labels with some replaced."""
        return Labels({**self.known, **changed}, self.more, self.why)

    def without(self, labels: Iterable[str], why: str) -> Labels:
        """These labels, some of them dropped."""
        return self.having({label: Values(frozenset({""}), why=why) for label in labels})

    def only(self, labels: Iterable[str], why: str) -> Labels:
        """Of these labels only some."""
        return Labels({label: self.of(label) for label in labels}, False, why)

    def nameless(self) -> Labels:
        """These labels where the metric's name is not certain: before 3.0 and after, others drop it."""
        return self.having({NAME: ANY})

    def hull(self, other: Labels) -> Labels:
        """What holds for both."""
        names = self.known.keys() | other.known.keys()
        known = {name: self.of(name).hull(other.of(name)) for name in names}
        return Labels(known, self.more or other.more, self.why or other.why)


NONE = Labels({}, False)


def selected(selector: VectorSelector, base: Labels | None = None) -> tuple[Labels, str]:
    """The labels of what a selector takes of ``base`` (anything), and the label that no value is left for."""
    groups: dict[str, list[Matcher]] = {}
    for matcher in selector.matchers:
        groups.setdefault(matcher.label, []).append(matcher)
    start = base or Labels({NAME: Values(frozenset({selector.name}))} if selector.name else {})
    known = dict(start.known)
    for label, matchers in groups.items():
        why = f"the selector says {', '.join(map(str, matchers))}"
        before = start.of(label)
        found = before.meet(allowed(tuple(matchers)))
        if found.never:
            return start, label
        known[label] = Values(found.listed, found.matchers, (before.listed and before.why) or why)
    return Labels(known, start.more, start.why), ""


def recorded(labels: Labels, name: str, own: Mapping[str, str]) -> Labels:
    """The labels that a recording rule writes, and those that may be added on the way to another server."""
    changed = {label: ANY for label in _EXTERNAL if labels.of(label).listed == frozenset({""})}
    changed[NAME] = Values(frozenset({name}))
    for label, value in own.items():
        why = f'{name} is recorded with {label}="{value}"'
        changed[label] = ANY if "{{" in value else Values(frozenset({value}), why=why)
    return labels.having(changed)


def absent(argument: Expr | None) -> Labels:
    """The labels of ``absent()``: what its selector's equality matchers say once."""
    if not isinstance(argument, VectorSelector):
        return Labels({}, False, "absent() of this has no labels")
    found: dict[str, str] = {}
    for matcher in argument.matchers:
        if matcher.label != NAME:
            plain = matcher.op == "=" and matcher.label not in found
            found[matcher.label] = matcher.value if plain else ""
    why = "absent() has only the labels that its selector sets with ="
    return Labels({label: Values(frozenset({value}), why=why) for label, value in found.items()}, False, why)


def replaced(labels: Labels, args: tuple[Expr, ...]) -> Labels:
    """The labels after ``label_replace``: exact where it copies, sets a constant or cannot match."""
    texts = [argument.value if isinstance(argument, String) else None for argument in args[1:5]]
    target, text, source, pattern = texts
    if target is None or text is None or source is None or pattern is None:
        return Labels()
    old, seen = labels.of(target), labels.of(source) if source else Values(frozenset({""}))
    sure = _matches(pattern, seen)
    if sure is False:
        return labels
    if text in _WHOLE and (pattern in _COPIES or (text in _ALL and pattern in _BARE)):
        new = seen
    elif "$" in text:
        new = ANY
    else:
        new = Values(frozenset({text}), why=f'label_replace sets {target}="{text}"')
    return labels.having({target: new if sure else new.hull(old)})


def _matches(pattern: str, values: Values) -> bool | None:
    """Whether all values match an expression (False: none does); None where that is not certain."""
    if pattern in (".*", "(.*)") or (pattern in (".+", "(.+)") and values.never_absent):
        return True
    if values.listed is None or not readable(pattern):
        return None
    found = {re.fullmatch(pattern, value) is not None for value in values.listed}
    return found.pop() if len(found) == 1 else None


def joined(left: Labels, right: Labels, matching: Matching) -> tuple[Labels, str]:
    """What is known of the left side's labels once it has a partner, and the label on which none can be found."""
    known = dict(left.known)
    names = matching.on if matching.on is not None else left.known.keys() | right.known.keys()
    for label in sorted(names):
        if matching.on is None and (label == NAME or label in matching.ignoring):
            continue
        met = left.of(label).meet(right.of(label))
        if met.never:
            return left, label
        known[label] = met
    if matching.on is None and left.more and not right.more:
        free = {label: left.of(label) for label in (NAME, *matching.ignoring)}
        return Labels({**free, **known}, False, right.why), ""
    return Labels(known, left.more, left.why), ""


def paired(left: Labels, right: Labels, matching: Matching) -> tuple[Labels, str]:
    """The labels of arithmetic or a comparison of two vectors, and the label on which they never match."""
    many, one = (right, left) if matching.group == "right" else (left, right)
    found, broken = joined(many, one, matching)
    if broken:
        return found, broken
    if matching.group:
        return found.having({label: one.of(label) for label in matching.include}).nameless(), ""
    if matching.on is not None:
        return found.only(matching.on, f"on ({', '.join(matching.on)}) keeps nothing else"), ""
    why = f"ignoring ({', '.join(matching.ignoring)}) drops it"
    return found.without(matching.ignoring, why).nameless(), ""
