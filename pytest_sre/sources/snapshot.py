"""Snapshots of real ``/metrics`` pages, exposition or OpenMetrics text as scraped from a target or from ``/federate``."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_fd_to_metric_families

from pytest_sre.model.scenario import Labels
from pytest_sre.model.snapshot import SCRAPE_LABELS, Page, Real, Snapshots, Unread

KEPT = 2_000
"""Series of one name that are kept of a page: more of a cluster's pods tell nothing new, and take seconds to read."""
_MADE_BY_RULES = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
_NAME = re.compile(r"\s*([A-Za-z_:][\w:.]*)")


@dataclass(frozen=True, slots=True)
class Source:
    """A page's text and what the settings say of it: the target's labels, whether it was healthy, when it was taken."""

    path: str
    text: str
    labels: Labels = ()
    healthy: bool = True
    taken: float | None = None


class _Lines:
    """A text's lines, counted as they are read; ``names`` are the sample names met so far, with their lines.

    Of names with very many lines the last ones are passed over unread, unless all are ``needed``.
    """

    def __init__(self, text: str, needed: bool) -> None:
        self.lines = text.splitlines(keepends=True)
        self.needed = needed
        self.read = 0
        self.names: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.read += 1
            if (found := _NAME.match(line)) is not None:
                self.names[found[1]] += 1
                if self.names[found[1]] > KEPT and not self.needed:
                    continue
            yield line


@dataclass(slots=True)
class _Kept:
    """What one page has shown so far."""

    series: dict[str, dict[Labels, Real]] = field(default_factory=lambda: defaultdict(dict))
    cut: set[str] = field(default_factory=set)
    types: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)


def parse_snapshots(sources: Iterable[Source], targets: Iterable[str] = ()) -> Snapshots:
    """Union of pages. ``targets`` are names of labels that scraping may add beside job and instance.

    A page that can't be read is told in ``Snapshots.unread`` and costs no other.
    """
    labels: dict[str, set[str]] = {}
    types: dict[str, str] = {}
    units: dict[str, str] = {}
    helps: dict[str, str] = {}
    pages, unread, paths = [], [], []
    for source in sources:
        kept = _read(source)
        if isinstance(kept, Unread):
            unread.append(kept)
            continue
        paths.append(source.path)
        types.update(kept.types)
        units.update(kept.units)
        helps.update(kept.helps)
        series = {name: tuple(found.values()) for name, found in kept.series.items()}
        for name, some in series.items():
            labels.setdefault(name, set()).update(label for one in some for label, _ in one.labels)
        pages.append(_page(source, series, frozenset(kept.cut)))
    return Snapshots(
        tuple(paths),
        {name: frozenset(found) for name, found in labels.items()},
        types,
        units,
        helps,
        tuple(pages),
        SCRAPE_LABELS | frozenset(targets),
        tuple(unread),
    )


def _page(source: Source, series: Mapping[str, tuple[Real, ...]], cut: frozenset[str]) -> Page:
    given = {label for label, _ in source.labels}
    # What the settings add does not make it a page of Prometheus' own.
    scraped = any(
        all(one.has(label) and label not in given for label in SCRAPE_LABELS)
        for some in series.values()
        for one in some
    )
    return Page(source.path, series, source.healthy, source.labels, source.taken, cut, scraped)


def _read(source: Source) -> _Kept | Unread:
    """One page, or what is wrong with it."""
    is_open = source.text.rstrip().endswith("# EOF")
    lines = _Lines(source.text, needed=is_open)  # OpenMetrics is checked as a whole
    families = (openmetrics.text_fd_to_metric_families if is_open else text_fd_to_metric_families)(lines)  # type: ignore[arg-type]
    kept = _Kept()
    try:
        for family in families:
            _keep(family, lines.names, kept, source.labels)
    except (ValueError, KeyError, IndexError, AssertionError, AttributeError, TypeError) as error:
        said = f": {error}" if str(error) else ""
        return Unread(
            source.path,
            max(1, lines.read),
            f"not a metrics page in exposition or OpenMetrics text format{said}",
        )
    kept.cut.update(name for name, count in lines.names.items() if count > KEPT)
    return kept


def _keep(family: Metric, written: Collection[str], kept: _Kept, added: Labels) -> None:
    for sample in family.samples:
        name = _written(sample.name, family, written)
        if name in _MADE_BY_RULES:
            continue
        kept.types[name] = family.type
        if family.unit:
            kept.units[name] = family.unit
        if family.documentation:
            kept.helps[name] = family.documentation
        pairs = {**dict(added), **sample.labels}
        labels = tuple(sorted((label, value) for label, value in pairs.items() if value))
        some = kept.series[name]
        if len(some) >= KEPT and labels not in some:
            continue
        at = None if sample.timestamp is None else float(sample.timestamp)
        some[labels] = Real(labels, float(sample.value), at)


def _written(name: str, family: Metric, written: Collection[str]) -> str:
    """The sample's name as it stands on the page: the parser gives every counter the suffix ``_total``."""
    if family.type == "counter" and name not in written and name.removesuffix("_total") in written:
        return name.removesuffix("_total")
    return name
