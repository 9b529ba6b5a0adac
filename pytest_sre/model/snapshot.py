"""What real ``/metrics`` pages showed: series with their values, types, units, and where they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pytest_sre.model.scenario import Labels

SCRAPE_LABELS = frozenset({"job", "instance"})
"""What Prometheus adds to every series when it scrapes; a page that has them already comes from Prometheus."""


@dataclass(frozen=True, slots=True)
class Real:
    """One series of a page: labels without ``__name__``, its value, and when it was taken (seconds since the epoch, if told)."""

    labels: Labels
    value: float
    at: float | None = None

    def has(self, label: str) -> bool:
        """Whether it carries a label."""
        return any(name == label for name, _ in self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One file. ``series`` are found by sample name, the target's ``labels`` added where the settings give some.

    ``healthy`` is whether it was taken while all was well, ``taken`` when (seconds since the epoch; None: not told).
    ``cut`` are the names of which the file has more series than are kept. ``scraped`` is whether its series are as
    Prometheus stores them, with the labels of their targets.
    """

    path: str
    series: Mapping[str, tuple[Real, ...]]
    healthy: bool = True
    labels: Labels = ()
    taken: float | None = None
    cut: frozenset[str] = frozenset()
    scraped: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is no metrics page: where, and what is wrong with it."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Snapshots:
    """All pages together: by sample name the label names seen with it, its type, unit and help.

    ``paths`` are the files that could be read, ``targets`` are the names of labels that scraping adds, so that a page may lack them; ``unread`` are broken files.
    """

    paths: tuple[str, ...] = ()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    pages: tuple[Page, ...] = ()
    targets: frozenset[str] = SCRAPE_LABELS
    unread: tuple[Unread, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels)

    def series(self, name: str) -> Iterator[tuple[Page, Real]]:
        """All series of a sample name, each with its page."""
        for page in self.pages:
            for one in page.series.get(name, ()):
                yield page, one

    def values(self, name: str, label: str) -> tuple[str, ...]:
        """The values of a label that a sample name's series have, in their order."""
        return _values(self, name, label)

    def is_cut(self, name: str) -> bool:
        """Whether there are more series of a sample name than were kept: what the kept ones lack others may have."""
        return any(name in page.cut for page in self.pages)

    def type(self, name: str) -> str:
        """The type of the metric that a sample name belongs to (counter, gauge, histogram, …); "" if not known."""
        found = self.types.get(name, "")
        return "" if found in ("unknown", "untyped") else found

    def buckets(self, name: str) -> tuple[str, ...]:
        """The ``le`` values of a histogram's buckets as written, rising; none where the name is no bucket's."""
        return tuple(sorted(self.values(name, "le"), key=_number))

    def bounds(self, name: str) -> tuple[float, ...]:
        """As `buckets`, as numbers."""
        return tuple(map(_number, self.buckets(name)))

    def may_have(self, name: str, label: str) -> bool:
        """Whether series of a sample name carry a label, or may get it when they are scraped."""
        if label in self.labels.get(name, ()):
            return True
        return label in self.targets and any(
            not page.scraped and label not in dict(page.labels) for page in self.pages if name in page.series
        )


@lru_cache(maxsize=20_000)
def _values(snapshots: Snapshots, name: str, label: str) -> tuple[str, ...]:
    found = (dict(one.labels).get(label) for _, one in snapshots.series(name))
    return tuple(dict.fromkeys(value for value in found if value is not None))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
