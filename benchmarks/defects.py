"""Defects put into good rules one at a time: which share is found, and what is said of the untouched rules.

    python benchmarks/defects.py [REPOSITORY...] [--defects N] [--seed N] [--servers SUITE] [--show]

A REPOSITORY (default: both examples) has an `sre.yaml`, and should have snapshots of metrics and, where it has burn-rate
alerts, SLOs. Its unit tests are left out: they are the user's evidence, not ours. A defect counts as found where an item of an
alert that reads the changed rule, or of an SLO that it serves, fails and did not before; as `unproven` where an item that
was proven is skipped now; as `warned` where there is a new warning. Needs scripts/servers.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mutate import Defect, defects
from slos import find_servers

from pytest_sre.model.rules import Rule
from pytest_sre.promql.parse import parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources.rulefile import parse_rule_file

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Seeded:
    """A defect in a rule; ``reach`` are the names of the alerts and SLOs that it may show in."""

    rule: Rule
    defect: Defect
    reach: frozenset[str]


@dataclass
class Repository:
    """Rules, the SLOs' selectors by name, and what untouched rules give."""

    folder: Path
    rules: list[Rule]
    slos: dict[str, frozenset[str]]
    before: dict[str, str] = field(default_factory=dict)

    def seeds(self) -> list[Seeded]:
        """All defects that its rules can have."""
        index = RuleIndex(self.rules)
        alerts = [rule for rule in self.rules if rule.kind == "alert"]
        found = []
        for rule in self.rules:
            readers = [one for one in alerts if one is rule or rule in index.closure(one)]
            names = frozenset(one.name for one in readers)
            metrics = frozenset(name for one in readers for name in index.raw_names(one))
            served = {slo for slo, reads in self.slos.items() if reads & metrics}
            for defect in defects(parse(rule.expr)) if readers else ():
                found.append(Seeded(rule, defect, names | served))
        return found


def main() -> None:
    """Seed, run, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repositories", nargs="*", type=Path)
    parser.add_argument("--defects", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", default="bookworm")
    parser.add_argument("--show", action="store_true", help="list each defect and what became of it")
    options = parser.parse_args()
    paths = options.repositories or [ROOT / "examples" / name for name in ("shop", "fleet")]
    found: list[tuple[Seeded, str, list[str]]] = []
    for number, path in enumerate(paths):
        share = options.defects // len(paths) + (number < options.defects % len(paths))
        repository = opened(path.resolve())
        repository.before = run(repository, [], options.servers)
        alarms = sorted(item for item, outcome in repository.before.items() if outcome == "failed")
        print(
            f"{path.name}: {len(repository.before)} items of untouched rules, {len(alarms)} false alarms {alarms or ''}"
        )
        for batch in batches(chosen(repository.seeds(), share, options.seed)):
            after = run(repository, batch, options.servers)
            found += [(one, *verdict(one, repository.before, after)) for one in batch]
    report(found, options.show)


def opened(folder: Path) -> Repository:
    """Read a repository."""
    settings = yaml.safe_load((folder / "sre.yaml").read_text())
    files = sorted(path for pattern in settings["rules"] for path in folder.glob(pattern))
    parsed = [parse_rule_file(str(path.relative_to(folder)), path.read_text()) for path in files]
    slos = {
        slo["name"]: frozenset(
            selector.name
            for key in ("errors", "good", "total")
            if key in slo
            for selector in selectors(slo[key])
        )
        for slo in settings.get("slos", ())
    }
    return Repository(folder, [rule for one in parsed for group in one.groups for rule in group.rules], slos)


def chosen(seeds: Sequence[Seeded], count: int, seed: int) -> list[Seeded]:
    """As many of each kind as there are, as far as possible, over as many rules as possible."""
    kinds: dict[str, list[Seeded]] = defaultdict(list)
    for one in random.Random(seed).sample(seeds, len(seeds)):
        kinds[one.defect.kind].append(one)
    for some in kinds.values():
        seen: Counter[str] = Counter()
        ranks = {}
        for one in some:
            ranks[id(one)] = seen[one.rule.name]
            seen[one.rule.name] += 1
        some.sort(key=lambda one: ranks[id(one)])
    result: list[Seeded] = []
    while len(result) < count and any(kinds.values()):
        result += [some.pop(0) for some in kinds.values() if some][: count - len(result)]
    return result


def batches(seeds: Iterable[Seeded]) -> list[list[Seeded]]:
    """Defects that cannot be mistaken for each other go into one run."""
    found: list[list[Seeded]] = []
    for seed in seeds:
        free = (batch for batch in found if not any(seed.reach & other.reach for other in batch))
        batch = next(free, None)
        if batch is None:
            found.append([seed])
        else:
            batch.append(seed)
    return found


def run(repository: Repository, batch: Sequence[Seeded], suite: str) -> dict[str, str]:
    """Item (file, alert or SLO, check) -> passed, failed or skipped; warnings as items of their own."""
    with tempfile.TemporaryDirectory() as base:
        folder = copied(repository, batch, Path(base))
        xml = Path(base, "junit.xml")
        command = [
            sys.executable, "-m", "pytest", "--sre-alerts", "--sre-backend=process", "-q", "-p", "no:cacheprovider",
            f"--junitxml={xml}",
        ]  # fmt: skip
        path = f"{find_servers(suite)}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path}
        )
        if not xml.exists():
            raise SystemExit(f"pytest did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return {**outcomes(xml), **warned(done.stdout)}


def copied(repository: Repository, batch: Sequence[Seeded], base: Path) -> Path:
    """The repository with the defects, beside what it refers to by `../../`."""
    home = repository.folder.parent.parent
    for name in ("fixtures", "runbooks"):
        if (home / name).is_dir():
            shutil.copytree(home / name, base / name)
    folder = base / repository.folder.parent.name / repository.folder.name
    shutil.copytree(repository.folder, folder, ignore=shutil.ignore_patterns("tests", ".*"))
    for path in {seed.rule.location.path for seed in batch}:
        mine = {
            (one.rule.group, one.rule.name, one.rule.expr): one
            for one in batch
            if one.rule.location.path == path
        }
        documents = list(yaml.safe_load_all((folder / path).read_text()))
        for document in documents:
            put(document, mine)
        (folder / path).write_text(yaml.safe_dump_all(documents, sort_keys=False, width=1000))
    return folder


def put(document: Any, seeds: Mapping[tuple[str, str, str], Seeded]) -> None:
    """Replace the expressions of the rules with a defect."""
    for group in document.get("groups") or document["spec"]["groups"]:
        for rule in group["rules"]:
            seed = seeds.get((group["name"], rule.get("alert") or rule["record"], str(rule["expr"])))
            if seed is not None:
                rule["expr"] = to_text(seed.defect.expr)


def outcomes(xml: Path) -> dict[str, str]:
    """What pytest's own report says of each item."""
    found = {}
    for case in ElementTree.parse(xml).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return found


