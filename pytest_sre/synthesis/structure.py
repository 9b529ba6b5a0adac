"""Which series there are: label sets that satisfy, and label sets that just miss, an expression's selectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.shape import Shape, label_matchers

_COMMON = {"code": "200", "status_code": "200", "response_code": "200", "method": "GET"}
_NAMELESS = ("__name__", "le")
LabelSet = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Structure:
    """One way to lay out series.

    ``labels`` is which free labels series carry (``all``, ``grouping`` or ``none``); ``vary`` a label that takes
    ``count`` values.
    """

    labels: str = "all"
    vary: str = ""
    count: int = 1


@dataclass
class Family:
    """The label sets of one metric (for a histogram: of its family, without ``le``), replicas in one group."""

    base: str
    names: tuple[str, ...]
    groups: list[list[dict[str, str]]] = field(default_factory=list)


def structures(shape: Shape) -> Iterator[Structure]:
    """The short list of structures, most likely first."""
    yield Structure()
    yield Structure("grouping")
    yield Structure(vary="instance", count=3)
    counts = [int(c) + 1 for c in shape.constants if 2 <= c <= 40 and c == int(c)]
    free = [label for label in sorted(shape.grouping | shape.mentioned) if label not in ("le", "instance")]
    for label in free[:8]:
        yield Structure(vary=label, count=3)
    yield Structure("none")
    if "count" in shape.functions or "sum" in shape.functions:
        for count in dict.fromkeys(counts[:2]):
            yield Structure(vary="instance", count=count)
            for label in free[:4]:
                yield Structure(vary=label, count=count)
    yield Structure("grouping", vary="instance", count=3)


class World:
    """A value for every label of an alert, such that series can be joined."""

    def __init__(self, shape: Shape, serial: str, real: Exposed | None = None) -> None:
        """``serial`` makes the values of free labels this alert's own; ``real`` are the metrics of snapshots."""
        self.serial, self.real, self._shape = serial, real, shape
        self.constraints = label_matchers(shape)
        self.defaults = {label: self._default(label, groups) for label, groups in self.constraints.items()}

    def own(self, label: str) -> str:
        """A value that only this alert uses."""
        return f"{label}-{self.serial}"

    def _default(self, label: str, groups: list[tuple[Matcher, ...]]) -> str:
        """The value that satisfies the most selectors; the alert's own where it satisfies all."""
        best, best_score = "", -1
        for value in self._values(label, groups):
            score = sum(_fits(value, group) for group in groups)
            if score > best_score:
                best, best_score = value, score
        return best

    def _values(self, label: str, groups: Iterable[tuple[Matcher, ...]]) -> list[str]:
        real = list(self.real.values(self._shape, label)) if self.real else []
        found = [self.free_alone(label), *real, *([_COMMON[label]] if label in _COMMON else [])]
        for group in groups:
            for matcher in group:
                found += [matcher.value] if matcher.op in ("=", "!=") else examples(matcher.value)
        return [*dict.fromkeys(found), "other", ""]

    def free(self, label: str) -> str:
        """The value of a label that a selector does not constrain."""
        return self.defaults[label] if label in self.defaults else self.free_alone(label)

    def free_alone(self, label: str) -> str:
        """The value of a label of which no selector speaks: a real one, or one that only this alert uses."""
        return (self.real.free(self._shape, label) if self.real else "") or self.own(label)

    def satisfying(self, label: str, group: tuple[Matcher, ...]) -> str | None:
        """A value that satisfies a selector's matchers on a label, the shared default first."""
        values = [self.free(label), *self._values(label, [group])]
        return next((value for value in values if _fits(value, group)), None)

    def violating(
        self, label: str, group: tuple[Matcher, ...], others: Iterable[tuple[Matcher, ...] | None]
    ) -> list[str]:
        """Values that do not satisfy a selector's matchers on a label, those that ``others`` ask for last."""
        preferred = [_COMMON[label]] if label in _COMMON else []
        values = [*preferred, *self._values(label, [group, *filter(None, others)])]
        return [value for value in values if value and not _fits(value, group)]


def _fits(value: str, group: tuple[Matcher, ...]) -> bool:
    return all(matcher.matches({matcher.label: value}) for matcher in group)


def by_label(selector: VectorSelector) -> dict[str, tuple[Matcher, ...]]:
    """A selector's matchers by label, without name and ``le``."""
    found: dict[str, list[Matcher]] = {}
    for matcher in selector.matchers:
        if matcher.label not in _NAMELESS:
            found.setdefault(matcher.label, []).append(matcher)
    return {label: tuple(matchers) for label, matchers in found.items()}


