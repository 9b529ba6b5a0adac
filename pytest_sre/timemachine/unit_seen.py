"""From what the engine gave to what tests of rules compare: alerts with rendered texts at the times asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Active, AlertHistory
from pytest_sre.model.unittest import SeenAlert, UnitKey, UnitObservation
from pytest_sre.stack import templates
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.templates import Request
from pytest_sre.timemachine import states
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.unit_bench import Bench
from pytest_sre.timemachine.unit_lane import Given


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """An active alert at a case's time; ``request`` where its texts are wanted."""

    eval_time: float
    active: Active
    request: Request | None


def observations(stack: Stack, labels: AlertLabels, given: Sequence[Given]) -> dict[UnitKey, UnitObservation]:
    """What was seen of each test; all texts are rendered in two calls of promtool. Raises StackError."""
    labels.prepare(
        (one.rule, activity)
        for test in given
        for one in test.bench.alive
        if one.rule.kind == "alert" and (activity := test.outcome[one.rule]).rows
    )
    histories = [_histories(test, labels) for test in given]
    shown = [list(_shown(test, some)) for test, some in zip(given, histories, strict=True)]
    wanted = [one.request for some in shown for one in some if one.request is not None]
    rendered = iter(templates.render(stack, wanted))
    found = {}
    for test, some, active in zip(given, histories, shown, strict=True):
        alerts: dict[float, list[SeenAlert]] = {case.eval_time: [] for case in test.bench.group.alerts}
        for one in active:
            texts = {} if one.request is None else next(rendered).annotations
            alerts[one.eval_time].append(SeenAlert(dict(one.active.labels), texts, one.active.state))
        error_at, error = _first_error(test, some)
        found[test.bench.key] = UnitObservation(
            known=known(test.bench),
            alerts={at: tuple(every) for at, every in alerts.items()},
            results=test.results,
            error=error,
            error_at=error_at,
            unsupported=test.unsupported,
        )
    return found


def known(bench: Bench) -> frozenset[str]:
    """The names of all alerts in a test's rule files."""
    return frozenset(one.rule.name for one in bench.rules if one.rule.kind == "alert")


def _histories(test: Given, labels: AlertLabels) -> list[AlertHistory]:
    bench = test.bench
    looks = {bench.moment(test.start, case.eval_time) for case in bench.group.alerts}
    return [
        states.history(one.rule, activity, labels.of(one.rule, activity), limit=one.limit, looks=looks)
        for one in bench.alive
        if one.rule.kind == "alert" and ((activity := test.outcome[one.rule]).rows or activity.errors)
    ]


def _shown(test: Given, histories: Iterable[AlertHistory]) -> Iterator[_Shown]:
    """Firing alerts of names that a case asks about then get their texts."""
    bench = test.bench
    asked = {(case.eval_time, case.alertname) for case in bench.group.alerts}
    for history in histories:
        for eval_time in sorted({at for at, _ in asked}):
            moment = bench.moment(test.start, eval_time)
            for active in history.shown.get(moment, ()):
                texts = active.state == "firing" and (eval_time, history.rule.name) in asked
                yield _Shown(
                    eval_time, active, _request(test, history.rule, active, moment) if texts else None
                )


def _request(test: Given, rule: Rule, active: Active, moment: float) -> Request:
    group = test.bench.group
    return Request(
        labels=(),
        annotations=tuple(rule.annotations.items()),
        sample=active.sample,
        value=active.value,
        name=rule.name,
        external_labels=tuple(sorted(group.external_labels.items())),
        external_url=group.external_url,
        at=round(group.start + moment - test.start, 3),
        others=test.snapshots.get(moment, ()),
    )


def _first_error(test: Given, histories: Iterable[AlertHistory]) -> tuple[float, str]:
    """When the first evaluation failed (seconds from the test's start), and with what; promtool stops there."""
    errors = {one.rule: test.outcome[one.rule].errors for one in test.bench.alive}
    errors |= {history.rule: history.errors for history in histories}
    first = [
        (min(some), f"{rule.location}: {rule.name}: {some[min(some)]}")
        for rule, some in errors.items()
        if some
    ]
    at, error = min(first, default=(test.start, ""), key=lambda one: one[0])
    return round(at - test.start, 3), error
