"""Files → items: `<file>::<alert>::<check>`; an item's runtest() is the flow in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_sre.checks import CHECKS, known, loads
from pytest_sre.checks.case import Case, Skipped
from pytest_sre.errors import StackError, UserError
from pytest_sre.live.run import Job, observe
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import FileVerdict, Observations
from pytest_sre.model.rules import Rule
from pytest_sre.options import read_settings
from pytest_sre.report import json as json_report
from pytest_sre.report.terminal import Progress, summary
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory, discover

EXIT_BROKEN_STACK = 10


class Failed(Exception):
    """An item's findings; shown as they are, without a traceback."""


class Plugin:
    """One pytest run: its inventory, its one observation, its summary."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        named = [Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args]
        try:
            self.settings: Settings = read_settings(config)
            self.inventory: Inventory = discover(self.settings, [path for path in named if _is_yaml(path)])
            _check_series(self.settings, self.inventory)
        except UserError as error:
            raise pytest.UsageError(f"pytest-sre: {error}") from None
        self.observations: Observations | None = None
        self.broken: StackError | None = None
        self.told = False
        if config.args_source is not config.ArgsSource.ARGS:
            beyond = [str(path) for path in _beyond(config, self.paths)]
            config.args = [*config.args, *beyond]
            # Else pytest 9 drops what lies below an argument, searched by it or not.
            config.option.keepduplicates = config.option.keepduplicates or bool(beyond)

    @cached_property
    def paths(self) -> dict[Path, str]:
        """All files that have items: absolute path → path as shown."""
        shown = [file.path for file in self.inventory.rule_files] + [
            file.path for file in self.inventory.broken
        ]
        if self.inventory.routing:
            shown.append(self.inventory.routing.path)
        return {(self.inventory.root / path).resolve(): path for path in dict.fromkeys(shown)}

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect a file of the inventory."""
        if not _is_yaml(file_path) or file_path.resolve() not in self.paths:
            return None
        return SreFile.from_parent(parent, path=file_path, plugin=self)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep each of our items once: a file may be found by pytest's search and as an argument."""
        first = {item.nodeid: item for item in reversed(items)}
        items[:] = [item for item in items if not isinstance(item, SreItem) or first[item.nodeid] is item]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Observe once, before the first test, what all selected items ask for."""
        items = [item for item in session.items if isinstance(item, SreItem)]
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            return
        if not items or session.config.option.collectonly:
            return
        alerts = {item.rule: None for item in items if isinstance(item, AlertItem) and item.check.NEEDS}
        deliver = any(isinstance(item, AlertItem) and item.check.NEEDS == "deliver" for item in items)
        routing = self.inventory.routing.path if self.inventory.routing else ""
        deliver = deliver or any(isinstance(item, FileItem) and item.shown == routing for item in items)
        if not alerts and not any(
            isinstance(item, FileItem) and not self.unread(item.shown) for item in items
        ):
            return
        with Progress(self.config) as progress:
            job = Job(self.settings, self.inventory, tuple(alerts), bool(alerts), deliver, progress.tell)
            try:
                self.observations = observe(job)
                if self.settings.json_path:
                    json_report.write(Path(self.settings.json_path), self.observations, self.inventory)
            except StackError as error:
                self.broken = error
            except OSError as error:
                self.broken = StackError(f"cannot write {error.filename}: {error.strerror}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A broken stack has an exit code of its own."""
        if self.broken and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = EXIT_BROKEN_STACK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Count what was proven and what was not."""
        reports = [
            r for rs in terminalreporter.stats.values() for r in rs if isinstance(r, pytest.TestReport)
        ]
        mine = [report for report in reports if "sre_check" in dict(report.user_properties)]
        summary(terminalreporter, mine, self.inventory, self.observations)

    def unread(self, path: str) -> FileVerdict | None:
        """The verdict on a file that we can't even read ourselves."""
        found = (one for one in self.inventory.broken if one.path == path)
        return next((FileVerdict(path, one.line, one.reason) for one in found), None)

    def verdict(self, path: str) -> FileVerdict:
        """What is known of a file that must load."""
        unread = self.unread(path)
        if unread is not None:
            return unread
        assert self.observations is not None
        return self.observations.files.get(path, FileVerdict(path))

    def check_stack(self) -> None:
        """Raise a broken stack's error once, skip everything after it."""
        if self.broken:
            if self.told:
                pytest.skip("the stack is broken; its error is told above")
            self.told = True
            pytest.fail(str(self.broken), pytrace=False)


def _beyond(config: pytest.Config, paths: Iterable[Path]) -> Iterator[Path]:
    """Files that pytest's own search does not reach. Only those: pytest 8.0 loses tests where arguments overlap."""
    here = config.invocation_params.dir
    searched = [Path(here, arg).resolve() for arg in config.args]
    ignored = {Path(here, arg).resolve() for arg in config.getoption("ignore") or ()}
    for path in paths:
        if any(_finds(config, folder, path) for folder in searched) or ignored & {path, *path.parents}:
            continue
        if not config.hook.pytest_ignore_collect(collection_path=path, config=config):
            yield path


def _finds(config: pytest.Config, folder: Path, path: Path) -> bool:
    if not path.is_relative_to(folder):
        return False
    between = [parent for parent in path.parents if parent != folder and parent.is_relative_to(folder)]
    return not any(parent.match(pattern) for parent in between for pattern in config.getini("norecursedirs"))


