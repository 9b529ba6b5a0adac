"""What a run leaves for people and for CI: the summary on the terminal, and the files that were asked for."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from pytest_sre.baseline import write_baseline
from pytest_sre.changed.against import Against
from pytest_sre.checks import CHECKS, coverage, incident, loads, policy, routing, unit
from pytest_sre.errors import StackError, UserError
from pytest_sre.incidents.asked import BrokenStack
from pytest_sre.items.item import BASELINE, SreItem
from pytest_sre.items.target import Target
from pytest_sre.live.fleet import Results
from pytest_sre.model.export import Export
from pytest_sre.model.observation import Observations
from pytest_sre.options import Options
from pytest_sre.own import Own
from pytest_sre.promtool.write import write
from pytest_sre.report import ci, detection, export, review
from pytest_sre.report import json as json_report
from pytest_sre.report.outcome import outcomes
from pytest_sre.report.seen import Seen
from pytest_sre.report.terminal import summary
from pytest_sre.sources.discover import relative


class Run(Protocol):
    """What is known at a run's end."""

    config: pytest.Config
    options: Options
    scopes: Sequence[Sequence[Target]]
    against: Against | None
    results: Results
    own: Own


def base_label(target: Target) -> str:
    """The label of the stack that shows what was before."""
    return f"{target.settings.scope} base".strip()


class Reports:
    """Writes the reports of a run, in the process that sees all of it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Reports of our items carry their findings, to whichever process writes them down.

        A stack that breaks in a Python test is an error, as one of the set-up is, and no failure.
        """
        report = yield
        if isinstance(item, SreItem):
            item.tell(report)
        elif call.when == "call" and call.excinfo and call.excinfo.errisinstance(BrokenStack):
            report.when = "setup"
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Count what was proven and what was not; a worker of pytest-xdist knows only its own part."""
        if hasattr(self.run.config, "workerinput"):
            return
        every = [r for rs in terminalreporter.stats.values() for r in rs if isinstance(r, pytest.TestReport)]
        mine = sorted(
            (report for report in every if _check(report)), key=lambda one: _ORDER.get(_check(one), 0)
        )
        lines = _review(self.run)
        stacks = list(_seen(self.run))
        summary(terminalreporter, mine, [scope[0].inventory for scope in self.run.scopes], stacks, lines)
        if self.run.options.export_promtool:
            for line in export.told(self.run.options.export_promtool, exports(self.run.results)):
                terminalreporter.write_line(line)
        with _writing():
            told = ci.publish(
                outcomes(mine),
                root=self.run.config.rootpath,
                environ=os.environ,
                review=lines,
                versions=[(stack.label, stack.observations.versions) for stack in stacks],
                detection=[table for stack in stacks for table in _tables(stack)],
                markdown_path=self.run.options.markdown_path,
                codequality_path=self.run.options.codequality_path,
            )
        for line in (*told, *self._baseline(every)):
            terminalreporter.write_line(line)

    def _baseline(self, reports: Iterable[pytest.TestReport]) -> Iterator[str]:
        """What was accepted; writes it down where that is wanted."""
        baseline = self.run.options.baseline
        if baseline is None or self.run.config.option.collectonly:
            return
        ran: dict[str, Counter[str]] = {}
        for report in reports:
            item, accepted = getattr(report, BASELINE, ("", ()))
            if item:  # of several versions of the servers each may find it
                ran[item] = ran.get(item, Counter()) | Counter[str](accepted)
        count = sum(texts.total() for texts in ran.values())
        shown = relative(self.run.config.rootpath, baseline.path)
        if baseline.update:
            with _writing():
                write_baseline(baseline.path, baseline.renewed(ran, self.run.config.rootpath))
            yield f"baseline {shown}: {count} findings written"
            return
        yield f"baseline {shown}: {count} findings accepted"
        unused = list(baseline.unused(ran, self.run.config.rootpath))
        for one in unused[:_UNUSED]:
            yield f"{shown}:{one.line}: {one.item} no longer finds this; delete it: {one.text}"
        if len(unused) > _UNUSED:
            yield f"and {len(unused) - _UNUSED} more; --sre-baseline-update deletes them"


_UNUSED = 20


# With pytest-xdist the reports come as the workers are done.
_ORDER = {
    check.NAME: number
    for number, check in enumerate((loads, unit, *CHECKS, policy, routing, incident, coverage))
}


def _check(report: pytest.TestReport) -> str:
    return str(dict(report.user_properties).get("sre_check", ""))


def write_json(run: Run, targets: Iterable[Target], results: Results) -> None:
    """Write down what was observed on the stacks that are not broken; raises pytest.UsageError."""
    read = {
        label: run.own.read(seen) if run.options.json_path and isinstance(seen, Observations) else seen
        for label, seen in results.items()
    }
    stacks = list(_observed(targets, read))
    if run.options.json_path and stacks:
        with _writing():
            base = str(run.against.revision) if run.against else ""
            json_report.write(Path(run.options.json_path), stacks, base, _changes(run, results))


def write_promtool(run: Run, results: Results) -> None:
    """Write the exported scenarios; raises pytest.UsageError."""
    folder = run.options.export_promtool
    if folder is None:
        return
    files = [file for one in exports(results) for file in one.files]
    try:
        write(folder, files)
    except UserError as error:
        raise pytest.UsageError(f"pytest-sre: {error}") from None


def exports(results: Results) -> list[Export]:
    """What the stacks have exported."""
    return [seen.exported for seen in results.values() if isinstance(seen, Observations) and seen.exported]


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise pytest.UsageError(f"pytest-sre: cannot write {error.filename}: {error.strerror}") from None


def _seen(run: Run) -> Iterator[Seen]:
    return _observed([target for scope in run.scopes for target in scope], run.results)


def _observed(targets: Iterable[Target], results: Results) -> Iterator[Seen]:
    """The stacks that are not broken."""
    for target in targets:
        seen = results.get(target.label)
        if isinstance(seen, Observations):
            yield Seen(target.settings, target.inventory, target.slos, target.policy, seen)


def _tables(stack: Seen) -> Iterator[detection.Table]:
    yield from detection.tables(stack)
    if table := detection.others(stack):
        yield table


def _review(run: Run) -> list[str]:
    """What --sre-changed has to say; the first line sums up."""
    changes = _changes(run, run.results)
    if run.against is None:
        return []
    return [f"compared with {run.against.revision}: {review.headline(changes)}", *review.review(changes)]


def _changes(run: Run, results: Results) -> list[review.Change]:
    if run.against is None:
        return []
    changes = []
    for scope, (_, comparison) in zip(run.scopes, run.against.scopes, strict=True):
        now, was = (results.get(label) for label in (scope[0].label, base_label(scope[0])))
        broken = [f"the base's stack is broken: {was}"] if isinstance(was, StackError) else []
        changes.append(
            review.Change(
                scope[0].settings.scope,
                {rule: tuple(map(str, reasons)) for rule, reasons in comparison.reasons.items()},
                comparison.previous,
                comparison.removed,
                [*comparison.unreadable, *broken],
                now if isinstance(now, Observations) else None,
                was if isinstance(was, Observations) else None,
                scope[0].settings.file.severities,
            )
        )
    return changes
