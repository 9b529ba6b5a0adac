"""How many alerts of a folder of rules get series, how fast, and whether a real Prometheus agrees.

python benchmarks/synthesis.py DIR... [--verify] [--show N] [--bin FOLDER]
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from real_prometheus import disagreements

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Plan
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.synthesis.planner import plan


def load(folder: Path) -> list[Rule]:
    """All rules below a folder (or in a file)."""
    found: list[Rule] = []
    for path in sorted(folder.rglob("*.y*ml")) if folder.is_dir() else [folder]:
        parsed = parse_rule_file(str(path), path.read_text())
        found += [rule for group in parsed.groups for rule in group.rules]
    return found


def measure(folder: Path, show: int) -> tuple[Plan, RuleIndex]:
    """Plan every alert below a folder and print what became of them."""
    rules = load(folder)
    alerts = [rule for rule in rules if rule.kind == "alert"]
    begun = time.perf_counter()
    index = RuleIndex(rules)
    made = plan(alerts, index)
    took = time.perf_counter() - begun
    done = sum(len(batch.scenarios) for batch in made.batches)
    series = sum(len(batch.series) for batch in made.batches)
    samples = sum(len(s.samples) for batch in made.batches for s in batch.series)
    kinds = collections.Counter(type(item).__name__ for item in made.unproven)
    print(
        f"{folder.name}: {len(alerts)} alerts, {done} synthesised ({done / max(1, len(alerts)):.1%}), "
        f"{dict(kinds)}, {len(made.batches)} batches, {series} series, {samples} samples, "
        f"{took:.2f} s, {1000 * took / max(1, len(alerts)):.1f} ms/alert"
    )
    for item in made.unproven[:show]:
        print(
            f"  {type(item).__name__} {item.alert.name} {item.alert.location}: {item.reason}\n    {item.part[:300]}"
        )
    return made, index


def verify(made: Plan, index: RuleIndex, binaries: Path, show: int) -> None:
    """Let a real Prometheus judge every batch, and print where it disagrees."""
    wrong = [pair for batch in made.batches for pair in disagreements(batch, index, binaries)]
    print(f"  real Prometheus disagrees on {len(wrong)} of {sum(len(b.scenarios) for b in made.batches)}")
    for alert, problem in wrong[:show]:
        print(f"  {alert.name} {alert.location}: {problem}\n    {alert.expr[:400]}")


def main() -> None:
    """Measure each folder given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--verify", action="store_true")
    parser.add_argument(
        "--bin", type=Path, default=Path("/usr/bin"), help="folder of prometheus and promtool"
    )
    options = parser.parse_args()
    for folder in options.folders:
        made, index = measure(folder, options.show)
        if options.verify:
            verify(made, index, options.bin, options.show)


if __name__ == "__main__":
    main()
