"""One case of a unit test, judged by what was seen of its test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_sre.checks import unit
from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.unittest import AlertCase, Case, UnitFile, UnitGroup, UnitObservation


def judge(
    file: UnitFile, group: UnitGroup, case: Case, seen: UnitObservation | None, *, partial: bool
) -> Verdict:
    """Pass when what is expected was seen; what promtool would let pass is a warning."""
    if seen is None:
        return Skipped("nothing was run")
    if seen.unsupported:
        return Skipped(seen.unsupported)
    if seen.unloaded:
        return (_unloaded(case, seen.unloaded),)
    if seen.error and (not isinstance(case, AlertCase) or file.tick(case.eval_time) >= seen.error_at):
        return unit.failed(case, seen.error)
    if isinstance(case, AlertCase):
        active = [one for one in seen.alerts[case.eval_time] if one.labels.get("alertname") == case.alertname]
        return (
            *unit.judge_alerts(case, active, seen.known, partial=partial),
            *_passed_over(group, case, seen),
        )
    result = seen.results[group.exprs.index(case)]
    if isinstance(result, str):
        return unit.failed(case, result)
    return unit.judge_samples(case, result, fuzzy=file.fuzzy_compare, partial=partial)


def _passed_over(group: UnitGroup, case: AlertCase, seen: UnitObservation) -> Iterator[Finding]:
    """The test's warnings that belong to this case."""
    firing = {at: [one for one in some if one.state == "firing"] for at, some in seen.alerts.items()}
    for one in unit.passed_over(group, firing, seen.known):
        if one.location == case.location:
            yield one


def _unloaded(case: Case, error: str) -> Finding:
    return replace(
        unit.failed(case, error)[0],
        expected="rule files that Prometheus loads",
        next_step="mend the rule file; promtool runs no test of a file whose rules do not load",
    )
