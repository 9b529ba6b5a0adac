"""What snapshots tell about the series that an alert reads: which labels go together, which values they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher
from pytest_sre.model.snapshot import SCRAPE_LABELS, Snapshots
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.synthesis.shape import Shape

_NAMELESS = frozenset({"le", "__name__"})
_VALUES = 20
"""Values of a label that are tried at most."""
_Names = frozenset[str]


@dataclass(slots=True, eq=False)
class Exposed:
    """The metrics of the snapshots; what is asked twice is looked up once."""

    snapshots: Snapshots
    _kinds: dict[str, tuple[_Names, ...]] = field(default_factory=dict)
    _values: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def knows(self, names: Iterable[str]) -> bool:
        """Whether the snapshots have one of these sample names."""
        return any(name in self.snapshots.labels for name in names)

    def allowed(
        self, names: Sequence[str], selector: Mapping[str, tuple[Matcher, ...]], wanted: Collection[str]
    ) -> set[str]:
        """The labels of a real series as the selector (matchers by label) takes it.

        Of the ``wanted`` ones it has those that scraping may add; all that it really has are there too, and so are
        ``job`` and ``instance``: scraping always adds them.
        """
        name = next(one for one in names if one in self.snapshots.labels)
        added = {label for label in wanted if label in self.snapshots.targets} | SCRAPE_LABELS
        added = {label for label in added if self.snapshots.may_have(name, label)}
        return {*self._together(name, selector), *added} - _NAMELESS

    def _together(self, name: str, selector: Mapping[str, tuple[Matcher, ...]]) -> _Names:
        """The names of labels that a series has together: of several ways the one that a selector means, else the usual one."""
        ways = self._ways(name)
        needed = {
            label for label, group in selector.items() if not all(matcher.matches({}) for matcher in group)
        }
        return next((way for way in ways if needed <= way | self.snapshots.targets), ways[0])

    def _ways(self, name: str) -> tuple[_Names, ...]:
        if name not in self._kinds:
            found = Counter(
                frozenset(label for label, _ in one.labels) - _NAMELESS
                for _, one in self.snapshots.series(name)
            )
            self._kinds[name] = tuple(way for way, _ in found.most_common())
        return self._kinds[name]

    def values(self, shape: Shape, label: str) -> tuple[str, ...]:
        """Real values of a label, those first that most of the alert's metrics have."""
        found: Counter[str] = Counter()
        for name in shape.raw:
            found.update(self._of(name, label))
        values = tuple(value for value, _ in found.most_common(_VALUES))
        return _respelt(values, shape, label) if label == "quantile" else values

    def free(self, shape: Shape, label: str) -> str:
        """The value of a label that an alert leaves free; empty where the alert's own is better: it tells alerts apart."""
        if label in self.snapshots.targets | SCRAPE_LABELS or label in shape.grouping:
            return ""
        return next(iter(self.values(shape, label)), "")

    def _of(self, name: str, label: str) -> tuple[str, ...]:
        key = (name, label)
        if key not in self._values:
            self._values[key] = self.snapshots.values(name, label)[:_VALUES]
        return self._values[key]

    def buckets(self, names: Iterable[str], shape: Shape) -> tuple[str, ...]:
        """The ``le`` values of the histogram that these sample names are of; none where no snapshot has it.

        A bound has the alert's own spelling: Prometheus 3 stores 1.0 where a page has 1.
        """
        for name in names:
            base = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
            found = self.snapshots.buckets(f"{base}_bucket")
            if found:
                return _respelt(found, shape, "le")
        return ()

    def lacking(self, shape: Shape) -> str:
        """Which labels that an alert asks for real series lack, in words; empty where they have all."""
        parts = []
        for name, selectors in shape.raw.items():
            if name in self.snapshots.labels:
                asked = {*_positive(selectors), *shape.grouping} - _NAMELESS
                lacks = sorted(label for label in asked if not self.snapshots.may_have(name, label))
                if lacks:
                    parts.append(f"{name} has no label {', '.join(lacks)}")
        return "; ".join(parts)


def _respelt(values: tuple[str, ...], shape: Shape, label: str) -> tuple[str, ...]:
    """Numbers as the alert's matchers write them, where these name the same number and none is written as in ``values``."""
    groups = (selector.matchers for selectors in shape.raw.values() for selector in selectors)
    asked = [
        part.replace("\\", "")
        for group in groups
        for matcher in group
        if matcher.label == label
        for part in (matcher.value.split("|") if "~" in matcher.op else [matcher.value])
    ]
    own: dict[float | None, str] = {
        number: text for text in reversed(asked) if (number := _number(text)) is not None
    }
    return tuple(value if value in asked else own.get(_number(value), value) for value in values)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _positive(selectors: Iterable[VectorSelector]) -> Iterable[str]:
    for selector in selectors:
        for matcher in selector.matchers:
            if not matcher.matches({}):
                yield matcher.label
