"""What rules write: recorded series with the markers that end them, and ``ALERTS``.

Source: `Group.Eval` of https://github.com/prometheus/prometheus/blob/main/rules/group.go
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import AlertHistory, Row, Stretch

STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The value that ends a series: https://github.com/prometheus/prometheus/blob/main/model/value/value.go"""
Written = tuple[Labels, list[tuple[float, float]]]
_DUPLICATE = "vector contains metrics with the same labelset after applying rule labels"


def record_labels(rule: Rule, sample: Labels) -> Labels:
    """The labels under which a recording rule stores a sample."""
    merged = {**dict(sample), **rule.labels, "__name__": rule.name}
    return tuple(sorted((key, text) for key, text in merged.items() if text))


def recorded(rule: Rule, rows: Iterable[Row]) -> tuple[list[Row], dict[float, str]]:
    """Rows as they are stored, and the times at which two of them would be the same series."""
    found: dict[Labels, dict[float, float]] = {}
    errors: dict[float, str] = {}
    for row in rows:
        series = found.setdefault(record_labels(rule, row.labels), {})
        for time, value in zip(row.times, row.values, strict=True):
            if time in series:
                errors[time] = _DUPLICATE
            series[time] = value
    return [_row(labels, series, errors) for labels, series in found.items()], errors


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


def _row(labels: Labels, series: dict[float, float], errors: dict[float, str]) -> Row:
    times = tuple(sorted(time for time in series if time not in errors))
    return Row(labels, times, tuple(series[time] for time in times))


def without(rows: Iterable[Row], errors: Iterable[float]) -> list[Row]:
    """Rows without the evaluations that failed."""
    failed = set(errors)
    return [
        _row(row.labels, dict(zip(row.times, row.values, strict=True)), dict.fromkeys(failed, ""))
        for row in rows
    ]


def with_ends(row: Row, stretch: Stretch, failed: Iterable[float]) -> list[tuple[float, float]]:
    """A row's samples, and a stale marker at the first evaluation that no longer gives it (failed ones don't count)."""
    errors = set(failed)
    values = dict(zip(row.times, row.values, strict=True))
    samples, alive = [], False
    for tick in stretch.ticks:
        time = round(tick, 3)
        if time in values:
            samples.append((time, values[time]))
            alive = True
        elif alive and time not in errors:
            samples.append((time, STALE))
            alive = False
    return samples


def alert_series(history: AlertHistory, ticks: Sequence[float], offset: float) -> Iterator[Written]:
    """``ALERTS`` and ``ALERTS_FOR_STATE`` as a rule with this history writes them; ``offset`` is `query_offset`."""
    for period in history.periods:
        fired = period.fired_at
        ended = period.ended
        pending = [
            t
            for t in ticks
            if period.active_at <= t and (fired is None or t < fired) and (ended is None or t < ended)
        ]
        firing = [t for t in ticks if fired is not None and fired <= t and (ended is None or t < ended)]
        after = next((t for t in ticks if ended is not None and t >= ended), None)
        for state, moments, end in (
            ("pending", pending, fired if fired is not None else after),
            ("firing", firing, after),
        ):
            if moments:
                labels = _named(period.labels, "ALERTS", alertstate=state)
                yield labels, _ending([(t - offset, 1.0) for t in moments], end, offset)
        since = float(int(period.active_at))
        whole = [(t - offset, since) for t in (*pending, *firing)]
        yield _named(period.labels, "ALERTS_FOR_STATE"), _ending(whole, after, offset)


def _ending(
    samples: list[tuple[float, float]], end: float | None, offset: float
) -> list[tuple[float, float]]:
    return samples if end is None else [*samples, (end - offset, STALE)]


def _named(labels: Labels, name: str, **more: str) -> Labels:
    return tuple(sorted({**dict(labels), "__name__": name, **more}.items()))
