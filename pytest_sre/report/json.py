"""All observations as JSON; the schema is documented in docs/json.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_sre.model.observation import AlertObservation, Notification, TimedObservation
from pytest_sre.model.routing import Integration
from pytest_sre.model.rules import Rule
from pytest_sre.model.samples import Histogram, Value
from pytest_sre.model.scenario import Scenario
from pytest_sre.model.slo import Slo
from pytest_sre.report import json_incidents, json_timed
from pytest_sre.report.review import Change
from pytest_sre.report.seen import Seen
from pytest_sre.sources import histograms

SCHEMA = 3
# No text holds a raw line end, so this finds nothing but lists of numbers.
_NUMBERS = re.compile(r"\[\n\s*((?:[-+.\deE]+|null)(?:,\n\s*(?:[-+.\deE]+|null))*)\n\s*\]")


def write(path: Path, stacks: Iterable[Seen], base: str = "", changes: Sequence[Change] = ()) -> None:
    """Write what was seen on each stack; times in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = as_dict(stacks, base, changes)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    path.write_text(_NUMBERS.sub(_one_line, text) + "\n", "utf-8")


def _one_line(numbers: re.Match[str]) -> str:
    return f"[{', '.join(part.strip() for part in numbers[1].split(','))}]"


def as_dict(stacks: Iterable[Seen], base: str = "", changes: Sequence[Change] = ()) -> dict[str, Any]:
    """The report as plain data; ``base`` is the revision of --sre-changed, if there is one."""
    return {
        "schema": SCHEMA,
        "base": base,
        "changed": [_changed(one, rule, reasons) for one in changes for rule, reasons in one.reasons.items()],
        "removed": [_changed(one, rule, ["removed"]) for one in changes for rule in one.removed],
        "stacks": [_stack(stack) for stack in stacks],
    }


def _changed(change: Change, rule: Rule, reasons: Sequence[str]) -> dict[str, Any]:
    return {
        "scope": change.scope,
        "file": rule.location.path,
        "line": rule.location.line,
        "alert": rule.name,
        "reasons": list(reasons),
    }


def _stack(stack: Seen) -> dict[str, Any]:
    seen, inventory = stack.observations, stack.inventory
    slos = {slo.name: slo for slo in stack.slos}
    return {
        "scope": stack.settings.scope,
        "label": stack.label,
        "versions": dict(seen.versions),
        "seconds": {name: round(value, 3) for name, value in seen.seconds.items()},
        "files": [{"path": v.path, "line": v.line, "error": v.error} for v in seen.files.values()]
        + [{"path": b.path, "line": b.line, "error": b.reason} for b in inventory.broken],
        "passed_over": [{"path": s.path, "reason": s.reason} for s in inventory.skipped],
        "changes": [{"path": c.path, "where": c.where, "what": c.what} for c in seen.changes],
        "alerts": [
            {**_alert(seen.alerts.get(rule) or _unfired(rule)), "timed": _timed(seen.timed.get(rule), slos)}
            for rule in dict.fromkeys([*seen.alerts, *seen.timed])
        ],
        "slos": [json_timed.slo(stack, slo) for slo in stack.slos],
        "incidents": [json_incidents.incident(name, one) for name, one in seen.incidents.items()],
    }


def _unfired(rule: Rule) -> AlertObservation:
    """An alert that was put through virtual time only."""
    return AlertObservation(rule, Scenario(rule, (), ()))


def _timed(seen: TimedObservation | None, slos: Mapping[str, Slo]) -> dict[str, Any] | None:
    return None if seen is None else json_timed.timed(seen, slos)


def _alert(seen: AlertObservation) -> dict[str, Any]:
    plan = seen.plan
    return {
        "file": seen.rule.location.path,
        "line": seen.rule.location.line,
        "group": seen.rule.group,
        "alert": seen.rule.name,
        "state": seen.state,
        "error": seen.error,
        "fired_after": None if seen.after is None else round(seen.after, 3),
        "series": [_series(one.labels, one.samples) for one in plan.series]
        if isinstance(plan, Scenario)
        else [],
        "not_proven": ""
        if isinstance(plan, Scenario)
        else f"{type(plan).__name__}: {plan.reason} {plan.part}".strip(),
        "fired": [
            {
                "labels": dict(one.labels),
                "annotations": dict(one.annotations),
                "value": one.value,
                "active_at": one.active_at,
                "sent_labels": None if one.sent_labels is None else dict(one.sent_labels),
                "fingerprint": one.fingerprint,
                "receivers": list(one.receivers),
                "inhibited_by": list(one.inhibited_by),
                "silenced_by": list(one.silenced_by),
            }
            for one in seen.fired
        ],
        "notifications": list(map(_notification, seen.notifications)),
        "resolved": list(map(_notification, seen.resolved)),
        "unresolved": [{**_integration(one.integration), "error": one.why} for one in seen.unresolved],
        "send_errors": list(seen.send_errors),
        "inhibited_together": [
            {"target": dict(one.target), "source": dict(one.source)} for one in seen.inhibited_together
        ],
    }


def _integration(one: Integration) -> dict[str, Any]:
    return {"receiver": one.receiver, "integration": one.kind, "index": one.index}


def _notification(one: Notification) -> dict[str, Any]:
    return {
        **_integration(one.integration),
        "destination": one.destination,
        "time": round(one.time, 3),
        "status": one.status,
        "title": one.title,
        "text": one.text,
        "severity": one.severity,
        "links": list(one.links),
        "fields": dict(one.fields),
        "texts": dict(one.texts),
        "payload": one.payload,
        "fingerprint": one.fingerprint,
    }


def _sample(time: float, value: Value) -> list[Any]:
    """A sample; a native histogram as promtool writes it."""
    return [time, histograms.write(value) if isinstance(value, Histogram) else value]


def _series(labels: tuple[tuple[str, str], ...], samples: tuple[tuple[float, Value], ...]) -> dict[str, Any]:
    return {
        "labels": dict(labels),
        "samples": len(samples),
        "first": _sample(*samples[0]),
        "last": _sample(*samples[-1]),
    }
