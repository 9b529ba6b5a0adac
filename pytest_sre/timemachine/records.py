"""What rules write: recorded series with the markers that end them, and ``ALERTS``.

Source: `Group.Eval` of https://github.com/prometheus/prometheus/blob/main/rules/group.go
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Value, ending
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import AlertHistory, Row

Written = tuple[Labels, list[tuple[float, Value]]]
_DUPLICATE = "vector contains metrics with the same labelset after applying rule labels"


def record_labels(rule: Rule, sample: Labels) -> Labels:
    """The labels under which a recording rule stores a sample."""
    return _labels({**dict(sample), **rule.labels, "__name__": rule.name})


def recorded(rule: Rule, rows: Iterable[Row]) -> tuple[list[Row], dict[float, str]]:
    """Rows as they are stored, and the times at which two of them would be the same series."""
    alike: dict[Labels, list[Row]] = {}
    for row in rows:
        alike.setdefault(record_labels(rule, row.labels), []).append(row)
    errors: dict[float, str] = {}
    return [_merged(labels, same, errors) for labels, same in alike.items()], errors


def _merged(labels: Labels, rows: Sequence[Row], errors: dict[float, str]) -> Row:
    if len(rows) == 1:
        return Row(labels, rows[0].times, rows[0].values)
    series: dict[float, float] = {}
    for row in rows:
        for time, value in zip(row.times, row.values, strict=True):
            if time in series:
                errors[time] = _DUPLICATE
            series[time] = value
    times = tuple(sorted(series))
    return Row(labels, times, tuple(series[time] for time in times))


def over_limit(rows: Iterable[Row], limit: int) -> dict[float, str]:
    """The times at which a recording rule gives more series than its group allows."""
    counts: dict[float, int] = {}
    for row in rows if limit else ():
        for time in row.times:
            counts[time] = counts.get(time, 0) + 1
    return {
        time: f"exceeded limit of {limit} with {count} series"
        for time, count in counts.items()
        if count > limit
    }


def without(rows: Iterable[Row], errors: Collection[float]) -> list[Row]:
    """Rows without the evaluations that failed."""
    kept = []
    for row in rows:
        points = [pair for pair in zip(row.times, row.values, strict=True) if pair[0] not in errors]
        if points:
            times, values = zip(*points, strict=True)
            kept.append(Row(row.labels, times, values))
    return kept


def next_ticks(ticks: Iterable[float], failed: Collection[float]) -> dict[float, float]:
    """For each evaluation that did not fail the next one that did not."""
    return dict(pairwise(tick for tick in ticks if tick not in failed))


def with_ends(row: Row, following: Mapping[float, float]) -> list[tuple[float, Value]]:
    """A row's samples, and a stale marker at the first evaluation that no longer gives it.

    ``following`` is from `next_ticks`: an evaluation that fails ends nothing.
    """
    samples: list[tuple[float, Value]] = []
    for time, value, again in zip(row.times, row.values, (*row.times[1:], None), strict=True):
        samples.append((time, value))
        end = following.get(time)
        if end is not None and end != again:
            samples.append((end, ending(value)))
    return samples


@dataclass(frozen=True, slots=True)
class Claims:
    """The samples that rules have written which may write the same: as in Prometheus, the first of a moment stays."""

    _taken: dict[Labels, set[float]] = field(default_factory=dict)

    def fresh(self, written: Iterable[Written]) -> Iterator[Written]:
        """What is new; it is claimed with that."""
        for labels, samples in written:
            taken = self._taken.setdefault(labels, set())
            kept = [sample for sample in samples if sample[0] not in taken]
            taken.update(at for at, _ in kept)
            yield labels, kept


def state_labels(rule: Rule, alert: Labels, state: str) -> Labels:
    """The labels of an alert's ``ALERTS``: what a template leaves empty is there as its author wrote it."""
    return _labels({**rule.labels, **dict(alert), "__name__": "ALERTS", "alertstate": state})


def since_labels(rule: Rule, alert: Labels) -> Labels:
    """The labels of an alert's ``ALERTS_FOR_STATE``."""
    return _labels({**rule.labels, **dict(alert), "__name__": "ALERTS_FOR_STATE"})


def alert_series(history: AlertHistory, ticks: Iterable[float], offset: float) -> Iterator[Written]:
    """``ALERTS`` and ``ALERTS_FOR_STATE`` as a rule with this history writes them; ``offset`` is `query_offset`."""
    good = [tick for tick in ticks if tick not in history.errors]
    series: dict[Labels, dict[float, float]] = {}
    for period in history.periods:
        named = {state: state_labels(history.rule, period.labels, state) for state in ("pending", "firing")}
        since = since_labels(history.rule, period.labels)
        end = len(good) if period.ended is None else bisect_left(good, period.ended)
        for tick in good[bisect_left(good, period.active_at) : end]:
            fires = period.fired_at is not None and period.fired_at <= tick
            series.setdefault(named["firing" if fires else "pending"], {})[tick] = 1.0
            series.setdefault(since, {})[tick] = float(int(period.active_at))
    following = next_ticks(good, ())
    for labels, points in series.items():
        samples = with_ends(Row(labels, tuple(points), tuple(points.values())), following)
        yield labels, [(round(tick - offset, 3), value) for tick, value in samples]


def _labels(merged: Mapping[str, str]) -> Labels:
    return tuple(sorted((key, text) for key, text in merged.items() if text))
