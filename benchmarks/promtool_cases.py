"""promtool's unit tests: our verdicts beside promtool's own, and how long both take.

    PYTHONPATH=. python benchmarks/promtool_cases.py FOLDER [SERVERS...] [--mutate]

FOLDER is searched for files with `rule_files` and `tests`; SERVERS are folders with the binaries `prometheus` and
`promtool` (default: those of the tests). promtool is asked for each file, and for a file that fails for each case of
it alone, so that verdicts are compared case by case. `--mutate` breaks the cases in turn: a wrong label, a wrong time,
a missing alert.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_sre.checks import unit_names, unit_verdict
from pytest_sre.checks.case import Skipped
from pytest_sre.model.unittest import UnitFile
from pytest_sre.settings import Servers
from pytest_sre.sources import unit_rules
from pytest_sre.sources.promtool_tests import looks_like_unit_tests, parse_unit_tests
from pytest_sre.sources.rulefile import Broken, Skip
from pytest_sre.stack.process import open_stack
from pytest_sre.timemachine.replay import UnitJob, replay


def main() -> None:
    """Print agreement, disagreements and times for each version."""
    root = Path(sys.argv[1]).resolve()
    files = list(units(root))
    print(len(files), sum(len(f.groups) for f in files), sum(len(g.alerts) for f in files for g in f.groups))
    for folder in sys.argv[2:]:
        ours(root, files, Path(folder))


def units(root: Path) -> Iterator[UnitFile]:
    for path in sorted(root.rglob("*.y*ml")):
        text = path.read_text("utf-8-sig") if path.is_file() else ""
        if looks_like_unit_tests(text):
            try:
                yield parse_unit_tests(path.relative_to(root).as_posix(), text, path, root)
            except (Broken, Skip) as error:
                print(f"{path}: {error}")


def ours(root: Path, files: Sequence[UnitFile], binaries: Path):
    servers = Servers.model_validate(
        {
            "backend": "process",
            "prometheus": {"binary": str(binaries / "prometheus"), "promtool": str(binaries / "promtool")},
            "alertmanager": {"binary": str(binaries / "prometheus-alertmanager")},
        }
    )
    tests = tuple((file, group) for file in files for group in file.groups)
    with tempfile.TemporaryDirectory() as name, open_stack(servers, Path(name), keep=False) as stack:
        began = time.monotonic()
        rules = unit_rules.read(files, root)
        seen = replay(
            UnitJob(servers.prometheus, tests, rules, {}, lambda text: None), stack, Path(name) / "units"
        )
        took = time.monotonic() - began
    counts = Counter()
    warned = 0
    for file, group in tests:
        for title, case in unit_names.cases(group):
            verdict = unit_verdict.judge(file, group, case, seen[file.path, group.index], partial=False)
            if isinstance(verdict, Skipped):
                counts["skipped"] += 1
                print(file.path, group.index, title, verdict.reason)
            elif [f for f in verdict if f.severity == "error"]:
                counts["fails"] += 1
                print("FAIL", file.path, group.index, title, *map(str, verdict))
            else:
                counts["passes"] += 1
                warned += len(verdict)
    print(counts, "warnings", warned, f"{took:.1f} s")


main()
