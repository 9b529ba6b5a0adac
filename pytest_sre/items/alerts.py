"""Alerts → items: `<file>::<alert>::<check>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_sre.checks import CHECKS, known, pages, runbook, timed
from pytest_sre.checks.case import Case, Skipped, Verdict
from pytest_sre.checks.runbooks.shelf import Shelf
from pytest_sre.errors import StackError, UserError
from pytest_sre.items.item import SreItem, bracketed, plain_name, run_of
from pytest_sre.items.target import Target
from pytest_sre.model.finding import Finding
from pytest_sre.model.rules import Rule
from pytest_sre.own import OwnError


class AlertNode(pytest.Collector):
    """All alerts of one name in a file."""

    def __init__(self, *, scopes: Sequence[Sequence[Target]], shown: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes, self.shown = scopes, shown

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each check, told apart in brackets where several alerts share the name."""
        for scope in self.scopes:
            rules = [rule for rule in alerts_in(scope[0], self.shown) if rule.name == self.name]
            for rule, difference in zip(rules, distinguish(rules), strict=True):
                for check in self._checks():
                    if check is not known or known.asks(rule, scope[0].inventory):
                        yield from self._items(scope, rule, difference, check)

    def _checks(self) -> tuple[Any, ...]:
        if not run_of(self).alerts:
            return (runbook,)
        try:
            return (*CHECKS, *run_of(self).own.checks)
        except UserError as error:
            raise pytest.UsageError(f"pytest-sre: {error}") from None

    def _items(
        self, scope: Sequence[Target], rule: Rule, difference: str, check: Any
    ) -> Iterator[pytest.Item]:
        """What the servers judge is asked of each version, anything else once."""
        for target in scope if check.NEEDS else scope[:1]:
            label = target.label if check.NEEDS else target.settings.scope
            name = bracketed(check.NAME, difference, label)
            yield AlertItem.from_parent(self, name=name, target=target, rule=rule, check=check)


class AlertItem(SreItem):
    """One check of one alert."""

    def __init__(self, *, rule: Rule, check: Any, **kwargs: Any) -> None:
        super().__init__(place=rule.location, check=check.NAME, alert=rule.name, **kwargs)
        self.rule, self.check = rule, check
        self.user_properties += [
            ("sre_alert", rule.name),
            ("sre_check", check.NAME),
            ("sre_rule", str(rule.location)),
        ]

    @property
    def needs_stack(self) -> bool:
        """What the check says of itself."""
        return bool(self.check.NEEDS)

    @property
    def wants_stack(self) -> bool:
        """A runbook's queries are asked while the alert fires; without servers they are only read."""
        live = self.run.alerts and self.check is runbook
        return self.needs_stack or bool(live and self._shelf and self._shelf.may_have_page(self.rule))

    def runtest(self) -> None:
        """Judge the alert by what was observed."""
        case = Case(
            self.rule,
            self.seen.alerts.get(self.rule) if self.seen else None,
            dict(self.seen.files) if self.seen else {},
            self.target.settings.file,
            self.target.inventory,
            str(self.target.settings.folder),
            self.seen.timed.get(self.rule) if self.seen else None,
            self.seen.ends if self.seen else {},
            self._shelf,
            dict(self.seen.versions) if self.seen else {},
        )
        if case.alert and case.alert.after is not None:
            self.user_properties.append(("sre_fired_after_seconds", f"{case.alert.after:.1f}"))
        if case.timed:
            self.user_properties += timed.properties(self.check.NAME, case.timed)
        verdict = self._judged(case)
        self.settle(verdict if isinstance(verdict, Skipped) else (*verdict, *self._unasked()))

    def _unasked(self) -> Iterator[Finding]:
        """What a broken stack costs an item that can do without; told where no other item tells it."""
        broken = self.run.observations(self.target) if self.wants_stack and not self.needs_stack else None
        if isinstance(broken, StackError) and self.run.tell_broken(self.target):
            summary = "the queries of runbooks were not asked of Prometheus: the stack is broken"
            yield Finding(self.check_name, self.place, summary, seen=str(broken), severity="warning")

    @property
    def _shelf(self) -> Shelf | None:
        """The runbooks of the item's scope."""
        both = zip(self.run.scopes, self.run.shelves, strict=True)
        return next((shelf for scope, shelf in both if self.target in scope), None)

    def _judged(self, case: Case) -> Verdict:
        """The verdict of the check, and of the user's own hooks."""
        own = self.run.own
        try:
            if case.alert and self.check is pages:
                case = replace(case, alert=own.decoded(case.alert))
            if self.check not in CHECKS:
                return own.judge(
                    self.check, case if case.alert is None else replace(case, alert=own.as_read(case.alert))
                )
        except OwnError as error:
            return (Finding(self.check_name, self.place, str(error), next_step="mend the hook"),)
        verdict = self.check.judge(case)
        if self.check is not pages or isinstance(verdict, Skipped) or not case.alert:
            return cast(Verdict, verdict)
        return (*verdict, *own.expectations(pages.NAME, case))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The rule's place in its file."""
        title = f"{self.rule.name}::{self.name}"
        return self.path, self.rule.location.line - 1, title.replace(".", "·")


def alerts_in(target: Target, shown: str) -> list[Rule]:
    """The alerts of a file; ``shown`` is its path as users see it."""
    return [rule for file in target.inventory.rule_files if file.path == shown for rule in file.alerts]


def distinguish(rules: Sequence[Rule]) -> list[str]:
    """For alerts of equal name the labels that differ, as `severity=page`; else the group, else a number."""
    if len(rules) == 1:
        return [""]
    names = sorted({name for rule in rules for name in rule.labels})
    varying = [name for name in names if len({rule.labels.get(name) for rule in rules}) > 1]
    for wanted in [*([name] for name in varying), varying]:
        ids = [",".join(f"{name}={rule.labels.get(name, '')}" for name in wanted) for rule in rules]
        if wanted and len(set(ids)) == len(rules):
            return [plain_name(one) for one in ids]
    groups = [f"group={rule.group}" for rule in rules]
    if len(set(groups)) == len(rules):
        return [plain_name(one) for one in groups]
    return [str(number) for number in range(1, len(rules) + 1)]
