"""For one alert, how each series behaves while the service is healthy, just below the threshold, and while it burns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, Labels, NotSynthesised
from pytest_sre.promql.ast import VectorSelector, walk
from pytest_sre.promql.parse import PromqlError
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis import mixture
from pytest_sre.synthesis.batches import labels_key
from pytest_sre.synthesis.bench import MOMENTS, Bench
from pytest_sre.synthesis.burning import Burning, sometime
from pytest_sre.synthesis.element import EvalError, Unsupported
from pytest_sre.synthesis.entities import Entity, Option
from pytest_sre.synthesis.exponential import Native
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.healthy import Healthy
from pytest_sre.synthesis.hovering import hovers
from pytest_sre.synthesis.mixture import NEAR, OVER, Pair
from pytest_sre.synthesis.native import NativeLabels, classic
from pytest_sre.synthesis.never.functions import CALENDAR
from pytest_sre.synthesis.palette import Palette
from pytest_sre.synthesis.search import BUDGET, Terms
from pytest_sre.synthesis.shape import Shape, shape_of
from pytest_sre.synthesis.signals import Signal, Track

DEAD_MAN = "a dead man's switch: it fires always, by design"
UNPROVEN = "fires on healthy data: none were found on which it is quiet (not proven that there are none)"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One series: what it does while all is well, just below the threshold, and while the alert fires (None: absent).

    Signals are functions of the seconds since ``now`` (of `contrast`): at time 0 the windows hold what was searched.
    ``healthy`` goes on like this for days, before 0 and after, unless it has a slope (rare). ``burning`` does not (a
    gauge that falls may become negative), nor does a ``near`` with a slope other than the clock's (1, for time stamps):
    an onset at time t plays ``burning.at(s - t - lead)`` for s from t on, where ``lead`` is the alert's reach in
    seconds, so that at s = t + lead its windows hold exactly the searched data. A counter goes on from the value it
    has: play what it counts, not where it stands. ``over`` lies just above the threshold, as ``near`` does just below
    it; None where the alert's values do not go up and down around it.
    """

    labels: Labels
    healthy: Signal | None
    near: Signal | None
    burning: Signal | None
    over: Signal | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """How the series of one alert behave; ``shape`` is the alert, with its reads.

    ``near`` is how far `Behaviour.near` is from healthy (0) to the smallest mixture that fires (1): 0.9; None where
    there is nothing near, and ``near_reason`` then says why. Some of the series are parts of ``native`` histograms; the
    ``shape`` is then that of the alert on classic ones. ``moment`` (seconds since the epoch) has the time of the week that
    the alert asks for; 0 where it asks for none.
    """

    shape: Shape
    behaviours: tuple[Behaviour, ...]
    near: float | None
    near_reason: str = ""
    native: Native | None = None
    moment: float = 0.0


def contrast(
    alert: Rule,
    rules: RuleIndex,
    *,
    types: Mapping[str, str],
    now: float,
    lookback: float,
    serial: str,
    error_share: float = 1e-5,
    real: Exposed | None = None,
) -> Contrast | NotSynthesised | Impossible:
    """Search healthy, near and burning data. NotSynthesised also where the alert fires on all data found to be healthy.

    ``types`` metric types by name; ``now`` (seconds since the epoch) is time 0 of the signals; ``lookback`` in
    seconds; ``serial`` makes the alert's free label values its own; ``error_share`` of requests fail while all is well;
    ``real`` the metrics of snapshots, whose labels and buckets the series get.
    """
    terms = Terms(types, now, lookback, serial, real)
    known = classic(rules, [alert])
    if known.is_native(alert):
        labels = real and NativeLabels(real.snapshots)
        found = _contrast(known.rule(alert), known, replace(terms, real=labels), error_share)
        return (
            replace(found, native=known.native([alert])) if isinstance(found, Contrast) else known.told(found)
        )
    return _contrast(alert, rules, terms, error_share)


