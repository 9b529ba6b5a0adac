"""What the checks of runbooks find in real pages.

python benchmarks/runbooks.py [--show ID] [--sample N [--seed S] ID] FOLDER...

Each folder in a FOLDER is a corpus of its own. All its pages are audited as they are, without alerts. Prints hits per
check and corpus beside those of ../shared/RUNBOOK_CHECKS.md, and the time per 1,000 pages, parsing included; with
``--show`` each hit of a check, with ``--sample`` some of them with the lines around.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_sre.checks.runbooks import PAGE_CHECKS
from pytest_sre.checks.runbooks.audit import audit
from pytest_sre.checks.runbooks.case import PageCase, parts_of
from pytest_sre.model.finding import Finding
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.runbook_library import Library, Unreadable
from pytest_sre.sources.runbook_settings import Runbooks

COLUMNS = {
    "openshift-container-storage-operator": "F",
    "openshift-virtualization-operator": "K",
    "openshift": "O",
    "prometheus-operator": "P",
    "cnpg": "C",
    "stolostron": "S",
    "gitlab": "G",
}
"""A folder in a page's path → the column of the table; the first that fits."""

EXPECTED: dict[str, dict[str, int]] = {
    "pages": {"P": 108, "O": 107, "F": 75, "K": 76, "C": 16, "S": 61, "G": 333, "W": 137},
    "RB004": {"P": 9, "O": 2},
    "RB101": {"P": 63, "O": 10, "F": 15, "K": 4, "C": 0, "S": 16, "W": 9},
    "RB102": {"P": 25, "F": 1, "G": 17, "W": 6},
    "RB103": {"P": 9, "C": 3},
    "RB104": {"P": 5},
    "RB105": {"P": 1, "O": 6, "F": 4},
    "RB106": {"S": 4, "G": 32, "W": 5},
    "RB201": {"O": 9, "F": 8, "G": 16, "W": 4},
    "RB202": {"O": 21, "F": 1},
    "RB203": {"O": 5, "G": 5, "W": 36},
    "RB206": {"G": 5, "W": 8},
}
"""Hits by the table of ../shared/RUNBOOK_CHECKS.md; RB104: P's is 5 % of its pages."""

Found = tuple[str, Path, Finding]


def main() -> None:
    """Print the table, then what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("given", nargs="+", metavar="[ID] FOLDER")
    parser.add_argument("--show", default="", metavar="ID", help="print each hit")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N hits with their context")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    options = parser.parse_args()
    ids = [one for one in options.given if re.fullmatch(r"RB\d{3}", one)]
    folders = [Path(one) for one in options.given if one not in ids]
    corpora = [one.resolve() for folder in folders for one in sorted(folder.iterdir()) if one.is_dir()]
    began = time.process_time()
    pages: Counter[str] = Counter()
    found = [one for corpus in corpora for one in findings(corpus, pages)]
    took = time.process_time() - began
    table(found, pages)
    print(f"\n{took:.2f} s, {1000 * took / max(1, pages.total()):.2f} s per 1,000 pages")
    for check in filter(None, (options.show, *ids)):
        hits = [one for one in found if one[2].check == check]
        if options.sample:
            hits = random.Random(options.seed).sample(hits, min(options.sample, len(hits)))
        for _, file, hit in hits:
            show(file, hit, around=6 if options.sample else 0)


def findings(corpus: Path, pages: Counter[str]) -> Iterator[Found]:
    """All findings of a corpus, each with its column; counts its pages."""
    file = SreYaml(runbooks=Runbooks())
    settings = Settings(root=corpus, folder=corpus, search=corpus, file=file)
    library, inventory = Library(file.runbooks, corpus, corpus), discover(settings)
    for path in sorted(path.resolve() for path in corpus.rglob("*.md")):
        parts = path.relative_to(corpus.parent).parts
        column = next((letter for name, letter in COLUMNS.items() if name in parts), corpus.name)
        pages[column] += 1
        try:
            page = library.page(path)
        except Unreadable as error:
            print(f"  {path}: {error}")
            continue
        for one in audit(PageCase(page, parts_of(page, ()), library, file, inventory), PAGE_CHECKS):
            yield column, path, one


def table(found: Sequence[Found], pages: Mapping[str, int]) -> None:
    """A row per check, a column per corpus: hits, and those of the table in brackets."""
    hits: dict[str, Counter[str]] = defaultdict(Counter, {check.ID: Counter() for check in PAGE_CHECKS})
    for column, _, one in found:
        hits[one.check][column] += 1
    columns = sorted(pages, key=lambda name: (len(name) > 1, "POFKCSGW".find(name), name))
    print("hits (expected)".ljust(16), *(name.rjust(12) for name in columns))
    for row, counts in (("pages", pages), *sorted(hits.items())):
        told = (f"{counts.get(name, 0)} {_expected(row, name)}" for name in columns)
        print(row.ljust(16), *(one.rjust(12) for one in told))


def _expected(row: str, column: str) -> str:
    if len(column) > 1 or row not in EXPECTED:
        return "(-)"
    return f"({EXPECTED[row].get(column, 0)})"


def show(file: Path, hit: Finding, around: int) -> None:
    """One hit, with so many lines of the page before and after."""
    print(
        f"\n{file}:{hit.location.line}: {hit.severity}: {hit.summary} [{hit.check}]"
        + (f" | {hit.seen}" if hit.seen else "")
    )
    lines = file.read_text("utf-8", "replace").splitlines()
    start = max(0, hit.location.line - 1 - around)
    for number, line in enumerate(lines[start : hit.location.line + around], start + 1) if around else ():
        print(f"  {'>' if number == hit.location.line else ' '} {number:4} {line}")


if __name__ == "__main__":
    main()
