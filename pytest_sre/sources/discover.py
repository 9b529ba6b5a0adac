"""Files → Inventory: what a repository holds, found by content and name, or as configured."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.errors import FileError, UserError
from pytest_sre.model.routing import Routing
from pytest_sre.model.rules import Rule, RuleFile
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.model.unittest import UnitFile
from pytest_sre.settings import MetricsPages, Settings
from pytest_sre.sources import yamlfile
from pytest_sre.sources.alertmanager import is_alertmanager, parse_routing
from pytest_sre.sources.amconfig_merge import with_objects
from pytest_sre.sources.operator_support import may_matter
from pytest_sre.sources.prometheus import PrometheusConfig, is_prometheus, parse_prometheus
from pytest_sre.sources.promtool_tests import NONE, looks_like_unit_tests, parse_unit_tests
from pytest_sre.sources.rulefile import Broken, Skip, is_helm, looks_like_rules, parse_rule_file
from pytest_sre.sources.snapshot import Source, parse_snapshots
from pytest_sre.sources.unit_rules import noted
from pytest_sre.sources.walk import read, walk


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file of ours that can't be read, and why."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that looked like ours and isn't, and what it is."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """All that a repository holds for us; paths are relative to ``root``."""

    root: Path
    rule_files: tuple[RuleFile, ...]
    broken: tuple[BrokenFile, ...]
    skipped: tuple[SkippedFile, ...]
    routing: Routing | None
    prometheus: PrometheusConfig
    snapshots: Snapshots
    unit_files: tuple[UnitFile, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules of all files."""
        return tuple(rule for file in self.rule_files for group in file.groups for rule in group.rules)

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that are tested: rule files, broken files (also pages), the Alertmanager configuration, unit tests."""
        files = [*(file.path for file in self.rule_files), *(file.path for file in self.broken)]
        files += self.routing.paths if self.routing else ()
        return tuple(dict.fromkeys([*files, *(file.path for file in self.unit_files)]))


def discover(settings: Settings, named: Collection[Path] = ()) -> Inventory:
    """Look at all files once. ``named`` are files that the command line names. Raises UserError."""
    given = {path.resolve() for path in named}
    found = sorted({*_rule_paths(settings), *given})
    rule_files: list[RuleFile] = []
    broken: list[BrokenFile] = []
    skipped: list[SkippedFile] = []
    configs: list[Path] = []
    units: list[UnitFile] = []
    objects: list[tuple[str, str]] = []
    for path in found:
        shown = relative(settings.root, path)
        try:
            text = read(path)
            if _is_config_name(path):
                configs.append(path)
            if may_matter(text):
                objects.append((shown, text))
            if unit := _unit_file(settings, path, text):
                units.append(unit)
            elif looks_like_rules(text):
                rule_files.append(parse_rule_file(shown, text))
            elif settings.file.rules and path not in given:
                _must_be_yaml(text)
        except Skip as skip:
            skipped.append(SkippedFile(shown, str(skip)))
        except Broken as error:
            broken.append(BrokenFile(shown, error.line, str(error)))
    if settings.file.rules or settings.file.alertmanager or settings.file.prometheus:
        seen = set(configs)
        configs += [path for path in walk(settings.search) if path not in seen and _is_config_name(path)]
    if settings.file.rules:
        units += _unit_files(settings, {file.path for file in rule_files}, set(found))
        objects += _object_files(settings, set(found))
    routing, trouble = _routing(settings, configs)
    if not trouble:
        routing, refused = with_objects(routing, objects, str(settings.search))
        trouble = [BrokenFile(one.path, one.line, one.reason) for one in refused if one.broken]
        skipped += [SkippedFile(one.path, one.reason) for one in refused if not one.broken]
    snapshots, unread = _snapshots(settings)
    return Inventory(
        root=settings.root,
        rule_files=tuple(rule_files),
        broken=(*broken, *trouble, *unread),
        skipped=tuple(skipped),
        routing=routing,
        prometheus=_prometheus(settings, configs),
        snapshots=snapshots,
        unit_files=tuple(units),
    )


def _unit_file(settings: Settings, path: Path, text: str) -> UnitFile | None:
    """The file's unit tests, if it has some. Raises Skip and Broken."""
    if not looks_like_unit_tests(text):
        return None
    try:
        unit = parse_unit_tests(relative(settings.root, path), text, path, settings.root)
    except Skip as skip:
        if str(skip) == NONE:
            return None
        raise
    return noted(unit, settings.root)


def _unit_files(settings: Settings, rules: Collection[str], seen: Collection[Path]) -> Iterator[UnitFile]:
    """Where the settings name the rule files: the unit tests of these. Broken ones may be those of others."""
    for path in walk(settings.search):
        with contextlib.suppress(Skip, Broken):
            unit = None if path in seen else _unit_file(settings, path, read(path))
            if unit and not set(rules).isdisjoint(unit.rule_files):
                yield unit


def _object_files(settings: Settings, seen: Collection[Path]) -> Iterator[tuple[str, str]]:
    """Where the settings name the rule files: all other files with objects of prometheus-operator."""
    for path in walk(settings.search):
        with contextlib.suppress(Broken):
            if path not in seen and may_matter(text := read(path)):
                yield relative(settings.root, path), text


