"""Unit tests in a run: the verdicts on their files, and what is asked of virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path

from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.rules import RuleFile
from pytest_sre.model.unittest import UnitFile, UnitGroup
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources import unit_rules
from pytest_sre.timemachine.replay import UnitJob, broken

Asked = tuple[UnitFile, tuple[UnitGroup, ...]]
"""A file, and those of its tests that are asked."""


def other_rules(asked: Iterable[Asked], root: Path, known: Iterable[RuleFile]) -> list[RuleFile]:
    """The rule files of unit tests that the inventory does not have."""
    paths = {file.path for file in known}
    found = unit_rules.read([unit for unit, _ in asked], root).files
    return [file for path, file in found.items() if path not in paths]


def unit_job(
    asked: Sequence[Asked],
    root: Path,
    settings: PrometheusServer,
    verdicts: MutableMapping[str, FileVerdict],
    tell: Callable[[str], None],
) -> UnitJob | None:
    """What is asked of virtual time, if anything is; ``verdicts`` on rule files get those on files of unit tests."""
    rules = unit_rules.read([unit for unit, _ in asked], root)
    loaded: Mapping[str, FileVerdict] = dict(verdicts)
    for unit, _ in asked:
        verdicts[unit.path] = FileVerdict(unit.path, error=broken(unit, rules, loaded))
    tests = tuple((unit, group) for unit, groups in asked for group in groups)
    return UnitJob(settings, tests, rules, loaded, tell) if tests else None
