"""Which series there are: label sets that satisfy, and label sets that just miss, an expression's selectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher
from pytest_sre.promql.ast import Aggregate, Binary, Expr, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.flags import is_flag
from pytest_sre.synthesis.links import Link
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.world import World, by_label, fits

LabelSet = tuple[tuple[str, str], ...]
REPLICA = "replica"
"""A label of our own, for series that differ in nothing that an alert knows of."""
FEW = 40
_MOST_ENOUGH = 500
MANY = 5000
"""Series of one metric that are made at most, where an alert counts them."""


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
    for count in _enough(shape):  # where too few of something fire, there are enough while all is well
        yield Structure(vary="instance", count=count)
        yield Structure(vary=REPLICA, count=count)
    yield Structure()
    yield Structure("grouping")
    yield Structure(vary="instance", count=3)
    counts = sorted({_more_than(c) for c in shape.constants[:8] if 2 <= c <= MANY and c == int(c)})
    likely = [*sorted(sources(shape)), *sorted(shape.lost), *sorted(shape.mentioned - shape.grouping)[:2]]
    free = [label for label in dict.fromkeys(likely) if label not in ("le", "instance")]
    for label in free[:8]:
        yield Structure(vary=label, count=3)
    yield Structure("none")
    if shape.functions & {"count", "sum", "count_values"}:
        for count in [*_of_shares(shape), *counts[:4]]:
            yield Structure(vary="instance", count=count)
            yield Structure(vary=REPLICA, count=count)
            for label in free[:4] if count <= FEW else []:
                yield Structure(vary=label, count=count)
    yield Structure(vary=REPLICA, count=3)
    yield Structure("grouping", vary="instance", count=3)


def _enough(shape: Shape) -> list[int]:
    """More than the least number of series that an alert asks for (``count(x) < 3``)."""
    found: set[int] = set()
    for node in (node for expr in shape.exprs for node in walk(expr)):
        if isinstance(node, Binary) and node.op in ("<", "<=", ">", ">="):
            least, counted = (node.rhs, node.lhs) if node.op in ("<", "<=") else (node.lhs, node.rhs)
            number = fold(least)
            if number is not None and 1 <= number <= _MOST_ENOUGH and _counts(counted):
                found.add(_more_than(number))
    return sorted(found)[-1:]


def _counts(expr: Expr) -> bool:
    """Whether the value of an expression is a number of series."""
    if not isinstance(expr, Aggregate):
        return False
    inner = expr.expr
    ones = isinstance(inner, Binary) and inner.op == "==" and fold(inner.rhs) == 1
    names = [node.name for node in walk(inner) if isinstance(node, VectorSelector)]
    return expr.op == "count" or (expr.op == "sum" and (ones or all(map(is_flag, names))))


def _of_shares(shape: Shape) -> list[int]:
    """So many series that one of them is less than a share of all that the alert speaks of."""
    parts = [min(c, 1 - c) for c in shape.constants[:6] if 0 < c < 1]
    return sorted({int(1 / part) + 2 for part in parts if part > 1 / FEW and int(1 / part) > 2})[:1]


def sources(shape: Shape) -> set[str]:
    """Labels from which others are made."""
    found = {link.source for link in shape.links if isinstance(link, Link) and not link.constant}
    found |= {source for link in shape.links if not isinstance(link, Link) for source in link.sources}
    return found - {"", "__name__", "le"}


def _more_than(constant: float) -> int:
    """So many series that their number is surely above a constant."""
    return int(constant) + 1 if constant <= FEW else int(1.2 * constant) + 1


def families(shape: Shape, world: World, structure: Structure) -> list[Family]:
    """The label sets of every raw metric, in order of appearance."""
    result = []
    for base, names in group_names(shape.raw).items():
        selectors = [by_label(selector) for name in names for selector in shape.asked[name]]
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
        labels |= shape.grouping | sources(shape)
    if structure.labels == "all":
        labels |= shape.mentioned | {"instance", "job"} | world.constraints.keys()
    if structure.vary:
        labels.add(structure.vary)
    asked = {label for selector in selectors for label in selector}
    labels -= {"le", "__name__"} | ({"alertname", "alertstate"} - asked)
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
    return all(fits(labels.get(label, ""), group) for label, group in selector.items())


def _replicas(labels: dict[str, str], world: World, structure: Structure) -> list[dict[str, str]]:
    """Copies that differ in the label that the structure varies, as far as matchers allow."""
    if not structure.vary or structure.count < 2:
        return [labels]
    return world.others(labels, structure.vary, structure.count)
