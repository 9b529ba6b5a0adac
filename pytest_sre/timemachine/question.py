"""The scenarios that one alert is put through on virtual time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Series
from pytest_sre.model.slo import PolicyEntry, Slo, ratios
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.claimed import claimed
from pytest_sre.promql.parse import PromqlError
from pytest_sre.report.figures import percent
from pytest_sre.synthesis.contrast import Behaviour, Contrast
from pytest_sre.synthesis.course import RealSeries
from pytest_sre.synthesis.real import Replay, World, replay
from pytest_sre.synthesis.shape import shape_of
from pytest_sre.synthesis.signals import Track
from pytest_sre.synthesis.slo import at_ratio
from pytest_sre.timemachine import spans, timeline
from pytest_sre.timemachine.schedule import Schedule
from pytest_sre.timemachine.slots import WEEK, Need
from pytest_sre.timemachine.timeline import Course

EVALUATIONS = 5.0
"""So many evaluations more than needed are looked at before the onset, in the burn, and after it."""
BELOW, ABOVE = 0.9, 1.1
"""Of an alert's own threshold: it must not fire, and it must."""
LOOKS = 300
"""Evaluations of a first look; what changes between two of them is looked at closely."""

Kind = Literal["near", "burn", "hover", "moving", "snapshot"]
"""Just below the threshold; a burn; values around the threshold; values that move above it; a snapshot's values."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One scenario. Times in seconds: ``quiet`` is looked at before the onset, ``burn`` and ``recovery`` last so long.

    ``history`` is what the series have before the onset, ``interval`` that of the alert's group, ``grid`` the least
    common multiple of the intervals of all rules behind it. Samples lie ``step`` apart, ``fine`` where it matters when
    just something changes. ``worst`` is the highest error ratio of an SLO, ``gone`` when it has used up the whole budget.
    ``real`` are the series of a snapshot, which was scraped at the onset. At ``turns`` (seconds from the onset) values
    that move go to the other side: above the threshold, below it, and so on.
    """

    rule: Rule
    contrast: Contrast
    behaviours: tuple[Behaviour, ...]
    kind: Kind
    name: str
    quiet: float
    burn: float
    recovery: float
    history: float
    lead: float
    interval: float
    grid: float
    step: float
    fine: float
    plain: bool
    now: float
    error_ratio: float | None = None
    slo: str = ""
    factor: float | None = None
    worst: bool = False
    gone: float = math.inf
    real: tuple[RealSeries, ...] = ()
    turns: tuple[float, ...] = ()

    @property
    def need(self) -> Need:
        """What it asks of its slot."""
        native = self.contrast.native
        own = [one.labels for one in self.behaviours]
        labels = [*own, *(native.whole(own) if native else ()), *(one.labels for one in self.real)]
        tracks = tuple(Track(dict(one)) for one in labels)
        shape, moment = self.contrast.shape, self.contrast.moment
        phase = (moment - self.lead) % WEEK // self.grid * self.grid if moment else 0.0
        return Need(shape, tracks, self.history + 3600.0, self.end, phase)

    @property
    def end(self) -> float:
        """The last evaluation that is looked at: there are samples up to it."""
        return self.first_look(0.0).end

    def series(self, onset: float) -> Iterator[Series]:
        """All samples, with the onset at ``onset`` (seconds since the epoch)."""
        first = math.floor(-self.history / self.step)
        last = math.ceil(self.end / self.step)
        return self._series(onset, [i * self.step for i in range(first, last + 1)])

    def closer(self, onset: float, looks: Sequence[Stretch]) -> Iterator[Series]:
        """More samples, where these looks (seconds since the epoch) must see exactly when something changes."""
        if not looks or self.fine >= self.step:
            return iter(())
        relative = [Stretch(one.start - onset, one.end - onset, one.step) for one in looks]
        times = timeline.closer_times(self.contrast.shape, relative, self.step, self.fine)
        end = self.end
        return self._series(onset, [time for time in times if -self.history <= time <= end])

    def _series(self, onset: float, times: Sequence[float]) -> Iterator[Series]:
        course = Course(tuple(self._phases()), self.lead, self.now, onset)
        parts = (timeline.series(one, course, times) for one in self.behaviours)
        native = self.contrast.native
        for made in native.assembled(parts) if native else parts:
            yield Series(made.labels, tuple((onset + time, value) for time, value in made.samples))
        for real in self.real:
            yield Series(real.labels, tuple((onset + time, real.at(time, onset)) for time in times))

    def _phases(self) -> Iterator[tuple[float, timeline.Phase]]:
        if self.kind in ("near", "snapshot"):
            yield -self.history, "near"
            return
        if self.turns:
            yield -self.history, "near"
            for number, turn in enumerate(self.turns):
                yield turn, "near" if number % 2 else "over"
            return
        yield -self.history, "healthy"
        yield 0.0, "burning"
        if self.recovery:
            yield self.burn, "healthy"

    @property
    def lasting(self) -> float:
        """How long (seconds) after its expression changed the alert may still change."""
        return max(self.rule.hold, self.rule.keep_firing_for)

    @property
    def is_short(self) -> bool:
        """Whether all evaluations are looked at from the start."""
        return self.quiet + self.burn + self.recovery <= 2 * LOOKS * self.interval

    def first_look(self, onset: float) -> Stretch:
        """All evaluations, or where they are many and nothing needs all of them, some at regular intervals."""
        grid = self.grid
        start = -math.ceil(self.quiet / grid) * grid
        end = self.burn + self.recovery
        if self.is_short or self.turns or not self.plain:
            return Stretch(onset + start, onset + end, self.interval)
        step = math.ceil((end - start) / LOOKS / grid) * grid
        return Stretch(onset + start, onset + start + math.ceil((end - start) / step) * step, step)


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """What the questions of a run have in common; ``lookback`` in seconds, ``now`` in seconds since the epoch.

    ``in_order``: the engine takes native histograms only one after the other.
    """

    schedule: Schedule
    lookback: float
    now: float
    in_order: bool = False

    def plain(self, rule: Rule, contrast: Contrast) -> Iterator[Question]:
        """An alert just below its threshold, and through a burn."""
        make = partial(question, self, rule, contrast, contrast.behaviours)
        if contrast.near is not None:
            yield make("near", f"{contrast.near:g}x of the threshold", factor=contrast.near)
        yield make("burn", "above the threshold")

    def about_snapshots(self, rule: Rule, world: World) -> Iterator[Question]:
        """An alert on the real series of healthy services; none where they do not have all that it reads."""
        try:
            if not world.pages:
                return
            shape = shape_of(rule, self.schedule.rules)
        except PromqlError:
            return
        empty = question(self, rule, Contrast(shape, (), None), (), "snapshot", "")
        found = replay(shape, world, empty.history)
        if isinstance(found, Replay):
            yield replace(empty, name=", ".join(found.paths), real=found.series)

    def about_slo(
        self, rule: Rule, contrast: Contrast, slo: Slo, policy: Iterable[PolicyEntry]
    ) -> Iterator[Question]:
        """An alert at each error ratio that an SLO has to do with; none where it reads other series."""
        for number, ratio in enumerate(ratios(slo, policy)):
            made = at_ratio(contrast, slo, ratio)
            if made is None:
                return
            question = self.at_ratio(rule, contrast, made, slo, ratio)
            yield replace(question, worst=not number, gone=slo.gone_after(ratio))
        own = claimed(rule.expr)
        if own is None:
            return
        for factor in (BELOW, ABOVE):
            made = at_ratio(contrast, slo, factor * own)
            if made is not None and factor * own <= 1:
                yield self.at_ratio(rule, contrast, made, slo, factor * own, factor)

    def at_ratio(
        self,
        rule: Rule,
        contrast: Contrast,
        behaviours: Sequence[Behaviour],
        slo: Slo,
        ratio: float,
        factor: float | None = None,
    ) -> Question:
        """An alert while this share of an SLO's requests fails; all the time, where that is below its threshold."""
        name = f"{percent(ratio)} of the requests fail"
        if factor is not None:
            name = f"{factor:g}x of its threshold: {name}"
        if factor is None or factor > 1:
            return question(self, rule, contrast, behaviours, "burn", name, ratio, slo.name, factor)
        steady = [replace(one, near=one.burning) for one in behaviours]
        return question(self, rule, contrast, steady, "near", name, ratio, slo.name, factor)


