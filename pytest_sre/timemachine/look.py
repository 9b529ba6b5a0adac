"""A first look at a long time, a closer one where something changed, and both put together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Activity, Row, Stretch
from pytest_sre.timemachine import spans

_MANY = 40
"""So many changes are no passage from one state to another: then every evaluation is needed."""


def closer(
    activity: Activity, look: Stretch, interval: float, blur: float, moments: Sequence[float]
) -> list[Stretch]:
    """Where between two ticks of a look the set of results changed, at the rule's own interval (seconds).

    ``blur`` is how far off (seconds) the change may be, because samples were far apart. Just before and after
    ``moments``, when the series change their course, something may come and go between two ticks.
    """
    margin = math.ceil(blur / interval) * interval
    present = _present(activity)
    ticks = activity.ticks
    changed = [
        Stretch(max(look.start, one - margin), min(look.end, other + margin), interval)
        for one, other in pairwise(ticks)
        if present.get(one) != present.get(other)
        or one in activity.errors
        or other in activity.errors
        or any(one <= moment <= other for moment in moments)
    ]
    return spans.merged(changed) if len(changed) <= _MANY else [Stretch(look.start, look.end, interval)]


def _present(activity: Activity) -> dict[float, frozenset[Labels]]:
    found: dict[float, set[Labels]] = {}
    for row in activity.rows:
        for time in row.times:
            found.setdefault(time, set()).add(row.labels)
    return {time: frozenset(labels) for time, labels in found.items()}


def together(first: Activity, close: Activity | None, look: Stretch, interval: float) -> Activity:
    """What every evaluation gave: those not looked at are as the last one before them."""
    if look.step == interval:
        return first
    every = tuple(round(tick, 3) for tick in Stretch(look.start, look.end, interval).ticks)
    seen = set(close.ticks) if close else set()
    rows: dict[Labels, dict[float, float]] = {}
    for row in close.rows if close else ():
        rows.setdefault(row.labels, {}).update(zip(row.times, row.values, strict=True))
    source = _sources(every, set(first.ticks), seen)
    for row in first.rows:
        values = dict(zip(row.times, row.values, strict=True))
        into = rows.setdefault(row.labels, {})
        into.update((tick, values[at]) for tick, at in source if at in values)
    errors = {**first.errors, **(close.errors if close else {})}
    made = tuple(_row(labels, values) for labels, values in rows.items())
    return Activity(
        every, made, {tick: text for tick, text in errors.items() if tick in seen or tick in first.ticks}
    )


def _sources(every: Sequence[float], looked: set[float], seen: set[float]) -> list[tuple[float, float]]:
    """For each evaluation that was not looked at closely the tick of the first look that stands for it."""
    found, last = [], every[0]
    for tick in every:
        if tick in looked:
            last = tick
        if tick not in seen:
            found.append((tick, last))
    return found


def _row(labels: Labels, values: dict[float, float]) -> Row:
    times = tuple(sorted(values))
    return Row(labels, times, tuple(values[time] for time in times))
