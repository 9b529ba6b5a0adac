"""Exported scenarios under every promtool: `python benchmarks/export.py [--count N] [--servers SUITE] CORPUS...`.

Takes N alerts, spread over the corpora (folders of rule files), exports their scenarios with the promtool of one suite,
runs the promtool of all suites over the files, and prints a Markdown table, what failed, and what was left out and why.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from pytest_sre.model.export import Export
from pytest_sre.model.rules import Rule
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promtool.document import Context
from pytest_sre.promtool.export import Exporter, export
from pytest_sre.promtool.write import check, write
from pytest_sre.settings import Servers, Settings, SreYaml
from pytest_sre.sources.discover import Inventory, discover
from pytest_sre.stack import process
from pytest_sre.stack.backend import Stack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine.question import Question, questions
from pytest_sre.timemachine.schedule import Schedule

REPO = Path(__file__).resolve().parent.parent
LOOKBACK = 300.0
VERSIONS = {"bookworm": "2.42", "trixie": "2.53", "forky": "3.5"}


def spread(inventories: Sequence[Inventory], count: int) -> list[list[Rule]]:
    """For each inventory its share of the alerts: one of each in turn, and so of their files."""
    queues = [_mixed([file.alerts for file in one.rule_files]) for one in inventories]
    taken: list[list[Rule]] = [[] for _ in queues]
    turns = chain.from_iterable(zip_longest(*([(n, rule) for rule in some] for n, some in enumerate(queues))))
    for turn in [one for one in turns if one][:count]:
        taken[turn[0]].append(turn[1])
    return taken


def _mixed(parts: Sequence[Sequence[Rule]]) -> list[Rule]:
    return [rule for rule in chain.from_iterable(zip_longest(*parts)) if rule is not None]


def exported(
    inventory: Inventory, alerts: Sequence[Rule], stack: Stack, folder: Path, scratch: Path
) -> Export:
    """Export some alerts into a folder."""
    index = RuleIndex(inventory.rules)
    schedule = Schedule(inventory.rule_files, inventory.prometheus.globals, index)
    now = float(int(time.time()))
    asked: list[Question] = []
    missing: dict[Rule, str] = {}
    for serial, rule in enumerate(alerts):
        found = contrast(rule, index, types={}, now=now, lookback=LOOKBACK, serial=str(serial))
        if isinstance(found, Contrast):
            asked += questions(rule, found, schedule, LOOKBACK, now)
        else:
            missing[rule] = found.reason
    check(folder)
    external = inventory.prometheus.globals.get("external_labels") or {}
    exporter = Exporter(stack, inventory, schedule, Context(external), folder, scratch, lambda text: None)
    made = export(exporter, asked, missing)
    write(folder, made.files)
    return made


def verdicts(promtool: Path, files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """What one promtool says of each file: empty, or its words."""
    for path in files:
        done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)
        yield path, (done.stderr.strip() or "failed") if done.returncode else ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path, metavar="CORPUS")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--servers", default="bookworm", choices=VERSIONS, help="whose promtool exports")
    parser.add_argument("--into", type=Path, help="keep the files in this folder")
    return parser.parse_args()


def main() -> int:
    """Export, run, print; 1 where anything that was written fails."""
    options = _options()
    root = Path(os.environ.get("PYTEST_SRE_SERVERS", REPO / ".cache" / "servers"))
    programs = root / options.servers / "usr" / "bin"
    servers = Servers.model_validate(
        {
            "prometheus": {"binary": str(programs / "prometheus"), "promtool": str(programs / "promtool")},
            "alertmanager": {"binary": str(programs / "prometheus-alertmanager")},
        }
    )
    folders = [path.resolve() for path in options.corpora]
    inventories = [
        discover(Settings(root=one, folder=one, search=one, file=SreYaml(metrics=()))) for one in folders
    ]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        into = options.into or Path(temporary, "into")
        made = []
        with process.open_stack(servers, Path(temporary), keep=False) as stack:
            for number, (one, alerts) in enumerate(
                zip(inventories, spread(inventories, options.count), strict=True)
            ):
                target = into / f"{number}-{folders[number].name}"
                if alerts:
                    made.append(exported(one, alerts, stack, target, Path(temporary, str(number))))
        took = time.monotonic() - began
        return _report(root, into, made, took)


def _report(root: Path, into: Path, made: Sequence[Export], took: float) -> int:
    files = sorted(into.rglob("*.test.yml"))
    tests = sum(one.scenarios for one in made)
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{tests} scenarios in {len(files)} files ({size:.1f} MB), exported in {took:.0f} s\n")
    print("| promtool | files that pass | that fail | seconds |\n|---|---:|---:|---:|")
    broken: list[str] = []
    for suite, version in VERSIONS.items():
        began = time.monotonic()
        told = list(verdicts(root / suite / "usr" / "bin" / "promtool", files))
        failed = [(path, text) for path, text in told if text]
        broken += [f"{version} {path.relative_to(into)}:\n{text[:1500]}" for path, text in failed]
        print(f"| {version} | {len(told) - len(failed)} | {len(failed)} | {time.monotonic() - began:.0f} |")
    print("\n| left out because | scenarios |\n|---|---:|")
    for reason, count in Counter(_kind(lost.reason) for one in made for lost in one.left_out).most_common():
        print(f"| {reason} | {count} |")
    print("", *broken, sep="\n")
    return 1 if broken else 0


def _kind(reason: str) -> str:
    """A reason without what differs from alert to alert."""
    return re.sub(r"\b(?:\d+[smhd])+\b|\d+", "N", reason)[:100]


if __name__ == "__main__":
    sys.exit(main())
