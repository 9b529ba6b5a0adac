"""The rule files that a file of unit tests names, whether the repository's inventory has them or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.rules import RuleFile
from pytest_sre.model.unittest import UnitFile
from pytest_sre.sources.rulefile import Broken, Skip, parse_rule_file

_OBJECT = re.compile(r"""^\s*["']?kind["']?\s*:\s*["']?PrometheusRule\b|"kind":\s*"PrometheusRule\"""", re.M)


@dataclass(frozen=True, slots=True, eq=False)
class UnitRules:
    """Rule files by path as shown, and what is wrong with those that can't be read."""

    files: Mapping[str, RuleFile]
    broken: Mapping[str, FileVerdict]


def read(units: Iterable[UnitFile], root: Path) -> UnitRules:
    """Read all rule files of these unit tests; raises nothing."""
    files: dict[str, RuleFile] = {}
    broken: dict[str, FileVerdict] = {}
    for path in dict.fromkeys(path for unit in units for path in unit.rule_files):
        try:
            text = (root / path).read_text("utf-8-sig")
            files[path] = parse_rule_file(path, text)
        except Skip as skip:
            if str(skip) == "no rule groups":  # promtool loads an empty file
                files[path] = RuleFile(path, ())
            else:
                broken[path] = FileVerdict(path, 1, str(skip))
        except Broken as error:
            broken[path] = FileVerdict(path, error.line, str(error))
        except (OSError, UnicodeDecodeError) as error:
            broken[path] = FileVerdict(path, 1, f"cannot be read: {error}")
    return UnitRules(files, broken)


def noted(unit: UnitFile, root: Path) -> UnitFile:
    """The file with a note for each of its rule files that promtool can't read: objects that wrap their groups."""
    notes = [
        Finding(
            "unit",
            Location(unit.path, 1),
            f"{path} is a PrometheusRule, which promtool cannot read",
            seen="promtool refuses this file of tests; it runs here",
            next_step="nothing, unless promtool must run it too",
            severity="warning",
        )
        for path in unit.rule_files
        if _OBJECT.search(_text(root / path))
    ]
    return replace(unit, notes=(*unit.notes, *notes))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
