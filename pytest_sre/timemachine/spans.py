"""When each rule behind an alert must be evaluated, so that the alert finds all that it reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.parse import parse
from pytest_sre.promql.reach import RecordRead, record_reads
from pytest_sre.timemachine import order
from pytest_sre.timemachine.schedule import Schedule
from pytest_sre.timemachine.task import Task


def tasks(
    alert: Rule, stretches: Sequence[Stretch], base: float, schedule: Schedule, lookback: float
) -> tuple[Task, ...]:
    """The alert and the recording rules that it needs, in order, each over just the span needed.

    All evaluations lie at ``base`` plus a multiple of the rule's own interval (seconds), as if all groups had started
    together. ``lookback`` is how old a sample may be (seconds).
    """
    behind = schedule.rules.closure(alert)
    needed: dict[Rule, list[Stretch]] = {rule: [] for rule in behind}
    needed[alert] = list(stretches)
    for reader in _readers_first(alert, behind):
        needed[reader] = merged(needed[reader])
        for read in record_reads(parse(reader.expr), schedule.rules):
            if read.rule in needed and read.rule is not reader:
                shift = schedule.offset(reader) - schedule.offset(read.rule)
                grid = schedule.interval(read.rule)
                needed[read.rule] += [
                    _for_reader(one, read, shift, grid, base, lookback) for one in needed[reader]
                ]
    return tuple(
        Task(
            rule,
            tuple(merged(needed[rule])),
            schedule.group(rule),
            schedule.offset(rule),
            schedule.limit(rule),
        )
        for rule in schedule.ordered(needed)
        if needed[rule]
    )


def _readers_first(alert: Rule, behind: Sequence[Rule]) -> list[Rule]:
    """The alert and all behind it, a rule after those that read it (where they do not read each other)."""
    rules = [alert, *behind]
    found = order.blocks(rules, rules)
    return [rules[member] for block in reversed(found) for member in block.members]


def plain(alert: Rule, schedule: Schedule) -> bool:
    """Whether the alert and all behind it read recorded series only as they are now: no range, no offset, no ALERTS."""
    if any(rule.kind == "alert" for rule in schedule.rules.closure(alert)):
        return False
    every = [alert, *schedule.rules.closure(alert)]
    reads = [read for rule in every for read in record_reads(parse(rule.expr), schedule.rules)]
    return not any(_beyond(read) for read in reads) and not any(schedule.offset(rule) for rule in every)


def _beyond(read: RecordRead) -> bool:
    """Whether more is read than what a series is now."""
    return bool(read.lo or read.hi or read.range)


def _for_reader(
    at: Stretch, read: RecordRead, shift: float, grid: float, base: float, lookback: float
) -> Stretch:
    """What a rule with interval ``grid`` must have recorded for one that is evaluated ``at``.

    ``shift`` is how much farther back the reader looks by its `query_offset`.
    """
    if not _beyond(read) and not shift and (at.start - base) % grid == 0 and at.step % grid == 0:
        return at
    oldest = at.start - read.hi - shift - read.range - lookback
    start = base + math.floor((oldest - base) / grid) * grid
    end = base + math.floor((at.end - read.lo - shift - base) / grid) * grid
    return Stretch(start, max(start, end), grid)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches without overlap, ascending; where they overlap the finer step counts."""
    found: list[Stretch] = []
    for one in sorted(set(stretches), key=lambda s: (s.start, s.end)):
        if found and one.start <= found[-1].end:
            last = found[-1]
            found[-1] = Stretch(last.start, max(last.end, one.end), min(last.step, one.step))
        else:
            found.append(one)
    return found
