"""What the checks on virtual time have in common: quiet, detects and resolves."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_sre.checks.case import Case, Skipped
from pytest_sre.checks.fires import not_loaded
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.timeline import Passage
from pytest_sre.synthesis.contrast import DEAD_MAN


def unasked(case: Case, check: str) -> Skipped | tuple[Finding, ...] | None:
    """Why a check can't look at passages: the file doesn't load, or there are none; None where it can."""
    if case.broken_file:
        return (not_loaded(case, check),)
    if case.timed is None:
        return Skipped("nothing was run")
    if case.timed.reason == DEAD_MAN:
        return Skipped(DEAD_MAN, by_design=True)
    if case.timed.reason and not case.timed.passages:
        return Skipped(f"not put through virtual time: {case.timed.reason}")
    return None


def about_itself(case: Case) -> tuple[Passage, ...]:
    """The passages that are about the alert's own threshold, not about what an SLO's policy asks."""
    every = case.timed.passages if case.timed else ()
    return tuple(one for one in every if not one.slo or one.factor is not None)


def failed(case: Case, check: str, passages: Sequence[Passage]) -> tuple[Finding, ...]:
    """Findings for passages in which Prometheus could not evaluate the alert."""
    errors = dict.fromkeys(one.error for one in passages if one.error)
    return tuple(
        Finding(
            check,
            case.rule.expression,
            f"Prometheus cannot evaluate {case.rule.name} at all times",
            expected="an evaluation without error",
            seen=error,
            next_step="mend the expression; the error is Prometheus' own",
        )
        for error in errors
    )


def properties(check: str, seen: TimedObservation) -> list[tuple[str, str]]:
    """What JUnit shows beside a verdict on virtual time; times in seconds."""
    if check == "quiet" and seen.near_reason:
        return [("sre_not_near", seen.near_reason)]
    found = []
    for one in seen.passages:
        suffix = f"[{one.slo} {one.error_ratio:g}]" if one.slo else ""
        if check == "detects" and one.kind == "burn":
            found.append((f"sre_detected_after_seconds{suffix}", _text(one.fired)))
        elif check == "resolves" and one.recovery is not None:
            ended = None if one.ended is None else one.ended - one.recovery
            found.append(("sre_resolved_after_seconds", _text(ended)))
    return found


def _text(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:g}"
