"""When alerts fire and how much budget is gone by then: a table for each SLO, as in the SRE Workbook, and one for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import Slo
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.printer import duration
from pytest_sre.report.figures import percent, span, times
from pytest_sre.report.seen import Seen

_GAP = 2
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows of equal length; the first column names what the others tell."""

    title: str
    head: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]


def tables(seen: Seen) -> Iterator[Table]:
    """For each SLO that alerts watch over: rows are alerts, columns error ratios, and what it takes to end."""
    label = f"{seen.label}: " if seen.label else ""
    for slo in seen.slos:
        watching = {rule: one for rule, one in seen.observations.timed.items() if _of(one, slo)}
        if watching:
            made = _table(seen, slo, watching)
            yield replace(made, title=label + made.title)


def others(seen: Seen) -> Table | None:
    """Alerts that watch over no SLO: how soon they fire on data above their threshold, and how soon they end."""
    rows = [
        (rule.name, _after(burn), _reset(burn))
        for rule, timed in seen.observations.timed.items()
        if not any(one.slo for one in timed.passages)
        for burn in timed.passages
        if burn.kind == "burn"
    ]
    label = f"{seen.label}: " if seen.label else ""
    head = (("alert", "fires after", "ends after"),)
    return Table(f"{label}alerts without SLO", head, tuple(rows)) if rows else None


def aligned(table: Table, width: int) -> Iterator[str]:
    """The lines for a screen of so many characters: columns that don't fit go below the others, with the names again."""
    every = (*table.head, *table.rows)
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    yield table.title
    for columns in _fitting(widths, width):
        for row in every:
            cells = (f"{row[column]:>{widths[column] + _GAP}}" for column in columns)
            yield f"  {row[0]:<{widths[0]}}{''.join(cells)}".rstrip()


def _fitting(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The columns after the first one, in portions."""
    some: list[int] = []
    taken = 0
    for column, own in enumerate(widths[1:], 1):
        if some and 2 + widths[0] + taken + own + _GAP > width:
            yield some
            some, taken = [], 0
        some.append(column)
        taken += own + _GAP
    yield some


def _of(timed: TimedObservation, slo: Slo) -> list[Passage]:
    """An alert's passages at the error ratios of an SLO, the highest first."""
    asked = [one for one in timed.passages if one.slo == slo.name and one.factor is None]
    return [one for one in asked if one.error_ratio is not None]


def _table(seen: Seen, slo: Slo, watching: dict[Rule, TimedObservation]) -> Table:
    ratios = [one.error_ratio or 0.0 for one in _of(next(iter(watching.values())), slo)]
    title = f"{slo.name} ({slo.objective:g}% over {duration(slo.window)}): fires after, error budget spent by then"
    head = (
        ("errors", *map(percent, ratios), "ends after"),
        ("burn rate", *(times(slo.burn_rate(ratio)) for ratio in ratios), ""),
    )
    return Table(title, head, tuple(_row(seen, slo, rule, timed) for rule, timed in watching.items()))


def _row(seen: Seen, slo: Slo, rule: Rule, timed: TimedObservation) -> tuple[str, ...]:
    kind = seen.settings.file.severities.kind_of(rule.labels)
    name = f"{rule.name} ({kind})" if kind else rule.name
    plain = next((one for one in timed.passages if one.kind == "burn" and not one.slo), None)
    return (name, *(_cell(slo, one) for one in _of(timed, slo)), _reset(plain) if plain else "")


def _cell(slo: Slo, one: Passage) -> str:
    if one.fired is None or one.error_ratio is None:
        return NEVER if one.early is None else "before"
    return f"{span(one.fired)} · {percent(slo.spent(one.error_ratio, one.fired), 2)}"


def _after(burn: Passage) -> str:
    if burn.fired is None:
        return NEVER if burn.early is None else "before"
    return span(burn.fired)


def _reset(burn: Passage) -> str:
    if burn.fired is None or burn.recovery is None:
        return "-"
    if burn.ended is None:
        return NEVER
    return span(burn.ended - burn.recovery) if burn.ended > burn.recovery else "at once"