def question(
    asker: Asker,
    rule: Rule,
    contrast: Contrast,
    behaviours: Sequence[Behaviour],
    kind: Kind,
    name: str,
    error_ratio: float | None = None,
    slo: str = "",
    factor: float | None = None,
) -> Question:
    """One scenario of an alert: as long as it needs to be, with as many samples as it needs."""
    schedule, lookback = asker.schedule, asker.lookback
    behind = schedule.rules.closure(rule)
    intervals = [schedule.interval(one) for one in (rule, *behind)]
    few = EVALUATIONS * max(intervals)
    # ALERTS of other alerts come when these have waited for their own `for`
    held = sum(one.hold for one in behind)
    reach = max((read.reach for read in contrast.shape.reads), default=0.0)
    chain = (schedule.rules.depth(rule) + 1) * (lookback + max(intervals))
    quiet = _whole(rule.hold + few, intervals)
    burn = recovery = 0.0
    clock = timeline.clock(contrast.shape, contrast.moment or asker.now)
    if kind == "burn":
        burn = _whole(reach + held + rule.hold + few + timeline.lasting(behaviours, clock), intervals)
        kept = sum(one.keep_firing_for for one in (rule, *behind))
        recovery = reach + chain + kept + few if not slo else 0.0
    history = reach + chain + held + quiet + few
    step = timeline.spacing(contrast.shape, lookback, history + burn + recovery)
    fine = min(step, math.floor(min(intervals)) or 1.0) if timeline.is_rates(contrast.shape) else step
    short = kind == "burn" and quiet + burn + recovery <= 2 * LOOKS * intervals[0]
    native = contrast.native if asker.in_order else None
    if native and not short:
        fine = step  # nothing can be added later between what is there
    return Question(
        rule, contrast, tuple(behaviours), kind, name, quiet, burn, recovery,
        history=history,
        lead=reach,
        interval=intervals[0],
        grid=_common(intervals),
        step=fine if short else step,
        fine=fine,
        plain=not (native and native.recorded) and spans.plain(rule, schedule),
        now=clock,
        error_ratio=error_ratio,
        slo=slo,
        factor=factor,
    )  # fmt: skip


def _common(intervals: Sequence[float]) -> float:
    """The least common multiple, to the millisecond."""
    return math.lcm(*(round(one * 1000) for one in intervals)) / 1000


def _whole(seconds: float, intervals: Sequence[float]) -> float:
    grid = _common(intervals)
    return math.ceil(seconds / grid) * grid