def _contrast(
    alert: Rule, rules: RuleIndex, terms: Terms, error_share: float
) -> Contrast | NotSynthesised | Impossible:
    try:
        shape = shape_of(alert, rules)
        found, moment = sometime(shape, rules, terms)
        if not isinstance(found, Burning):
            return found
        bench = Bench(shape, rules, moment or terms.now, terms.lookback, found.entities)
        made = _contrasted(shape, found, bench, error_share)
        return replace(made, moment=moment) if isinstance(made, Contrast) else made
    except PromqlError as error:
        return NotSynthesised(alert, f"not PromQL: {error}", alert.expr)
    except Unsupported as error:
        return NotSynthesised(alert, error.reason, error.part)
    except re.error as error:
        reason = f"Python cannot read this regular expression ({error})"
        return NotSynthesised(alert, reason, str(error.pattern))


def _contrasted(shape: Shape, found: Burning, bench: Bench, share: float) -> Contrast | NotSynthesised:
    burns = bench.kept()
    healthily = Healthy(bench, found.groups, Palette(found.shape, bench.now), share)
    if _reads_nothing(shape):
        return NotSynthesised(shape.rule, DEAD_MAN)
    if not healthily.find():
        return NotSynthesised(shape.rule, UNPROVEN, shape.rule.expr)
    well = bench.kept()
    healthy = _signals(bench)
    burns = _needed(bench, found.groups, well, burns)
    bench.set(burns)
    burn = _signals(bench)
    bench.set(well)
    pairs = _pairs(bench, healthy, burn)
    share_near, reason = mixture.approach(
        pairs,
        healthily.equal,
        lambda moment: _there(bench, moment),
        lambda: bench.quiet(MOMENTS),
    )
    near = _signals(bench)
    over = _above(bench, pairs, share_near)
    behaviours = [
        Behaviour(
            labels_key(track),
            healthy[track],
            None if share_near is None else near[track],
            burn[track],
            over.get(track),
        )
        for track in bench.trial.tracks
        if healthy[track] is not None or burn[track] is not None
    ]
    return Contrast(shape, tuple(behaviours), None if share_near is None else NEAR, reason)


def _reads_nothing(shape: Shape) -> bool:
    """Whether an alert depends neither on any series nor on the clock."""
    read = any(isinstance(node, VectorSelector) for expr in shape.exprs for node in walk(expr))
    return not read and not shape.functions & {"time", *CALENDAR}


def _signals(bench: Bench) -> dict[Track, Signal | None]:
    return {track: track.signal for track in bench.trial.tracks}


def _pairs(
    bench: Bench, healthy: Mapping[Track, Signal | None], burn: Mapping[Track, Signal | None]
) -> list[Pair]:
    """The tracks that differ."""
    flags = {track for entity in bench.entities if entity.kind == "flag" for track in entity.tracks}
    whole = {track for entity in bench.entities if entity.nature.whole for track in entity.tracks}
    return [
        Pair(track, healthy[track], burn[track], track in flags, track in whole)
        for track in bench.trial.tracks
        if healthy[track] != burn[track]
    ]


def _above(bench: Bench, pairs: list[Pair], near: float | None) -> dict[Track, Signal | None]:
    """What all tracks do just above the threshold; empty where they do not hover around it."""
    if near is None or not hovers(bench.shape, pairs, bench.now):
        return {}
    for pair in pairs:
        pair.set(min(1.0, near / NEAR * OVER))
    return _signals(bench)


def _there(bench: Bench, moment: float) -> bool:
    """Whether the alert has any result at a moment."""
    try:
        return any(not element.off for element in bench.vector(moment))
    except EvalError:
        return True


def _needed(
    bench: Bench, groups: list[list[Entity]], well: Mapping[Entity, Option], burns: Mapping[Entity, Option]
) -> dict[Entity, Option]:
    """Burning data that differ from healthy ones only where the alert needs it."""
    kept = dict(burns)
    bench.set(kept)
    bench.left = BUDGET // 3
    singles = [[entity] for group in groups if len(group) > 1 for entity in group]
    for group in [*groups, *singles]:
        changed = {entity: well[entity] for entity in group if well[entity] != kept[entity]}
        if not changed or bench.left <= 0:
            continue
        bench.set(changed)
        if bench.fires(MOMENTS) and not bench.guards.broken(bench.trial):
            kept.update(changed)
        else:
            bench.set(kept)
    return kept
