"""Files → items: `<file>::<alert>::<check>`; an item's runtest() is the flow in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import pytest

from pytest_sre.checks import CHECKS, known, loads, pages, policy, runbook, timed, unit
from pytest_sre.checks.case import Case, Skipped, Verdict
from pytest_sre.checks.runbooks import together
from pytest_sre.errors import StackError, UserError
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.incident import Incident
from pytest_sre.model.observation import FileVerdict, Observations
from pytest_sre.model.routingtest import RoutingTest
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.unittest import UnitFile
from pytest_sre.own import Own, OwnError
from pytest_sre.report import outcome
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory
from pytest_sre.warnings import warn


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What one stack is asked about: a scope's files, SLOs and routing tests, on one version of the servers."""

    settings: Settings
    inventory: Inventory
    slos: tuple[Slo, ...] = ()
    routing: tuple[RoutingTest, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def label(self) -> str:
        """What tells it apart from the other targets of the run."""
        return self.settings.label

    def has(self, path: str) -> bool:
        """Whether a file belongs to it; ``path`` as shown."""
        return path in self.paths

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that have items."""
        asked = [slo.location.path for slo in self.slos] + [test.location.path for test in self.routing]
        asked += [incident.location.path for incident in self.incidents]
        return tuple(dict.fromkeys([*self.inventory.paths, *asked]))

    @property
    def policy(self) -> tuple[PolicyEntry, ...]:
        """What must be told when."""
        return tuple(entry.as_model() for entry in self.settings.file.policy)

    def unit_files(self, path: str) -> list[UnitFile]:
        """The file's unit tests, if it has some; ``path`` as shown."""
        return [one for one in self.inventory.unit_files if one.path == path]

    def unread(self, path: str) -> FileVerdict | None:
        """The verdict on a file that we can't even read ourselves."""
        found = (one for one in self.inventory.broken if one.path == path)
        return next((FileVerdict(path, one.line, one.reason) for one in found), None)


class Run(Protocol):
    """What items ask of the run that they belong to."""

    scopes: Sequence[Sequence[Target]]
    strict: bool
    own: Own
    alerts: bool
    shelves: Sequence[Any]

    def shown(self, path: Path) -> str:
        """The path of a file that has items, as users see it; empty for other files."""
        ...

    def observations(self, target: Target) -> Observations | StackError | None:
        """What came out of a target's stack; None where none was needed."""

    def tell_broken(self, target: Target) -> bool:
        """Whether a broken stack's error is still to be told."""
        ...


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


class SreFile(pytest.File):
    """A rule file, an Alertmanager configuration, the file that has SLOs, one of unit tests, or a runbook."""

    def __init__(self, *, run: Run, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.add_marker("sre")

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The file's own items, its SLOs, its unit tests, then its alerts by name."""
        from pytest_sre.collect_incidents import incident_nodes  # these are made of what stands here
        from pytest_sre.collect_routing import routing_nodes
        from pytest_sre.collect_runbooks import runbook_nodes
        from pytest_sre.collect_units import unit_nodes

        shown = self.run.shown(self.path)
        scopes = [scope for scope in self.run.scopes if scope[0].has(shown)]
        yield from runbook_nodes(self, self.run.shelves)
        if self.run.alerts:
            yield from self._files(scopes, shown)
            yield from routing_nodes(self, scopes, shown)
            yield from incident_nodes(self, scopes, shown)
            for scope in scopes:
                yield from unit_nodes(self, scope, shown)
        names = dict.fromkeys(rule.name for scope in scopes for rule in _alerts(scope[0], shown))
        for name in names:
            yield AlertNode.from_parent(self, name=name, scopes=scopes, shown=shown)

    def _files(
        self, scopes: Sequence[Sequence[Target]], shown: str
    ) -> Iterator[pytest.Item | pytest.Collector]:
        for scope in scopes:
            for target in scope if shown in scope[0].inventory.paths else ():
                name = bracketed(loads.NAME, target.label)
                yield FileItem.from_parent(self, name=name, target=target, shown=shown)
            for slo in scope[0].slos:
                if slo.location.path == shown:
                    yield SloNode.from_parent(self, name=slo.name, scope=scope, slo=slo)


def _alerts(target: Target, shown: str) -> list[Rule]:
    return [rule for file in target.inventory.rule_files if file.path == shown for rule in file.alerts]


class SloNode(pytest.Collector):
    """What the policy asks of one SLO."""

    def __init__(self, *, scope: Sequence[Target], slo: Slo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scope, self.slo = scope, slo

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each entry of the policy."""
        for entry in self.scope[0].policy:
            for target in self.scope:
                name = bracketed(policy.NAME, policy.label(entry), target.label)
                yield SloItem.from_parent(self, name=name, target=target, slo=self.slo, entry=entry)


class AlertNode(pytest.Collector):
    """All alerts of one name in a file."""

    def __init__(self, *, scopes: Sequence[Sequence[Target]], shown: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes, self.shown = scopes, shown

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each check, told apart in brackets where several alerts share the name."""
        for scope in self.scopes:
            rules = [rule for rule in _alerts(scope[0], self.shown) if rule.name == self.name]
            for rule, difference in zip(rules, distinguish(rules), strict=True):
                for check in self._checks():
                    if check is not known or known.asks(rule, scope[0].inventory):
                        yield from self._items(scope, rule, difference, check)

    def _checks(self) -> tuple[Any, ...]:
        file = self.getparent(SreFile)
        assert file is not None
        if not file.run.alerts:
            return (runbook,)
        try:
            return (*CHECKS, *file.run.own.checks)
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


def bracketed(name: str, *differences: str) -> str:
    """``name[a,b]``; pytest finds an item by its id only where the bracket comes last."""
    inside = ",".join(filter(None, differences))
    return f"{name}[{inside}]" if inside else name


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


def plain_name(text: str) -> str:
    """A text as a part of a test's id."""
    return text.replace("::", ":").replace("[", "(").replace("]", ")").encode("unicode_escape").decode()


class SreItem(pytest.Item):
    """An item of ours: findings are its failure. ``place`` is what it asks about, ``alert`` empty for files."""

    def __init__(
        self, *, target: Target, place: Location, check: str, alert: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.target, self.place, self.check_name, self.alert = target, place, check, alert
        self.findings: tuple[Finding, ...] = ()

    @property
    def run(self) -> Run:
        """The run that this item belongs to."""
        file = self.getparent(SreFile)
        assert file is not None
        return file.run

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
        raised = (replace(one, severity="error") if self._raised(one) else one for one in verdict)
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
        if isinstance(report.longrepr, tuple):
            report.longrepr = (str(self.path), self.place.line, report.longrepr[2])


class FileItem(SreItem):
    """Does the file load?"""

    def __init__(self, *, shown: str, **kwargs: Any) -> None:
        super().__init__(place=Location(shown, 1), check=loads.NAME, **kwargs)
        self.shown = shown
        self.user_properties.append(("sre_check", loads.NAME))

    @property
    def needs_stack(self) -> bool:
        """A file that can't be read needs no server to say so."""
        return self.target.unread(self.shown) is None

    def runtest(self) -> None:
        """Judge the file."""
        verdict = self.target.unread(self.shown)
        if verdict is None and self.seen:
            verdict = self.seen.files.get(self.shown)
        notes = [note for file in self.target.unit_files(self.shown) for note in unit.notes(file)]
        twins = loads.twins(self.shown, self.target.inventory)
        self.settle([*loads.judge(verdict or FileVerdict(self.shown)), *twins, *notes])

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file itself."""
        return self.path, 0, f"{self.name} {self.shown}"


class SloItem(SreItem):
    """One entry of the policy, for one SLO."""

    def __init__(self, *, slo: Slo, entry: PolicyEntry, **kwargs: Any) -> None:
        super().__init__(place=slo.location, check=policy.NAME, **kwargs)
        self.slo, self.entry = slo, entry
        self.user_properties += [("sre_check", policy.NAME), ("sre_slo", slo.name)]

    def runtest(self) -> None:
        """Judge the alerts that watch over it by what they did at the entry's error ratio."""
        if self.seen:
            severities, inventory = self.target.settings.file.severities, self.target.inventory
            detections = policy.detections(self.slo, self.entry, self.seen, severities)
            untold = policy.untold(self.slo, self.entry, self.seen, inventory, severities)
            self.settle(policy.judge(self.slo, self.entry, detections, untold))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The SLO's place in its file."""
        return self.path, self.slo.location.line - 1, f"{self.slo.name}::{self.name}".replace(".", "·")


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
        settings = self.target.settings
        live = self.run.alerts and self.check is runbook
        return self.needs_stack or (live and together.has_page(self.rule, settings.file, settings.folder))

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

    def _judged(self, case: Case) -> Verdict:
        """The verdict of the check, and of the user's own hooks."""
        own = self.run.own
        try:
            if case.alert:
                case = replace(case, alert=own.decoded(case.alert))
            if self.check not in CHECKS:
                return own.judge(self.check, case)
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
