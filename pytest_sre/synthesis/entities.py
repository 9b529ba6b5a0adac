"""Realistic things that expose series: gauges, 0/1 metrics, counters, histograms; and what each may do."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pytest_sre.promql.ast import Matcher
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.flags import compared_as_flags
from pytest_sre.synthesis.kinds import Kinds
from pytest_sre.synthesis.nature import FREE, LEVEL, Nature
from pytest_sre.synthesis.natures import Natures
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.shape import Shape
from pytest_sre.synthesis.signals import Counter, Gauge, Signal, Track
from pytest_sre.synthesis.structure import Family
from pytest_sre.synthesis.wholes import shares_of_time

TRAFFIC = 50.0
"""Requests a second of a service that is alive."""
TIME = 0.9
"""Seconds a second of what is idle while all is well."""
_ERROR = re.compile(r"err|fail|drop|reject|timeout|time_out|5xx|bad|exceed|lost|abort|miss|denied|retr|panic")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """A histogram: ``rate`` observations a second, of which ``share`` take ``value``, the others almost nothing.

    With ``since``, all take almost nothing up to so many seconds ago.
    """

    rate: float
    share: float
    value: float
    since: float = 0.0


Option = Signal | Profile | None


class Entity:
    """The series of one thing: one track, or all tracks of a histogram."""

    def __init__(
        self,
        kind: str,
        name: str,
        tracks: list[Track],
        bounds: tuple[str, ...] = (),
        nature: Nature = FREE,
    ) -> None:
        """``bounds`` are the ``le`` values of a histogram, ``nature`` is what a metric's values may be."""
        self.kind = kind
        self.name = name
        self.tracks = tracks
        self.bounds = bounds
        self.nature = nature
        self.option: Option = None
        self.traffic = TRAFFIC

    def set(self, option: Option) -> None:
        """Make the tracks behave so."""
        self.option = option
        if not isinstance(option, Profile):
            for track in self.tracks:
                track.signal = option
            return
        for track in self.tracks:
            rate = _part(track, option)
            if not option.since:
                track.signal = Counter(rate)
                continue
            before = _part(track, replace(option, share=0.0))
            track.signal = Counter(before, 0.0, rate - before, option.since)


def _part(track: Track, profile: Profile) -> float:
    """The rate of one series of a histogram."""
    if track.name.endswith("_sum"):
        value = profile.value if math.isfinite(profile.value) else 1e3
        return profile.rate * (profile.share * value + (1 - profile.share) * 0.001)
    if track.name.endswith("_bucket") and float(track.labels["le"]) < profile.value:
        return profile.rate * (1 - profile.share)
    return profile.rate


def build(
    shape: Shape,
    layout: Iterable[Family],
    types: Mapping[str, str],
    times: tuple[float, ...],
    real: Exposed | None = None,
    natures: Natures | None = None,
) -> list[list[Entity]]:
    """Entities for label sets, replicas in one group.

    ``times`` are the sample times, ``real`` the metrics of snapshots; ``natures`` of metrics, if they are to be kept to.
    """
    of_time, flags = shares_of_time(shape.exprs), compared_as_flags(shape.exprs)
    kinds = Kinds(shape.exprs, types)
    result = []
    for family in layout:
        histogram = any(name.endswith("_bucket") for name in family.names)
        bounds = ((real and real.buckets(family.names, shape)) or _bounds(shape, family)) if histogram else ()
        for group in family.groups:
            if histogram:
                result.append([_histogram(family, labels, bounds, times) for labels in group])
            else:
                name = family.base
                kind: str = kinds.of(name)
                kind = "flag" if kind == "gauge" and name in flags else kind
                kind, nature = _natural(name, kind, natures)
                made = [
                    Entity(kind, name, [Track({"__name__": name, **ls}, times)], (), nature) for ls in group
                ]
                for entity in made if name in of_time else ():
                    entity.traffic = TIME
                result.append(made)
    # Parts move, wholes stand still.
    return sorted(result, key=lambda group: group[0].nature.fixed)


def _natural(name: str, kind: str, natures: Natures | None) -> tuple[str, Nature]:
    """A metric's kind and nature."""
    nature = natures.of(name, kind) if natures else FREE
    return nature.kind or kind, nature


def _bounds(shape: Shape, family: Family) -> tuple[str, ...]:
    """``le`` values: those that matchers name, and the usual ones around them and the thresholds."""
    named: dict[str, None] = {}
    for name in family.names:
        for selector in shape.raw[name]:
            for matcher in selector.matchers:
                if matcher.label == "le":
                    named.update(dict.fromkeys(_named(matcher)))
    bounds = {float(text): text for text in named if _is_number(text)}
    wanted = list(_BUCKETS)
    if "histogram_quantile" in shape.functions:
        wanted += [k * c for c in shape.constants[:6] if 5 < c < 1e12 for k in (0.5, 1.0, 2.0, 5.0)]
    for bound in wanted:
        bounds.setdefault(bound, printed(bound))
    return (*(bounds[bound] for bound in sorted(bounds) if math.isfinite(bound)), "+Inf")


def printed(bound: float) -> str:
    """A bucket's bound as Prometheus' clients print it: as few digits as tell it apart, an exponent from 1e+06 on."""
    digits = next(n for n in range(1, 18) if float(f"{bound:.{n}g}") == bound)
    text = f"{bound:.{digits - 1}e}"
    exponent = int(text.partition("e")[2])
    return text if exponent < -4 or exponent >= 6 else f"{bound:.{max(digits, exponent + 1)}g}"


def _named(matcher: Matcher) -> tuple[str, ...]:
    return (matcher.value,) if matcher.op in ("=", "!=") else examples(matcher.value)


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def _histogram(
    family: Family, labels: dict[str, str], bounds: tuple[str, ...], times: tuple[float, ...]
) -> Entity:
    tracks = []
    for name in family.names:
        series = {"__name__": name, **labels}
        if name.endswith("_bucket"):
            tracks += [Track({**series, "le": bound}, times) for bound in bounds]
        else:
            tracks.append(Track(series, times))
    return Entity("histogram", family.base, tracks, bounds)


def initial(entity: Entity) -> Option:
    """What an entity does as long as nothing else is asked of it."""
    if entity.kind == "histogram":
        return Profile(TRAFFIC, 0.1, math.inf)
    if entity.kind == "counter":
        return Counter(entity.traffic / 2 if _ERROR.search(entity.name) else entity.traffic)
    return Gauge(1.0 if entity.kind == "flag" else LEVEL)


def is_error(name: str) -> bool:
    """Whether a counter's name says that it counts what went wrong."""
    return bool(_ERROR.search(name))
