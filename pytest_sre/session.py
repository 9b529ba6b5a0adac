"""One pytest run: what it tests, its observations, its reports."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.changed.against import Against, before, read_against
from pytest_sre.checks.oncall import check_never
from pytest_sre.checks.runbooks.shelf import Shelf, know_each_other
from pytest_sre.collect import SreFile
from pytest_sre.errors import StackError, UserError
from pytest_sre.incidents.asked import Asked
from pytest_sre.items.item import SreItem
from pytest_sre.items.target import Target
from pytest_sre.jobs import job_of
from pytest_sre.live.fleet import Results, observe_all
from pytest_sre.live.job import Job
from pytest_sre.live.share import Share
from pytest_sre.model.observation import Observations
from pytest_sre.options import Options, read_options
from pytest_sre.own import Own
from pytest_sre.report.terminal import Progress
from pytest_sre.reports import base_label, write_json, write_promtool
from pytest_sre.selected import is_changed
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory, discover, relative
from pytest_sre.sources.incidents import check_incidents
from pytest_sre.sources.routing import check_receivers, routing_tests
from pytest_sre.sources.runbook_library import is_page
from pytest_sre.stack.folder import run_folder
from pytest_sre.terminable import terminable

EXIT_BROKEN_STACK = 10
_ENDED_BY_ITSELF = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


class Plugin:
    """The run's targets and what was observed of them; with pytest-xdist there is one in each process."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._closing = contextlib.ExitStack()
        named = [Path(config.invocation_params.dir, arg.partition("::")[0]) for arg in config.args]
        try:
            self.options: Options = read_options(config)
            self.scopes: Sequence[Sequence[Target]] = _targets(
                self.options, [path for path in named if _is_yaml(path)]
            )
            self.shelves = _shelves([scope[0] for scope in self.scopes], self.options.runbooks, named)
            self._meeting = self._meeting_place()
            self.against: Against | None = self._against([path for path in named if _is_yaml(path)])
        except UserError as error:
            self._closing.close()
            raise pytest.UsageError(f"pytest-sre: {error}") from None
        self.strict, self.alerts = self.options.strict, self.options.alerts
        self.baseline = self.options.baseline
        self.results: Results = {}
        self.own = Own(config.hook, config.rootpath)
        self.asked = Asked(self, self._closing)
        self._told: set[str] = set()
        self._parent = os.getppid()
        if config.args_source is not config.ArgsSource.ARGS:
            beyond = [str(path) for path in _beyond(config, self.paths)]
            config.args = [*config.args, *beyond]
            # Else pytest 9 drops what lies below an argument, searched by it or not.
            config.option.keepduplicates = config.option.keepduplicates or bool(beyond)

    @cached_property
    def paths(self) -> dict[Path, str]:
        """All files that have items: absolute path → path as shown."""
        targets = [scope[0] for scope in self.scopes]
        pages = {file: path for shelf in self.shelves for file, path in shelf.files.items()}
        return pages | {(one.inventory.root / path).resolve(): path for one in targets for path in one.paths}

    def shown(self, path: Path) -> str:
        """The path of a file that has items, as users see it; empty for other files."""
        return self.paths.get(path.resolve(), "")

    def observations(self, target: Target) -> Observations | StackError | None:
        """What came out of a target's stack."""
        return self.results.get(target.label)

    def tell_broken(self, target: Target) -> bool:
        """Whether a broken stack's error is still to be told, here or in another worker."""
        if target.label in self._told:
            return False
        self._told.add(target.label)
        number = [one.label for scope in self.scopes for one in scope].index(target.label)
        return self.share is None or self.share.first(f"told-{number}")

    def _meeting_place(self) -> Path | None:
        """A folder for all processes of the run, where it has several or needs one itself."""
        given = getattr(self.config, "workerinput", {}).get("sre_folder")
        if given and Path(given).is_dir():
            return Path(given)
        if self.options.changed is None and not self._distributes:
            return None
        return self._closing.enter_context(run_folder(keep=False))

    @property
    def _distributes(self) -> bool:
        """Whether this process is the controller of pytest-xdist."""
        option = self.config.option
        several = getattr(option, "dist", "no") != "no" and getattr(option, "tx", None)
        return bool(several) and not hasattr(self.config, "workerinput")

    @property
    def share(self) -> Share | None:
        """What all workers of pytest-xdist have in common; None without it."""
        if self._meeting is None or not (self._distributes or hasattr(self.config, "workerinput")):
            return None
        inventories = [scope[0].inventory for scope in self.scopes]
        inventories += [old.inventory for old, _ in self.against.scopes] if self.against else []
        return Share(self._meeting, [rule for inventory in inventories for rule in inventory.rules])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell each worker of pytest-xdist where all of them meet."""
        node.workerinput["sre_folder"] = str(self._meeting)

    def _against(self, named: Sequence[Path]) -> Against | None:
        """What --sre-changed compares with; raises UserError."""
        if self.options.changed is None or self._meeting is None:
            return None
        scopes = [(scope[0].settings, scope[0].inventory) for scope in self.scopes]
        return read_against(self.options.changed, scopes, self._meeting, self.options.config, named)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Collect a file of the inventory."""
        if file_path.suffix == ".py" or not self.shown(file_path):
            return None
        outside = not file_path.is_relative_to(
            self.config.rootpath
        )  # pytest names such files as if they were one
        named: dict[str, Any] = {"nodeid": self.shown(file_path)} if outside else {}
        return SreFile.from_parent(parent, path=file_path, run=self, **named)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep each of our items once (pytest's search and an argument may both find a file), and what changed."""
        first = {item.nodeid: item for item in reversed(items)}
        items[:] = [item for item in items if not isinstance(item, SreItem) or first[item.nodeid] is item]
        if self.against:
            unchanged = [
                item for item in items if isinstance(item, SreItem) and not is_changed(item, self.against)
            ]
            self.config.hook.pytest_deselected(items=unchanged)
            left_out = set(unchanged)
            items[:] = [item for item in items if item not in left_out]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Observe once, before the first test, what all selected items ask for."""
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            return
        if session.config.option.collectonly or self._distributes:  # then the workers do it
            return
        items = [item for item in session.items if isinstance(item, SreItem) and item.wants_stack]
        if items:
            self.results = (
                self.share.get(lambda: self._observe(items)) if self.share else self._observe(items)
            )

    def _observe(self, items: Sequence[SreItem]) -> Results:
        self.check_controller()
        asked: dict[Target, list[SreItem]] = {}
        for item in items:
            asked.setdefault(item.target, []).append(item)
        with Progress(self.config) as progress, terminable():
            plots = bool(self.options.json_path)
            jobs = {
                target.label: job_of(target, mine, plots, progress.tell, whole=bool(self.against))
                for target, mine in asked.items()
            }
            jobs |= self._exporting(jobs)
            jobs |= dict(self._before(jobs, progress.tell))
            if len(jobs) > 1:
                jobs = {one: replace(job, tell=partial(progress.tell, who=one)) for one, job in jobs.items()}
            results = observe_all(jobs, keep=self.options.keep, check=self.check_controller)
        write_json(self, asked, results)
        write_promtool(self, results)
        return results

    def _exporting(self, jobs: Mapping[str, Job]) -> dict[str, Job]:
        """Jobs that export as well: of each scope the first version's."""
        folder = self.options.export_promtool
        first = [scope[0].label for scope in self.scopes if folder and scope[0].label in jobs]
        return {
            one: replace(
                jobs[one], export=folder, timed=tuple(dict.fromkeys((*jobs[one].timed, *jobs[one].alerts)))
            )
            for one in first
        }

    def _before(self, jobs: Mapping[str, Job], tell: Callable[[str], None]) -> Iterator[tuple[str, Job]]:
        """The alerts that changed or went, as they were, on a stack of the base."""
        if self.against is None:
            return
        for scope, (old, comparison) in zip(self.scopes, self.against.scopes, strict=True):
            job = jobs.get(scope[0].label)
            if job is None or not job.deliver:
                continue
            rules = before(old, comparison, [rule for rule in job.alerts if rule not in job.together])
            if rules:
                yield base_label(scope[0]), Job(old.settings, old.inventory, rules, True, True, tell)

    def check_controller(self) -> None:
        """End a worker of pytest-xdist whose controller has been ended or killed, and with it the servers."""
        if not hasattr(self.config, "workerinput"):
            return
        if os.getppid() != self._parent or (self._meeting is not None and not self._meeting.is_dir()):
            pytest.exit("the controller of this worker is gone")

    def pytest_sessionstart(self) -> None:
        """Where there is a folder to remove, SIGTERM must not end this process at once."""
        if self._meeting is not None and not hasattr(self.config, "workerinput"):
            self._closing.enter_context(terminable())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A broken stack has an exit code of its own."""
        if self._distributes and self.share:
            self.results = (self.share.read() or ({},))[0]
            if session.exitstatus not in _ENDED_BY_ITSELF:
                self._closing.close()  # pytest-xdist waits for its workers, and they for their servers
        labels = [target.label for scope in self.scopes for target in scope]
        broken = any(isinstance(self.results.get(label), StackError) for label in labels)
        broken |= self.asked.is_broken
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.against and self.against.nothing:
            session.exitstatus = pytest.ExitCode.OK  # there is nothing to test in this change
        if broken and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = EXIT_BROKEN_STACK

    def pytest_unconfigure(self) -> None:
        """Nothing is left behind."""
        self._closing.close()


def _targets(options: Options, named: Sequence[Path]) -> list[list[Target]]:
    """For each scope a target for each version; files named on the command line belong to the only scope."""
    scopes = []
    shown = relative(options.scopes[0][0].root, options.config) if options.config else ""
    for versions in options.scopes:
        inventory = discover(versions[0], named if len(options.scopes) == 1 else ())
        _check_series(versions[0], inventory)
        slos = tuple(spec.as_model(shown) for spec in versions[0].file.slos)
        routing = routing_tests(versions[0].file.routing, shown)
        check_receivers(routing, inventory.routing)
        if inventory.routing and len(options.scopes) == 1:  # several scopes may share what only one has
            check_never(versions[0].file.oncall, inventory.routing, shown)
        incidents = tuple(spec.as_model(shown) for spec in versions[0].file.incidents)
        if not inventory.broken:
            check_incidents(incidents, inventory.rules, inventory.routing)
        scopes.append([Target(settings, inventory, slos, routing, incidents) for settings in versions])
    return scopes


def _shelves(targets: Sequence[Target], items: bool, named: Sequence[Path]) -> list[Shelf]:
    """The runbooks of each scope; a page may be linked from another one. Raises UserError.

    Pages that are named on the command line and that no scope has belong to the first.
    """
    shelves = [Shelf(one.settings.file, one.inventory, one.settings.folder, items=items) for one in targets]
    know_each_other(shelves)
    for path in [path.resolve() for path in named if items and is_page(path)]:
        if not any(path in shelf.files for shelf in shelves):
            shelves[0].add(path)
    return shelves


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


def _check_series(settings: Settings, inventory: Inventory) -> None:
    """Series by hand must be for an alert that exists; raises UserError."""
    names = {name for rule in inventory.rules for name in (rule.name, f"{rule.location.path}::{rule.name}")}
    unknown = [entry.alert for entry in settings.file.series if entry.alert not in names]
    if unknown and not inventory.broken:
        raise UserError(f"sre.yaml: series: no rule file has an alert {', '.join(unknown)}")


def _is_yaml(path: Path) -> bool:
    return path.suffix in (".yml", ".yaml") and path.is_file()