def relative(root: Path, path: Path) -> str:
    """The path as users see it: relative to the root, with forward slashes."""
    return Path(os.path.relpath(path, root)).as_posix()


def _rule_paths(settings: Settings) -> Iterator[Path]:
    if not settings.file.rules:
        yield from walk(settings.search)
        return
    for pattern in settings.file.rules:
        matches = sorted(glob_files(settings.folder, pattern))
        if not matches:
            raise UserError(f"rules: no file matches {pattern!r} in {settings.folder}")
        yield from matches


def glob_files(folder: Path, pattern: str) -> list[Path]:
    """The files of a glob that may be absolute, or begin with `..`."""
    path = Path(pattern)
    base = Path(path.anchor) if path.is_absolute() else folder
    parts = list(path.relative_to(path.anchor).parts if path.is_absolute() else path.parts)
    while parts and parts[0] == "..":
        base, parts = base.parent, parts[1:]
    if not parts:
        return []
    return [match.resolve() for match in base.glob("/".join(parts)) if match.is_file()]


def _must_be_yaml(text: str) -> None:
    """What `rules:` names may be something else, but not broken: Prometheus would load none of its alerts."""
    try:
        yamlfile.load_all(text)
    except yamlfile.YamlError as error:
        if not is_helm(text):
            raise Broken(error.line, f"not valid YAML: {error}") from None


def _is_config_name(path: Path) -> bool:
    return "alertmanager" in path.name.lower() or path.stem == "prometheus"


def _routing(settings: Settings, configs: list[Path]) -> tuple[Routing | None, list[BrokenFile]]:
    if settings.file.alertmanager:
        path = (settings.folder / settings.file.alertmanager).resolve()
        if not path.is_file():
            raise UserError(f"alertmanager: there is no file {path}")
    else:
        candidates = [path for path in configs if "alertmanager" in path.name.lower() and _sniff(path)]
        exact = [path for path in candidates if path.stem == "alertmanager"] or candidates
        if not exact:
            return None, []
        if len(exact) > 1:
            names = ", ".join(relative(settings.root, path) for path in exact)
            raise UserError(
                f"several Alertmanager configurations: {names}; say which with `alertmanager:` in sre.yaml "
                "or --sre-alertmanager-config=FILE"
            )
        path = exact[0]
    shown = relative(settings.root, path)
    try:
        return parse_routing(shown, str(path.parent), read(path)), []
    except Broken as error:
        return None, [BrokenFile(shown, error.line, str(error))]
    except FileError as error:
        return None, [BrokenFile(shown, error.line, error.reason)]


def _sniff(path: Path) -> bool:
    try:
        text = read(path)
    except Broken:
        return path.stem == "alertmanager"
    if "kind: Secret" in text or '"Secret"' in text:
        return "alertmanager.y" in text
    try:
        return any(is_alertmanager(document.value) for document in yamlfile.load_all(text))
    except yamlfile.YamlError:
        return path.stem == "alertmanager" and not is_helm(text)


def _prometheus(settings: Settings, configs: list[Path]) -> PrometheusConfig:
    if settings.file.prometheus:
        path = (settings.folder / settings.file.prometheus).resolve()
        if not path.is_file():
            raise UserError(f"prometheus: there is no file {path}")
        return _parse_prometheus(settings, path)
    candidates = [path for path in configs if path.stem == "prometheus" and _sniff_prometheus(path)]
    if len(candidates) > 1:
        names = ", ".join(relative(settings.root, path) for path in candidates)
        raise UserError(
            f"several Prometheus configurations: {names}; say which with `prometheus:` in sre.yaml "
            "or --sre-prometheus-config=FILE"
        )
    return _parse_prometheus(settings, candidates[0]) if candidates else PrometheusConfig()


def _parse_prometheus(settings: Settings, path: Path) -> PrometheusConfig:
    try:
        return parse_prometheus(relative(settings.root, path), read(path))
    except Broken as error:
        raise UserError(f"{relative(settings.root, path)}:{error.line}: {error}") from None


def _sniff_prometheus(path: Path) -> bool:
    try:
        text = read(path)
    except Broken:
        return True
    try:
        return any(is_prometheus(document.value) for document in yamlfile.load_all(text))
    except yamlfile.YamlError:
        return not is_helm(text)


def _snapshots(settings: Settings) -> tuple[Snapshots, list[BrokenFile]]:
    """All pages; of those that several entries find, the last says what holds. Broken pages cost no other."""
    found = {
        path: entry for entry in settings.file.metrics for path in glob_files(settings.folder, entry.path)
    }
    sources, broken = [], []
    for path in sorted(found):
        shown = relative(settings.root, path)
        try:
            sources.append(_source(shown, read(path), found[path]))
        except Broken as error:
            broken.append(BrokenFile(shown, error.line, str(error)))
    snapshots = parse_snapshots(sources, settings.file.target_labels)
    return snapshots, broken + [BrokenFile(one.path, one.line, one.reason) for one in snapshots.unread]


def _source(shown: str, text: str, entry: MetricsPages) -> Source:
    labels = {"job": entry.job, "instance": entry.instance, **entry.labels}
    given = tuple(sorted((label, value) for label, value in labels.items() if value))
    return Source(shown, text, given, entry.healthy, entry.taken.timestamp() if entry.taken else None)
