"""Does the real server load the file, and without a warning?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict, FileWarning
from pytest_sre.model.rules import Rule
from pytest_sre.sources.discover import Inventory

NAME = "loads"


def judge(verdict: FileVerdict) -> tuple[Finding, ...]:
    """Pass when the server that reads the file loads it; what it warns about is a warning."""
    if not verdict.error:
        return tuple(_warning(verdict.path, warning) for warning in verdict.warnings)
    return (
        Finding(
            NAME,
            Location(verdict.path, verdict.line),
            "this file does not load",
            expected="a file that the server loads",
            seen=verdict.error,
            next_step="mend the file; the message is the parser's own",
        ),
    )


def _warning(path: str, warning: FileWarning) -> Finding:
    return Finding(
        NAME,
        Location(path, warning.line),
        "the server loads this with a warning",
        seen=warning.text,
        next_step=f"write {warning.suggestion}"
        if warning.suggestion
        else "mend it before an update of the server",
        severity="warning",
    )


def twins(path: str, inventory: Inventory) -> tuple[Finding, ...]:
    """A warning where alerts of a file are there already: with the same name, labels and expression, from a file before."""
    doubled = [(rule, first) for rule, first in _doubled(inventory).items() if rule.location.path == path]
    if not doubled:
        return ()
    rule, first = doubled[0]
    more = f", and {len(doubled) - 1} more of this file" if len(doubled) > 1 else ""
    return (
        Finding(
            NAME,
            rule.location,
            f"{rule.name}{more} are there twice" if more else f"{rule.name} is there twice",
            expected="an alert for each name and set of labels",
            seen=f"{rule.name} with the same labels and expression at {first.location}",
            next_step="delete one of them: Alertmanager sees them as one alert, and what Prometheus writes of the second is refused. "
            "Files that different Prometheus servers load belong into different `scopes:`",
            severity="warning",
        ),
    )


@lru_cache(maxsize=8)
def _doubled(inventory: Inventory) -> Mapping[Rule, Rule]:
    """Alerts that were there before, each with the first of its kind."""
    first: dict[object, Rule] = {}
    found = {}
    for rule in _alerts(inventory):
        key = (rule.name, tuple(sorted(rule.labels.items())), " ".join(rule.expr.split()))
        known = first.setdefault(key, rule)
        if known is not rule:
            found[rule] = known
    return found


def _alerts(inventory: Inventory) -> Iterable[Rule]:
    return (rule for rule in inventory.rules if rule.kind == "alert")
