"""What all our items have in common: findings are their failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from pytest_sre.checks.case import Skipped
from pytest_sre.errors import StackError
from pytest_sre.items.target import Run, Target
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import Observations
from pytest_sre.report import outcome
from pytest_sre.warnings import warn

BASELINE = "sre_baseline"
"""A report's attribute: the item's lasting id, and the texts of findings that the baseline accepts."""
PLUGIN = "sre-alerts"
"""The name of the run among pytest's plugins."""


class Failed(Exception):
    """An item's findings; shown as they are, without a traceback."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings

    @property
    def headline(self) -> str:
        """One line, for JUnit's messages and pytest's short summary."""
        first, *more = self.findings
        return f"{first.location}: {first.headline}" + (f" (and {len(more)} more)" if more else "")


class SreItem(pytest.Item):
    """An item of ours: findings are its failure. ``place`` is what it asks about, ``alert`` empty for files."""

    def __init__(
        self, *, target: Target, place: Location, check: str, alert: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.target, self.place, self.check_name, self.alert = target, place, check, alert
        self.findings: tuple[Finding, ...] = ()
        self.accepted: list[str] = []

    @property
    def run(self) -> Run:
        """The run that this item belongs to."""
        return run_of(self)

    @property
    def lasting_id(self) -> str:
        """The item's id without the servers' versions, which a baseline should outlive."""
        version = self.target.settings.version
        name = self.nodeid
        for part in (f",{version}]", f"[{version}]") if version else ():
            if name.endswith(part):
                return name.removesuffix(part) + ("]" if part.startswith(",") else "")
        return name

    def setup(self) -> None:
        """A broken stack is an error of the set-up, never a failure; it is told once."""
        broken = self.run.observations(self.target) if self.needs_stack else None
        if isinstance(broken, StackError):
            if not self.run.tell_broken(self.target):
                pytest.skip("the stack is broken; its error is told above")
            pytest.fail(str(broken), pytrace=False)

    @property
    def seen(self) -> Observations | None:
        """What was observed, where the stack ran."""
        seen = self.run.observations(self.target)
        return seen if isinstance(seen, Observations) else None

    @property
    def needs_stack(self) -> bool:
        """Whether the item can't be judged without the servers."""
        return True

    @property
    def wants_stack(self) -> bool:
        """Whether the servers tell it something."""
        return self.needs_stack

    def settle(self, verdict: Iterable[Finding] | Skipped) -> None:
        """Pass, skip or fail; with --sre-strict a skip is a failure, and so is a warning."""
        if isinstance(verdict, Skipped):
            if not self.run.strict or verdict.by_design:
                pytest.skip(verdict.reason)
            verdict = [Finding(self.check_name, self.place, f"not proven (strict): {verdict.reason}")]
        root = self.target.inventory.root
        raised = [replace(one, severity="error") if self._raised(one) else one for one in verdict]
        if self.run.baseline is not None:
            raised, self.accepted = self.run.baseline.sift(self.lasting_id, raised)
        self.findings = tuple(warn(one, root) if one.severity == "warning" else one for one in raised)
        failing = [one for one in self.findings if one.severity == "error"]
        if self.findings:
            self.user_properties.append(("sre_findings", str(len(self.findings))))
        if failing:
            raise Failed(failing)

    def _raised(self, finding: Finding) -> bool:
        """With --sre-strict a warning is an error; what is only for reports stays that."""
        return self.run.strict and finding.severity == "warning"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings without a traceback; the message, of one line, is what JUnit's viewers list."""
        if not isinstance(excinfo.value, Failed):
            return super().repr_failure(excinfo, style)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash:
            first = excinfo.value.findings[0].location
            shown.reprcrash.path, shown.reprcrash.lineno = first.path, first.line
            shown.reprcrash.message = excinfo.value.headline
        return shown

    def tell(self, report: pytest.TestReport) -> None:
        """Give a report what CI's reports need; a skip is at the item's place, not in our code."""
        outcome.attach(
            report, check=self.check_name, alert=self.alert, location=self.place, findings=self.findings
        )
        if self.run.baseline is not None and report.when == "call" and report.outcome != "skipped":
            setattr(report, BASELINE, (self.lasting_id, self.accepted))
        if isinstance(report.longrepr, tuple):
            report.longrepr = (str(self.path), self.place.line, report.longrepr[2])


def run_of(node: pytest.Item | pytest.Collector) -> Run:
    """The run that a node belongs to."""
    return cast(Run, node.config.pluginmanager.get_plugin(PLUGIN))


def bracketed(name: str, *differences: str) -> str:
    """``name[a,b]``; pytest finds an item by its id only where the bracket comes last."""
    inside = ",".join(filter(None, differences))
    return f"{name}[{inside}]" if inside else name


def plain_name(text: str) -> str:
    """A text as a part of a test's id."""
    return text.replace("::", ":").replace("[", "(").replace("]", ")").encode("unicode_escape").decode()