class SreFile(pytest.File):
    """A rule file or an Alertmanager configuration."""

    def __init__(self, *, plugin: Plugin, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plugin = plugin
        self.add_marker("sre")

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The file's own item, then its alerts by name."""
        shown = self.plugin.paths[self.path.resolve()]
        yield FileItem.from_parent(self, name=loads.NAME, shown=shown)
        by_name: dict[str, list[Rule]] = {}
        for file in self.plugin.inventory.rule_files:
            if file.path == shown:
                for rule in file.alerts:
                    by_name.setdefault(rule.name, []).append(rule)
        for name, rules in by_name.items():
            yield AlertNode.from_parent(self, name=name, rules=rules)


class AlertNode(pytest.Collector):
    """All alerts of one name in a file."""

    def __init__(self, *, rules: Sequence[Rule], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rules = rules

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each check, told apart in brackets where several alerts share the name."""
        file = self.getparent(SreFile)
        assert file is not None
        checks = [one for one in CHECKS if one is not known or file.plugin.inventory.snapshots]
        for rule, suffix in zip(self.rules, distinguish(self.rules), strict=True):
            for check in checks:
                yield AlertItem.from_parent(self, name=check.NAME + suffix, rule=rule, check=check)


def distinguish(rules: Sequence[Rule]) -> list[str]:
    """For alerts of equal name the labels that differ, as `[severity=page]`; else the group, else a number."""
    if len(rules) == 1:
        return [""]
    names = sorted({name for rule in rules for name in rule.labels})
    varying = [name for name in names if len({rule.labels.get(name) for rule in rules}) > 1]
    for wanted in [*([name] for name in varying), varying]:
        ids = [",".join(f"{name}={rule.labels.get(name, '')}" for name in wanted) for rule in rules]
        if wanted and len(set(ids)) == len(rules):
            return [f"[{_plain(one)}]" for one in ids]
    groups = [f"group={rule.group}" for rule in rules]
    if len(set(groups)) == len(rules):
        return [f"[{_plain(one)}]" for one in groups]
    return [f"[{number}]" for number in range(1, len(rules) + 1)]


def _plain(text: str) -> str:
    return text.replace("::", ":").replace("[", "(").replace("]", ")").encode("unicode_escape").decode()


class SreItem(pytest.Item):
    """An item of ours: findings are its failure."""

    @property
    def plugin(self) -> Plugin:
        """The run that this item belongs to."""
        file = self.getparent(SreFile)
        assert file is not None
        return file.plugin

    def setup(self) -> None:
        """A broken stack is an error of the set-up, never a failure."""
        if self.needs_stack:
            self.plugin.check_stack()

    @property
    def needs_stack(self) -> bool:
        """Whether the item can't be judged without the servers."""
        return True

    def settle(self, verdict: Iterable[Finding] | Skipped) -> None:
        """Pass, skip or fail; with --sre-strict a skip is a failure."""
        if isinstance(verdict, Skipped):
            if self.plugin.settings.file.strict:
                raise Failed(f"{self.nodeid}: not proven (strict): {verdict.reason}")
            pytest.skip(verdict.reason)
        findings = tuple(verdict)
        if findings:
            self.user_properties.append(("sre_findings", str(len(findings))))
            raise Failed("\n".join(map(str, findings)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings without a traceback."""
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class FileItem(SreItem):
    """Does the file load?"""

    def __init__(self, *, shown: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shown = shown
        self.user_properties.append(("sre_check", loads.NAME))

    @property
    def needs_stack(self) -> bool:
        """A file that can't be read needs no server to say so."""
        return self.plugin.unread(self.shown) is None

    def runtest(self) -> None:
        """Judge the file."""
        self.settle(loads.judge(self.plugin.verdict(self.shown)))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file itself."""
        return self.path, 0, f"{self.name} {self.shown}"


class AlertItem(SreItem):
    """One check of one alert."""

    def __init__(self, *, rule: Rule, check: ModuleType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
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

    def runtest(self) -> None:
        """Judge the alert by what was observed."""
        seen = self.plugin.observations
        case = Case(
            self.rule,
            seen.alerts.get(self.rule) if seen else None,
            dict(seen.files) if seen else {},
            self.plugin.settings.file,
            self.plugin.inventory,
            str(self.plugin.settings.folder),
        )
        if case.alert and case.alert.after is not None:
            self.user_properties.append(("sre_fired_after_seconds", f"{case.alert.after:.1f}"))
        self.settle(self.check.judge(case))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The rule's place in its file."""
        title = f"{self.rule.name}::{self.name}"
        return self.path, self.rule.location.line - 1, title.replace(".", "·")


def _check_series(settings: Settings, inventory: Inventory) -> None:
    """Series by hand must be for an alert that exists; raises UserError."""
    names = {name for rule in inventory.rules for name in (rule.name, f"{rule.location.path}::{rule.name}")}
    unknown = [entry.alert for entry in settings.file.series if entry.alert not in names]
    if unknown and not inventory.broken:
        raise UserError(f"sre.yaml: series: no rule file has an alert {', '.join(unknown)}")


def _is_yaml(path: Path) -> bool:
    return path.suffix in (".yml", ".yaml") and path.is_file()
