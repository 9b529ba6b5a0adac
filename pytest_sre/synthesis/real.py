"""An alert on real series: those of the snapshots that it reads, with what scraping adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_sre.model.routing import Matcher
from pytest_sre.model.scenario import Labels
from pytest_sre.model.snapshot import SCRAPE_LABELS, Page, Real, Snapshots
from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, VectorSelector, walk
from pytest_sre.promql.fold import fold
from pytest_sre.synthesis.aligned import selects
from pytest_sre.synthesis.course import Clock, RealSeries, clock, going_on
from pytest_sre.synthesis.kinds import Kinds
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.shape import Shape

MOST = 3_000
"""Series that one alert may read: those of a whole cluster's pods tell no more than some do."""
_CLOCKS = frozenset({"time", "timestamp"})
_CHANGES = frozenset({
    "changes", "resets", "delta", "idelta", "deriv", "increase", "rate", "irate", "predict_linear",
    "stddev_over_time", "stdvar_over_time",
})  # fmt: skip
_MOVES = frozenset({"changes", "delta", "idelta", "deriv", "stddev_over_time", "stdvar_over_time"})
_OF_NOTHING = frozenset({"absent", "absent_over_time", "vector"})
_COUNTING = frozenset({"count", "count_values", "group"})


@dataclass(frozen=True, slots=True)
class Replay:
    """The real series that an alert reads, and the pages that they are from."""

    series: tuple[RealSeries, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoReplay:
    """Why an alert is not asked about snapshots."""

    reason: str


@dataclass(slots=True, eq=False)
class World:
    """The healthy pages of a run; ``now`` is the real time in seconds since the epoch."""

    snapshots: Snapshots
    now: float
    _clocks: dict[Page, Clock] = field(default_factory=dict)

    @property
    def pages(self) -> tuple[Page, ...]:
        """Those taken while all was well."""
        return tuple(page for page in self.snapshots.pages if page.healthy)

    def clock(self, page: Page) -> Clock:
        """A page's time."""
        if page not in self._clocks:
            self._clocks[page] = clock(page, self.now)
        return self._clocks[page]


def replay(shape: Shape, world: World, history: float) -> Replay | NoReplay:
    """The series that an alert reads, as healthy services have them; ``history`` is how far back it looks (seconds)."""
    pages = _pages(shape, world)
    if isinstance(pages, NoReplay):
        return pages
    added = {page: _added(shape, page, world.snapshots.targets) for page in pages}
    if None in added.values():
        return NoReplay("it reads the same page as that of several targets")
    kinds = Kinds(shape.exprs, world.snapshots.types)
    if any(kinds.of(name) == "gauge" for name in _watched(shape)):
        return NoReplay("it asks whether a gauge stands still, and a page shows one moment")
    timed, follows = bool(shape.functions & _CLOCKS), not shape.functions & _CHANGES
    found: dict[Labels, RealSeries] = {}
    met: set[VectorSelector] = set()
    for page, more in added.items():
        for name, real, labels in _series(shape, page, more or {}):
            named = {"__name__": name, **labels}
            by = [one for one in shape.raw[name] if selects(one, named)]
            if by:
                met.update(by)
                one = going_on(name, real, kinds.of(name), world.clock(page), labels=labels.items(), history=history, timed=timed, follows=follows)  # fmt: skip
                found[one.labels] = one
    unmet = [one for some in shape.raw.values() for one in some if one not in met]
    if unmet and _of_nothing(shape):
        return NoReplay("it asks for what is not there, and the snapshots need not show all that is")
    if not found:
        return NoReplay("it reads no series of the snapshots")
    if len(found) > MOST:
        return NoReplay(f"it reads more than {MOST} series of the snapshots")
    return Replay(tuple(found.values()), tuple(page.path for page in added))


def _pages(shape: Shape, world: World) -> list[Page] | NoReplay:
    """The pages that have what an alert reads."""
    names = set(shape.raw)
    if any(not one.name for some in shape.raw.values() for one in some):
        return NoReplay("it names no metric")
    pages = [page for page in world.pages if names & page.series.keys()]
    unknown = sorted(names - {"up"} - {name for page in pages for name in page.series})
    if unknown:
        return NoReplay(f"no snapshot of a healthy service has {', '.join(unknown)}")
    if "up" in names and not any("up" in page.series for page in pages):
        pages = [*pages, *(page for page in world.pages if page not in pages)] if names == {"up"} else pages
    cut = sorted(names & {name for page in pages for name in page.cut})
    if cut:
        return NoReplay(f"a snapshot has too many series of {', '.join(cut)}")
    if _counts_targets(shape) and not all(page.scraped for page in pages):
        return NoReplay("it counts, and a page of one target need not show all that is counted")
    return pages


def _watched(shape: Shape) -> set[str]:
    """The metrics of which an alert asks whether they stand still."""
    nodes = [node for expr in shape.exprs for node in walk(expr)]
    asked = [_value(n.lhs) for n in nodes if isinstance(n, Binary) and n.op in ("<", "<=", "==")]
    still = [one for one in asked if any(isinstance(n, Call) and n.name in _MOVES for n in walk(one))]
    return {one.name for part in still for one in walk(part) if isinstance(one, VectorSelector)}


def _counts_targets(shape: Shape) -> bool:
    """Whether an alert counts series of several targets together, or fires where they add up to too little.

    Those of one target are all on its page.
    """
    nodes = [node for expr in shape.exprs for node in walk(expr)]
    least = {_value(node.lhs) for node in nodes if isinstance(node, Binary) and node.op in ("<", "<=")}
    least |= {_value(node.rhs) for node in nodes if isinstance(node, Binary) and node.op in (">", ">=")}
    return any(
        isinstance(node, Aggregate)
        and ("instance" in node.labels) == node.without
        and (node.op in _COUNTING or (node.op == "sum" and node in least))
        for node in nodes
    )


def _value(expr: Expr) -> Expr:
    """What is compared, without the numbers that it is multiplied by or added to."""
    while isinstance(expr, Binary) and expr.op in ("+", "-", "*", "/"):
        if fold(expr.rhs) is not None:
            expr = expr.lhs
        elif fold(expr.lhs) is not None:
            expr = expr.rhs
        else:
            break
    return expr


def _of_nothing(shape: Shape) -> bool:
    """Whether an alert may fire because series are missing."""
    if shape.functions & _OF_NOTHING:
        return True
    return any(
        isinstance(node, Binary) and node.op in ("or", "unless")
        for expr in shape.exprs
        for node in walk(expr)
    )


def _added(shape: Shape, page: Page, targets: frozenset[str]) -> dict[str, str] | None:
    """What scraping adds to a target's page, such that the alert's selectors take it; None where no one value does."""
    if page.scraped:
        return {}
    stem = page.path.rpartition("/")[2].rpartition(".")[0] or page.path
    found = {label: f"{stem}:9100" if label == "instance" else stem for label in sorted(SCRAPE_LABELS)}
    here = [one for name, some in shape.raw.items() for one in some if name in page.series or name == "up"]
    recorded = [one for one, fixed in shape.recorded if not {m.label for m in one.matchers} & fixed]
    for label in sorted(targets):
        if label in dict(page.labels):
            continue
        asked = [_about(one, label) for one in here if not _on_page(page, one.name, label)]
        value = _satisfying(found.get(label, ""), [group for group in asked if group])
        if value is None:
            return None
        wider = [_about(one, label) for one in recorded]
        both = _satisfying(value, [group for group in (*asked, *wider) if group])
        if both or value:
            found[label] = value if both is None else both
    return found


def _about(selector: VectorSelector, label: str) -> tuple[Matcher, ...]:
    return tuple(matcher for matcher in selector.matchers if matcher.label == label)


def _on_page(page: Page, name: str, label: str) -> bool:
    return any(one.has(label) for one in page.series.get(name, ()))


def _satisfying(default: str, groups: Iterable[tuple[Matcher, ...]]) -> str | None:
    """A value that all matchers take, the default first."""
    matchers = [matcher for group in groups for matcher in group]
    values = [default, ""]
    for matcher in matchers:
        values += (
            [matcher.value] if matcher.op == "=" else examples(matcher.value) if matcher.op == "=~" else []
        )
    values.append("other")
    fitting = (v for v in values if all(m.matches({m.label: v}) for m in matchers))
    return next(fitting, None)


def _series(shape: Shape, page: Page, added: Mapping[str, str]) -> Iterator[tuple[str, Real, dict[str, str]]]:
    """What Prometheus would store of a page: with the labels of its target, which give way to the page's own."""
    for name in shape.raw:
        for real in page.series.get(name, ()):
            yield name, real, {k: v for k, v in {**added, **dict(real.labels)}.items() if v}
    if "up" in shape.raw and "up" not in page.series:
        for labels in _targets(page, added):
            yield "up", Real((), 1.0), labels


def _targets(page: Page, added: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The labels of each target whose series a page has."""
    if not page.scraped:
        yield {k: v for k, v in {**dict(page.labels), **added}.items() if v}
        return
    found: dict[Labels, None] = {}
    for some in page.series.values():
        for one in some:
            pairs = tuple(pair for pair in one.labels if pair[0] in SCRAPE_LABELS)
            if len(pairs) == len(SCRAPE_LABELS):
                found[pairs] = None
    yield from map(dict, found)
