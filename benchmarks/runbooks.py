"""What the checks of runbooks find in real pages.

python benchmarks/runbooks.py [--show ID] FOLDER...

Each folder in a FOLDER is a corpus of its own. All its pages are audited as they are, without alerts.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_sre.checks.runbooks import PAGE_CHECKS
from pytest_sre.checks.runbooks.audit import audit
from pytest_sre.checks.runbooks.case import PageCase, parts_of
from pytest_sre.model.finding import Finding
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.runbook_library import Library, Unreadable
from pytest_sre.sources.runbook_settings import Runbooks


def main() -> None:
    """Print hits per check and corpus; with ``--show`` each hit of one check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--show", default="")
    options = parser.parse_args()
    corpora = [one for folder in options.folders for one in sorted(folder.iterdir()) if one.is_dir()]
    for corpus in corpora:
        began = time.process_time()
        pages = sorted(path.resolve() for path in corpus.rglob("*.md"))
        found = list(findings(corpus.resolve(), pages))
        took = time.process_time() - began
        hits = Counter({check.ID: 0 for check in PAGE_CHECKS}) + Counter(one.check for one in found)
        told = "  ".join(f"{check} {count}" for check, count in sorted(hits.items()))
        print(f"{corpus.name}: {len(pages)} pages in {took:.2f} s   {told}")
        for one in found:
            if one.check == options.show:
                print(f"  {one.location}: {one.summary}" + (f" | {one.seen}" if one.seen else ""))


def findings(corpus: Path, pages: list[Path]) -> Iterator[Finding]:
    """All findings of a corpus."""
    file = SreYaml(runbooks=Runbooks())
    settings = Settings(root=corpus, folder=corpus, search=corpus, file=file)
    library, inventory = Library(file.runbooks, corpus, corpus), discover(settings)
    for path in pages:
        try:
            page = library.page(path)
        except Unreadable as error:
            print(f"  {path}: {error}")
            continue
        yield from audit(PageCase(page, parts_of(page, ()), library, file, inventory), PAGE_CHECKS)


if __name__ == "__main__":
    main()
