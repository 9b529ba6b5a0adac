"""How many alerts of real repositories fire, and are quiet on healthy data, with no configuration.

python benchmarks/corpus.py [--servers SUITE] [--together] [--sizes N...] [--show] [--show-impossible] FOLDER...

Each folder in a FOLDER is a repository of its own; a FOLDER without folders is one. Its rules are copied to a temporary
folder, where `pytest --sre-alerts -k "fires or quiet"` judges every alert by the real Prometheus.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from corpus_report import Spent, header, listed, row, without_texts
from corpus_tally import OTHER, Item, read, tally
from running import find_servers, measure

from pytest_sre.sources.rulefile import parse_rule_file

ITEMS = "items.jsonl"
NO_TESTS, TESTS_FAILED = 5, 1


def repositories(given: Sequence[Path]) -> list[Path]:
    """The repositories: the folders in each folder, or the folder itself."""
    return [one for folder in given for one in (_folders(folder) or [folder])]


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def rule_files(folder: Path) -> list[Path]:
    """All YAML files below a folder."""
    return sorted(path for path in folder.rglob("*.y*ml") if path.is_file())


def judge(
    name: str, files: Sequence[tuple[Path, Path]], servers: Path, options: Sequence[str]
) -> tuple[list[Item], Spent]:
    """Let pytest judge a repository that is made of these files, each with its path in it."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as temporary:
        folder = Path(temporary, "repository")
        for path, inside in files:
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / inside)
        (folder / "pytest.ini").write_text("[pytest]\n")
        given = ["--sre-backend=process", "-k", "fires or quiet", "-p", "corpus_items", *options]
        items = Path(temporary, ITEMS)
        paths = [str(Path(__file__).resolve().parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {"CORPUS_ITEMS": str(items), "PYTHONPATH": os.pathsep.join(paths)}
        cost = measure(folder, servers, given, variables)
        if cost.status not in (0, TESTS_FAILED, NO_TESTS):
            print(f"{name}: pytest ended with {cost.status}\n{cost.tail}", file=sys.stderr)
        found = [one for one in read(items, name) if one.check in ("fires", "quiet")]
    return found, Spent(cost.wall, cost.cpu, cost.memory)


def growing(files: Sequence[tuple[Path, Path]], sizes: Sequence[int]) -> Iterator[list[tuple[Path, Path]]]:
    """For each size as many files as hold so many alerts, taken at random, always in the same order."""
    mixed = random.Random(1).sample(list(files), len(files))
    counts = [_alerts(path) for path, _ in mixed]
    for size in sizes:
        total, some = 0, []
        for one, count in zip(mixed, counts, strict=True):
            if total < size:
                some.append(one)
                total += count
        yield some


def _alerts(path: Path) -> int:
    parsed = parse_rule_file(str(path), path.read_text(errors="replace"))
    return sum(rule.kind == "alert" for group in getattr(parsed, "groups", ()) for rule in group.rules)


def main() -> None:
    """A row for each repository and one for all, or a row for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", metavar="FOLDER", nargs="+", type=Path)
    parser.add_argument("--servers", metavar="SUITE", default="bookworm", help="bookworm, trixie or forky")
    parser.add_argument("--together", action="store_true", help="all of them as one repository")
    parser.add_argument("--sizes", metavar="N", nargs="+", type=int, help="files of so many alerts together")
    parser.add_argument("--show", action="store_true", help="list what does not fire, or is not quiet")
    parser.add_argument("--show-impossible", action="store_true", help="list what can never fire, and why")
    parser.add_argument("--items", metavar="FILE", type=Path, help="write a JSON line for each judged item")
    parser.add_argument("--option", action="append", default=[], help="a further option for pytest")
    options = parser.parse_args()
    servers, folders = find_servers(options.servers), repositories(options.folders)
    files = {one: [(path, path.relative_to(one)) for path in rule_files(one)] for one in folders}
    merged = [(path, one.name / inside) for one, some in files.items() for path, inside in some]
    runs = [(one.name, some) for one, some in files.items()]
    if options.together or options.sizes:
        runs = [("all", some) for some in growing(merged, options.sizes or [sys.maxsize])]
    every: list[Item] = []
    spent = Spent()
    print(header())
    for name, some in runs:
        items, cost = judge(name, some, servers, options.option)
        print(row(tally(name, items), cost), flush=True)
        every, spent = (items, cost) if options.sizes else ([*every, *items], spent + cost)
    if options.items:
        options.items.write_text("".join(json.dumps(asdict(one)) + "\n" for one in every))
    whole = tally("all", every)
    if len(runs) > 1 and not options.sizes:
        print(row(whole, spent))
    print(f"\n{whole.differing} expressions fare differently in different places.")
    causes = ("not synthesised", "always fires", OTHER) if options.show else ()
    print(f"{len(whole.without_texts)} fire, though a text of the alert does not render.")
    for line in listed(whole, (*causes, "impossible") if options.show_impossible else causes):
        print(line)
    for line in without_texts(whole) if options.show else ():
        print(line)


if __name__ == "__main__":
    main()