def warned(output: str) -> dict[str, str]:
    """The warnings of a run, each as an item."""
    lines = (line.strip() for line in output.splitlines())
    return {line.split(" [")[0]: "warned" for line in lines if "SreWarning" in line}


def verdict(seed: Seeded, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, list[str]]:
    """What became of a defect, and the items that show it."""
    mine = {item: outcome for item, outcome in after.items() if concerns(item, seed)}
    for wanted, name in (("failed", "found"), ("warned", "warned"), ("skipped", "unproven")):
        items = [item for item, outcome in mine.items() if outcome == wanted and before.get(item) != wanted]
        if items:
            return name, items
    return "missed", []


def concerns(item: str, seed: Seeded) -> bool:
    """Whether an item belongs to an alert or SLO that a defect may show in, or to the file that it is in."""
    parts = item.replace(".", "::").replace("/", "::").split("::")
    return any(name in part for part in parts for name in seed.reach)


def report(found: Sequence[tuple[Seeded, str, list[str]]], show: bool) -> None:
    """A row for each kind of defect."""
    names = ("found", "warned", "unproven", "missed")
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for seed, outcome, _ in found:
        kinds[seed.defect.kind][outcome] += 1
        kinds["all"][outcome] += 1
    print(f"\n| defect | seeded | {' | '.join(names)} |\n|---|{'---:|' * (len(names) + 1)}")
    for kind in [*sorted(kind for kind in kinds if kind != "all"), "all"]:
        count = kinds[kind]
        print(f"| {kind} | {sum(count.values())} | {' | '.join(str(count[name]) for name in names)} |")
    checks = Counter(
        item.rpartition("::")[2].partition("[")[0]
        for _, outcome, items in found
        if outcome == "found"
        for item in set(items)
    )
    print(f"\nfailing items by check: {dict(checks.most_common())}")
    for seed, outcome, items in found:
        if show or outcome != "found":
            place = f"{seed.rule.location} {seed.rule.name}"
            print(f"{outcome}: {seed.defect.kind} ({seed.defect.what}) in {place}: {', '.join(items[:4])}")


if __name__ == "__main__":
    main()
