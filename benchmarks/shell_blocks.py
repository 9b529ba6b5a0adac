"""Does our parser agree with bash about what is bash?

python benchmarks/shell_blocks.py [--show] [--mutants N] FOLDER

Every bash, sh and shell block of all pages below FOLDER is normalised, then given to `bash -n` (which parses and
runs nothing) and to the parser that RB201 uses. Mutants are blocks that parse, with one character deleted.
"""

from __future__ import annotations

import argparse
import random
import subprocess
from collections import Counter
from pathlib import Path

from pytest_sre.checks.runbooks.bash import first_error
from pytest_sre.checks.runbooks.scripts import script
from pytest_sre.sources.runbook import parse_runbook

LANGUAGES = ("bash", "sh", "shell")
MARKS = "\"'`(){}[]|;&$\\"


def main() -> None:
    """Print how often the two agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--show", action="store_true", help="print what they disagree on")
    options = parser.parse_args()
    texts = _texts(options.folder)
    _compare("blocks", texts, options.show)
    _compare(
        "mutants", _mutants([one for one in texts if first_error(one) is None], options.mutants), options.show
    )


def _texts(folder: Path) -> list[str]:
    pages = (parse_runbook(path.read_text("utf-8")) for path in sorted(folder.rglob("*.md")))
    return [script(block).text for page in pages for block in page.blocks if block.language in LANGUAGES]


def _mutants(texts: list[str], count: int) -> list[str]:
    chosen = random.Random(1)
    made = []
    for _ in range(count):
        text = chosen.choice(texts)
        spots = [place for place, char in enumerate(text) if char in MARKS]
        if spots:
            at = chosen.choice(spots)
            made.append(text[:at] + text[at + 1 :])
    return made


def _compare(name: str, texts: list[str], show: bool) -> None:
    seen: Counter[tuple[bool, bool]] = Counter()
    for text in texts:
        judge = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode == 0
        ours = first_error(text) is None
        seen[judge, ours] += 1
        if show and judge != ours:
            print(f"--- bash: {judge}, ours: {ours}\n{text}")
    agreed = seen[True, True] + seen[False, False]
    print(
        f"{name}: {agreed} of {seen.total()} agree; bash parses {seen[True, True] + seen[True, False]}, of which"
        f" ours rejects {seen[True, False]}; bash rejects {seen[False, True] + seen[False, False]}, of which ours"
        f" lets {seen[False, True]} pass"
    )


if __name__ == "__main__":
    main()
