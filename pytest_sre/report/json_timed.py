"""What was seen on virtual time, as plain data: passages of alerts, and what they mean for the SLOs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_sre.checks import policy
from pytest_sre.checks.case import Skipped
from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.timeline import Passage
from pytest_sre.report.seen import Seen


def timed(seen: TimedObservation, slos: Mapping[str, Slo]) -> dict[str, Any]:
    """One alert's passages; times in seconds from the onset of the burn."""
    return {
        "reason": seen.reason,
        "near_reason": seen.near_reason,
        "passages": [_passage(one, slos.get(one.slo)) for one in (*seen.passages, *seen.snapshots)],
        "moves": list(map(_move, seen.moves)),
    }


def _move(one: Passage) -> dict[str, Any]:
    """What an alert did while its values moved."""
    return {
        "kind": one.kind,
        "end": _short(one.end),
        "interval": _short(one.interval),
        "firings": one.firings,
        "longest": _short(one.lasted),
        "renamed": [dict(face) for face in one.faces],
        "error": one.error,
    }


def _passage(one: Passage, slo: Slo | None) -> dict[str, Any]:
    ratio = one.error_ratio
    return {
        "kind": one.kind,
        "name": one.name,
        "slo": one.slo,
        "error_ratio": _short(ratio),
        "factor": _short(one.factor),
        "burn_rate": None if slo is None or ratio is None else _short(slo.burn_rate(ratio)),
        "start": _short(one.start),
        "end": _short(one.end),
        "interval": _short(one.interval),
        "recovery": _short(one.recovery),
        "early": _short(one.early),
        "pending": _short(one.pending),
        "fired": _short(one.fired),
        "spent": None if slo is None or ratio is None else _spent(slo, ratio, one.fired),
        "ended": _short(one.ended),
        "error": one.error,
        "always": list(one.always),
        "never": list(one.never),
        "why": list(one.why),
        "plot": [_line(line) for line in one.plot],
    }


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    """A plot's line with six digits: no screen shows more, and most of the report would be the rest."""
    return {
        **line,
        "times": list(map(_short, line["times"])),
        "values": [None if value is None else _short(float(f"{value:.6g}")) for value in line["values"]],
    }


def slo(stack: Seen, one: Slo) -> dict[str, Any]:
    """An SLO, and what its alerts did where the policy asks for something."""
    return {
        "file": one.location.path,
        "line": one.location.line,
        "name": one.name,
        "objective": one.objective,
        "window": _short(one.window),
        "errors": str(one.errors or ""),
        "good": str(one.good or ""),
        "total": str(one.total),
        "policy": [_entry(stack, one, entry) for entry in stack.policy],
    }


def _entry(stack: Seen, one: Slo, entry: PolicyEntry) -> dict[str, Any]:
    ratio = entry.ratio(one)
    seen, severities = stack.observations, stack.settings.file.severities
    found = policy.detections(one, entry, seen, severities)
    verdict = policy.judge(one, entry, found, policy.untold(one, entry, seen, stack.inventory, severities))
    return {
        "budget_gone_within": _short(entry.gone_within),
        "notify": entry.notify,
        "before_spent": _short(entry.before_spent),
        "error_ratio": _short(ratio),
        "burn_rate": _short(one.burn_rate(ratio)),
        "deadline": _short(entry.deadline(one)),
        "met": None if isinstance(verdict, Skipped) or not _asked(stack) else not verdict,
        "alerts": [
            {
                "file": alert.rule.location.path,
                "line": alert.rule.location.line,
                "alert": alert.rule.name,
                "kind": alert.kind or "",
                "fired": _short(alert.after),
                "spent": _spent(one, ratio, alert.after),
            }
            for alert in found
        ],
    }


def _asked(stack: Seen) -> bool:
    """Whether all alerts that load were put through virtual time, as they are where the policy is tested."""
    seen = stack.observations
    broken = {path for path, verdict in seen.files.items() if verdict.error}
    alerts = [rule for rule in stack.inventory.rules if rule.kind == "alert"]
    return all(rule in seen.timed or rule.location.path in broken for rule in alerts)


def _spent(one: Slo, ratio: float, fired: float | None) -> float | None:
    return None if fired is None else _short(one.spent(ratio, fired))


def _short(value: float | None) -> float | None:
    """Whole numbers without a fraction, others without what arithmetic leaves behind."""
    if value is None:
        return None
    return int(value) if value == int(value) else round(value, 9)
