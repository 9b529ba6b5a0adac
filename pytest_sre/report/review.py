"""What a change does to the people on call, as a reviewer would say it: seen on the stacks, not computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pytest_sre.checks.case import calls_itself_a_page
from pytest_sre.model.observation import Observations
from pytest_sre.model.rules import Rule
from pytest_sre.settings import Severities


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The alerts of one scope that a change concerns; ``after`` and ``before`` are None where nothing was run.

    ``reasons`` has all that are selected, in file order; ``previous`` the old rule of those that had one.
    """

    scope: str
    reasons: Mapping[Rule, Sequence[str]]
    previous: Mapping[Rule, Rule]
    removed: Sequence[Rule]
    remarks: Sequence[str]
    after: Observations | None
    before: Observations | None
    severities: Severities = field(default_factory=Severities)


@dataclass(frozen=True, slots=True)
class _Effect:
    """Whom an alert notifies now, and whom it did before; None: that was not seen."""

    kind: Literal["new", "changed", "removed"]
    page: bool
    now: frozenset[str] | None
    was: frozenset[str] | None

    def told(self, count: int) -> str:
        """What ``count`` such alerts do."""
        one = count == 1
        subject = f"{count} {self.kind} alert" + ("" if one else "s")
        if self.kind == "removed":
            past = "paged" if self.page else "notified"
            return (
                f"{subject} {past} {_names(self.was)}"
                if self.was is not None
                else f"{subject}, not seen to fire"
            )
        verb = ("pages" if one else "page") if self.page else ("notifies" if one else "notify")
        if self.now is None:
            return f"{subject} {'was' if one else 'were'} not seen to {'page' if self.page else 'notify'} anybody"
        if self.kind == "new":
            return f"{subject} {verb} {_names(self.now)}"
        if self.now == self.was:
            return f"{subject} still {verb} {_names(self.now)}"
        before = "not known" if self.was is None else _names(self.was)
        if not self.now:
            return f"{subject} no longer {verb} anybody (before: {before})"
        return f"{subject} {verb} {_names(self.now)} (before: {before})"


def review(changes: Sequence[Change]) -> list[str]:
    """First who is called now and who no more, then why each alert was selected: a line each."""
    lines = []
    for change in changes:
        scope = f"{change.scope}: " if change.scope else ""
        lines += [scope + line for line in (*_effects(change), *_reasons(change), *change.remarks)]
    return lines


def headline(changes: Sequence[Change]) -> str:
    """How many alerts are new, changed and removed."""
    new = sum(rule not in change.previous for change in changes for rule in change.reasons)
    changed = sum(rule in change.previous for change in changes for rule in change.reasons)
    removed = sum(len(change.removed) for change in changes)
    return f"{new} new, {changed} changed, {removed} removed alerts"


def _effects(change: Change) -> Iterator[str]:
    groups: dict[_Effect, list[str]] = {}
    for rule in change.reasons:
        was = change.previous.get(rule)
        effect = _Effect(
            "changed" if was else "new",
            calls_itself_a_page(rule, change.severities),
            _notified(change.after, rule),
            _notified(change.before, was) if was else None,
        )
        groups.setdefault(effect, []).append(rule.name)
    for rule in change.removed:
        effect = _Effect(
            "removed", calls_itself_a_page(rule, change.severities), None, _notified(change.before, rule)
        )
        groups.setdefault(effect, []).append(rule.name)
    for effect, names in groups.items():
        yield f"{effect.told(len(names))}: {', '.join(names)}"


def _names(receivers: frozenset[str]) -> str:
    return ", ".join(sorted(receivers)) or "nobody"


def _notified(seen: Observations | None, rule: Rule) -> frozenset[str] | None:
    """The receivers that were notified; None where the alert did not fire, or nothing was delivered."""
    alert = seen.alerts.get(rule) if seen else None
    if alert is None or alert.state != "firing" or not any(one.fingerprint for one in alert.fired):
        return None
    return frozenset(one.integration.receiver for one in alert.notifications)


def _reasons(change: Change) -> Iterator[str]:
    for rule, reasons in change.reasons.items():
        yield f"{rule.location} {rule.name}: {', '.join(reasons)}"
    for rule in change.removed:
        yield f"{rule.location} {rule.name}: removed"
