"""The rule files that a file of unit tests names, whether the repository's inventory has them or not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.rules import RuleFile
from pytest_sre.model.unittest import UnitFile
from pytest_sre.sources.rulefile import Broken, Skip, parse_rule_file

_OBJECT = re.compile(r"""^\s*["']?kind["']?\s*:\s*["']?PrometheusRule\b|"kind":\s*"PrometheusRule\"""", re.M)


@dataclass(frozen=True, slots=True, eq=False)
class UnitRules:
    """Rule files by path as shown; ``objects`` are those that promtool can't read, as they wrap their groups."""

    files: Mapping[str, RuleFile]
    broken: Mapping[str, FileVerdict]
    objects: frozenset[str]


def read(units: Iterable[UnitFile], root: Path) -> UnitRules:
    """Read all rule files of these unit tests; raises nothing."""
    files: dict[str, RuleFile] = {}
    broken: dict[str, FileVerdict] = {}
    objects = set()
    for path in dict.fromkeys(path for unit in units for path in unit.rule_files):
        try:
            text = (root / path).read_text("utf-8-sig")
            files[path] = parse_rule_file(path, text)
            objects |= {path} if _OBJECT.search(text) else set()
        except Skip as skip:
            if str(skip) == "no rule groups":  # promtool loads an empty file
                files[path] = RuleFile(path, ())
            else:
                broken[path] = FileVerdict(path, 1, str(skip))
        except Broken as error:
            broken[path] = FileVerdict(path, error.line, str(error))
        except (OSError, UnicodeDecodeError) as error:
            broken[path] = FileVerdict(path, 1, f"cannot be read: {error}")
    return UnitRules(files, broken, frozenset(objects))