def families(shape: Shape, world: World, structure: Structure) -> list[Family]:
    """The label sets of every raw metric, in order of appearance."""
    result = []
    for base, names in group_names(shape.raw).items():
        selectors = [by_label(selector) for name in names for selector in shape.raw[name]]
        family = Family(base, names)
        base_sets = _label_sets(selectors, shape, world, structure, names)
        known = world.real is not None and world.real.knows(names)
        family.groups = [
            [labels] if known and structure.vary not in labels else _replicas(labels, world, structure)
            for labels in base_sets
        ]
        result.append(family)
    return result


def group_names(raw: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Metric names by family: the parts of one histogram belong together."""
    bases = {name.removesuffix("_bucket") for name in raw if name.endswith("_bucket")}
    found: dict[str, list[str]] = {}
    for name in raw:
        base = next((name.removesuffix(s) for s in ("_bucket", "_count", "_sum") if name.endswith(s)), name)
        found.setdefault(base if base in bases else name, []).append(name)
    return {base: tuple(names) for base, names in found.items()}


def _label_sets(
    selectors: list[dict[str, tuple[Matcher, ...]]],
    shape: Shape,
    world: World,
    structure: Structure,
    names: tuple[str, ...],
) -> list[dict[str, str]]:
    """For each selector one set that matches, and for each label on which they differ one that just misses.

    Where snapshots have the metric, sets have just the labels of its real series.
    """
    labels = {label for selector in selectors for label in selector}
    if structure.labels != "none":
        labels |= shape.grouping
    if structure.labels == "all":
        labels |= shape.mentioned | {"instance", "job"} | world.constraints.keys()
    if structure.vary:
        labels.add(structure.vary)
    labels -= {"le", "__name__", "alertname"}
    found: dict[LabelSet, dict[str, str]] = {}
    real = world.real if world.real is not None and world.real.knows(names) else None
    allowed = [real.allowed(names, selector, labels) if real else labels for selector in selectors]
    base = [_satisfy(selector, has, world) for selector, has in zip(selectors, allowed, strict=True)]
    every = {label for has in allowed for label in has}
    for candidate in [*base, *_misses(selectors, base, world)]:
        if candidate is not None and (real is None or candidate.keys() <= every):
            found.setdefault(tuple(sorted(candidate.items())), candidate)
    return list(found.values())


def _satisfy(
    selector: dict[str, tuple[Matcher, ...]], labels: set[str], world: World
) -> dict[str, str] | None:
    result = {}
    for label in sorted(labels):
        group = selector.get(label)
        value = world.free(label) if group is None else world.satisfying(label, group)
        if value is None:
            return None
        if value:
            result[label] = value
    return result


def _misses(
    selectors: list[dict[str, tuple[Matcher, ...]]], base: list[dict[str, str] | None], world: World
) -> Iterator[dict[str, str] | None]:
    """What one selector of a metric takes and another leaves out: the good requests of a ratio."""
    for label in sorted({label for selector in selectors for label in selector}):
        groups = list(dict.fromkeys(selector.get(label) for selector in selectors))
        if len(groups) < 2:
            continue
        for group in groups:
            values = world.violating(label, group, groups) if group else []
            for labels in filter(None, base):
                changed = ({**labels, label: value} for value in values)
                yield next((c for c in changed if any(_taken(c, selector) for selector in selectors)), None)


def _taken(labels: dict[str, str], selector: dict[str, tuple[Matcher, ...]]) -> bool:
    return all(_fits(labels.get(label, ""), group) for label, group in selector.items())


def _replicas(labels: dict[str, str], world: World, structure: Structure) -> list[dict[str, str]]:
    """Copies that differ in the label that the structure varies, as far as matchers allow."""
    label = structure.vary
    if not label or structure.count < 2:
        return [labels]
    groups = world.constraints.get(label, [])
    values: dict[str, None] = {labels.get(label, ""): None}
    for i in range(1, structure.count):
        for value in (f"{world.own(label)}-{i}", f"{labels.get(label, '')}{i}", *_more(groups)):
            if value not in values and all(_fits(value, group) for group in groups):
                values[value] = None
                break
    return [{**labels, label: value} if value else labels for value in values]


def _more(groups: list[tuple[Matcher, ...]]) -> Iterator[str]:
    for group in groups:
        for matcher in group:
            if matcher.op == "=~":
                yield from examples(matcher.value, 12)
