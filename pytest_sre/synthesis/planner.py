"""From alerts to series: share what already fires, make what does not, keep apart what spoils each other."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Batch, Impossible, NotSynthesised, Plan, Scenario, Series
from pytest_sre.promql.parse import PromqlError
from pytest_sre.promql.queries import queries
from pytest_sre.promql.resolve import ALERTS, RuleIndex
from pytest_sre.synthesis import grid
from pytest_sre.synthesis.alerting import expected
from pytest_sre.synthesis.answers import answers
from pytest_sre.synthesis.batches import MOMENTS, Pool, labels_key
from pytest_sre.synthesis.burning import Burning, burning, sometime
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.grid import Windows
from pytest_sre.synthesis.moments import asks_a_date, asks_the_clock, stays, told
from pytest_sre.synthesis.native import NativeLabels, classic, joined
from pytest_sre.synthesis.search import Terms, sample_windows
from pytest_sre.synthesis.shape import Shape, shape_of
from pytest_sre.synthesis.signals import FixedTrack, Track

_RUN = 600.0
"""Seconds for which what the clock says must stay as it is, so that the live stack can show that an alert fires."""


def plan(
    alerts: Sequence[Rule],
    rules: RuleIndex,
    *,
    lookback: float = 300.0,
    by_hand: Mapping[Rule, tuple[Series, ...]] | None = None,
    types: Mapping[str, str] | None = None,
    now: float | None = None,
    real: Exposed | None = None,
) -> Plan:
    """Series for every alert, in as few batches as possible.

    ``lookback`` in seconds; ``by_hand`` series that users wrote; ``types`` metric types by name; ``now`` the
    start of the run in seconds since the epoch (the clock's, if None); ``real`` the metrics of snapshots.
    """
    given = by_hand or {}
    hidden = classic(rules, alerts)
    native = {alert for alert in alerts if alert not in given and hidden.is_native(alert)}
    serials = {alert: str(serial) for serial, alert in enumerate(alerts, 1)}
    terms = Terms(types or {}, time.time() if now is None else now, lookback, real=real)
    planner = _Planner(rules, terms, given)
    for alert in alerts:
        if alert not in native:
            planner.add(alert, serials[alert])
    made = planner.finish()
    if not native:
        return made
    # Servers of their own: their histories are written in another way, with a feature that others need not have.
    planner = _Planner(hidden, replace(terms, real=real and NativeLabels(real.snapshots)), {})
    for alert in alerts:
        if alert in native:
            planner.add(hidden.rule(alert), serials[alert])
    return joined(made, hidden, planner.finish())


class _Planner:
    def __init__(
        self,
        rules: RuleIndex,
        terms: Terms,
        by_hand: Mapping[Rule, tuple[Series, ...]],
    ) -> None:
        self.rules, self.terms, self.by_hand = rules, terms, by_hand
        self.pools: list[Pool] = []
        self.unproven: list[NotSynthesised | Impossible] = []
        self.windows: dict[Track, Windows] = {}
        self.own: dict[Rule, list[Track]] = {}

    def add(self, alert: Rule, serial: str) -> None:
        """Plan one alert."""
        try:
            self._add(alert, serial)
        except re.error as error:
            reason = f"Python cannot read this regular expression ({error})"
            self.unproven.append(NotSynthesised(alert, reason, str(error.pattern)))

    def _add(self, alert: Rule, serial: str) -> None:
        try:
            shape = shape_of(alert, self.rules)
        except PromqlError as error:
            self.unproven.append(NotSynthesised(alert, f"not PromQL: {error}", alert.expr))
            return
        if alert in self.by_hand:
            self._place(shape, [[_fixed(series)] for series in self.by_hand[alert]])
            return
        asked = any(True for _ in queries(alert))
        timely = not asks_the_clock(shape) or stays(shape, self.rules, self.terms.now, _RUN)
        if timely and not asked and any(self._shared(shape, pool) for pool in self._open(shape)):
            return
        terms = replace(self.terms, serial=serial)
        made = self._made(shape, terms)
        if isinstance(made, Burning):
            things = made.things + (answers(made, self.rules, terms) if asked else [])
            for tracks in things:
                for track in tracks:
                    self.windows[track] = sample_windows(shape)
            self._place(shape, things)
        else:
            self.unproven.append(made)

    def _made(self, shape: Shape, terms: Terms) -> Burning | NotSynthesised | Impossible:
        """Data that fire an alert now, and as long as the run may last."""
        if not asks_the_clock(shape):
            return burning(shape, self.rules, terms)
        if not asks_a_date(shape) and stays(shape, self.rules, terms.now, _RUN):
            made = burning(shape, self.rules, terms)
            if not isinstance(made, NotSynthesised):
                return made
        found, moment = sometime(shape, self.rules, terms)
        if not isinstance(found, Burning):
            return found
        when = told(moment)
        return NotSynthesised(shape.rule, f"it fires at other times of the week, as on {when}", elsewhen=when)

    def _shared(self, shape: Shape, pool: Pool) -> bool:
        """Use what is planned already, with more history if need be, where the alert fires on it."""
        matched = [track for near in pool.matched(shape) for track in pool.family[near]]
        wanted = sample_windows(shape)
        before = {track: (track.times, self.windows[track]) for track in matched if track in self.windows}
        for track, (_, windows) in before.items():
            if not wanted <= windows:
                self.windows[track] = windows | wanted
                track.times = grid.times(windows | wanted, self.terms.lookback)
        if pool.fires(shape):
            self.own[shape.rule] = matched
            pool.watch(shape)
            return True
        for track, (times, windows) in before.items():
            track.times, self.windows[track] = times, windows
        return False

    def _place(self, shape: Shape, things: list[list[Track]]) -> None:
        """Put new series into the first batch where they spoil nothing."""
        self.own[shape.rule] = [track for tracks in things for track in tracks]
        pools = self._open(shape)
        if any(self._joined(shape, things, pool) for pool in pools):
            return
        if any(self._instead(shape, things, pool) for pool in pools):
            return
        pool = Pool(self.rules, self.terms.now, self.terms.lookback)
        self.pools.append(pool)
        pool.put(things)
        pool.watch(shape)

    def _open(self, shape: Shape) -> list[Pool]:
        """The batches that an alert may join: one that reads the ALERTS of whatever fires needs a Prometheus of its own."""
        if _reads_all_alerts(shape):
            return []
        return [pool for pool in self.pools if not any(map(_reads_all_alerts, pool.alerts))]

    def _joined(self, shape: Shape, things: list[list[Track]], pool: Pool) -> bool:
        replaced = [
            pool.tracks[key] for tracks in things for t in tracks if (key := labels_key(t)) in pool.tracks
        ]
        families = [pool.family[track] for track in replaced]
        if any(isinstance(track, FixedTrack) for track in replaced):
            return False
        old = list({id(family): family for family in families}.values())
        old_tracks = [track for family in old for track in family]
        fresh = {labels_key(track) for tracks in things for track in tracks}
        if not {labels_key(track) for track in old_tracks} <= fresh:
            return False
        pool.take(old_tracks)
        self._lengthen(things, old_tracks)
        new = pool.put(things)
        alone = set(pool.matched(shape)) <= set(new)
        if pool.fires(shape, (0.0,) if alone else MOMENTS) and all(map(pool.fires, pool.watching(new))):
            pool.watch(shape)
            self._inherit(pool, old_tracks)
            return True
        pool.take(new)
        pool.put(old)
        return False

    def _instead(self, shape: Shape, things: list[list[Track]], pool: Pool) -> bool:
        """Put new series in the place of those they cannot stand beside: a ticket's requests would dilute a page's errors."""
        if any(isinstance(track, FixedTrack) for tracks in things for track in tracks):
            return False
        near = pool.matched(shape)
        renamed = [[track.named(_nearest(track.labels, near)) for track in tracks] for tracks in things]
        keys = [labels_key(track) for tracks in renamed for track in tracks]
        if not near or len(set(keys)) < len(keys):
            return False
        for old, new in zip(chain(*things), chain(*renamed), strict=True):
            self.windows[new] = self.windows[old]
        if not self._joined(shape, renamed, pool):
            return False
        self.own[shape.rule] = list(chain(*renamed))
        return True

    def _lengthen(self, things: list[list[Track]], old: list[Track]) -> None:
        """New series that take the place of old ones serve their readers too."""
        wanted = frozenset(window for track in old for window in self.windows.get(track, frozenset()))
        for tracks in things if wanted else []:
            for track in tracks:
                if track in self.windows and not wanted <= self.windows[track]:
                    self.windows[track] = self.windows[track] | wanted
                    track.times = grid.times(self.windows[track], self.terms.lookback)

    def _inherit(self, pool: Pool, old: list[Track]) -> None:
        """Alerts whose series were replaced own the new ones."""
        gone = set(old)
        for other in pool.alerts if gone else []:
            kept = self.own[other.rule]
            if any(track in gone for track in kept):
                new = [pool.tracks.get(labels_key(track), track) for track in kept]
                self.own[other.rule] = list(dict.fromkeys(new))

    def finish(self) -> Plan:
        """Everything as samples."""
        batches = []
        for pool in self.pools:
            emitted = {track: _emit(track) for track in pool.tracks.values() if track.signal is not None}
            scenarios = tuple(
                Scenario(
                    shape.rule,
                    tuple(emitted[track] for track in self.own[shape.rule] if track in emitted),
                    expected(shape.rule, pool.evaluate(shape)),
                    "by hand" if shape.rule in self.by_hand else "synthesised",
                )
                for shape in pool.alerts
            )
            batches.append(Batch(scenarios, tuple(emitted.values())))
        return Plan(tuple(batches), tuple(self.unproven))


def _reads_all_alerts(shape: Shape) -> bool:
    named = (
        any(matcher.label == "alertname" and matcher.op == "=" for matcher in one.matchers)
        for one in shape.raw.get(ALERTS, ())
    )
    return not all(named)


def _nearest(labels: dict[str, str], others: list[Track]) -> dict[str, str]:
    """The labels of the series of this metric that is most like these."""
    alike = [track.labels for track in others if track.labels.keys() == labels.keys()]
    alike = [other for other in alike if other["__name__"] == labels["__name__"]]
    return max(alike, key=lambda other: len(labels.items() & other.items()), default=labels)


def _fixed(series: Series) -> Track:
    points = tuple((time, value) for time, value in series.samples if isinstance(value, float))
    return FixedTrack(dict(series.labels), points)


def _emit(track: Track) -> Series:
    return Series(labels_key(track), track.samples())
