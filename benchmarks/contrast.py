"""For how many alerts there are healthy, near and burning data, how fast, and whether a real Prometheus agrees.

python benchmarks/contrast.py DIR... [--verify N] [--show N] [--bin FOLDER]

Each folder of a DIR (or the DIR itself, where it has none) is a repository of rules. `--verify N` asks a real
Prometheus about N alerts of each: quiet on healthy and near data, not quiet on burning data.
"""

from __future__ import annotations

import argparse
import collections
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from contrast_prometheus import Question, wrong
from synthesis import load

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.promql.ast import Binary, Call, Expr, walk
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.shape import fold, shape_of

LOOKBACK = 300.0
START = 1_000_000_000.0
"""Seconds since the epoch of the first alert's data; those of the next lie later."""
_SIMPLE = frozenset(
    {"rate", "increase", "irate", "histogram_quantile", "avg_over_time", "clamp_min", "clamp_max"}
)


@dataclass
class Tally:
    """What became of the distinct expressions of one repository."""

    name: str
    alerts: int = 0
    impossible: int = 0
    unfired: collections.Counter[str] = field(default_factory=collections.Counter)
    unhealthy: list[Rule] = field(default_factory=list)
    made: list[Question] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    plain: int = 0
    plain_near: int = 0
    plain_without: list[tuple[Rule, str]] = field(default_factory=list)

    def __str__(self) -> str:
        healthy = len(self.made)
        fire = healthy + len(self.unhealthy)
        near = sum(question.contrast.near is not None for question in self.made)
        return (
            f"{self.name}: {self.alerts} expressions, {fire} fire, {healthy} healthy ({share(healthy, fire)}), "
            f"{near} near ({share(near, healthy)}), {self.plain_near} of {self.plain} plain ones near "
            f"({share(self.plain_near, self.plain)}), {self.impossible} impossible, {sum(self.unfired.values())} without data; "
            f"median {1000 * statistics.median(self.took or [0]):.1f} ms, mean {1000 * statistics.mean(self.took or [0]):.1f} ms"
        )

    def add(self, alert: Rule, rules: RuleIndex, now: float) -> float:
        """Contrast one alert; the seconds that its data reach back."""
        self.alerts += 1
        begun = time.perf_counter()
        found = contrast(alert, rules, types={}, now=now, lookback=LOOKBACK, serial=str(self.alerts))
        self.took.append(time.perf_counter() - begun)
        if isinstance(found, Impossible):
            self.impossible += 1
        elif isinstance(found, NotSynthesised) and found.reason.startswith("fires on healthy"):
            self.unhealthy.append(alert)
        elif isinstance(found, NotSynthesised):
            self.unfired[found.reason[:40]] += 1
        else:
            self.made.append(Question(found, now))
            self._plain(found)
            return max((read.reach for read in found.shape.reads), default=0.0)
        return 0.0

    def _plain(self, found: Contrast) -> None:
        if plain(found):
            self.plain += 1
            self.plain_near += found.near is not None
            if found.near is None:
                self.plain_without.append((found.shape.rule, found.near_reason))


def share(part: int, whole: int) -> str:
    """A percentage."""
    return f"{part / max(1, whole):.1%}"


def plain(found: Contrast) -> bool:
    """Whether an alert is a threshold, a ratio or a burn rate: comparisons with constants other than 0, and no flags."""
    nodes = [node for expr in found.shape.exprs for node in walk(expr)]
    calls = all(node.name in _SIMPLE for node in nodes if isinstance(node, Call))
    flags = any(name.endswith(("up", "_info", "probe_success")) for name in found.shape.raw)
    return calls and not flags and _compared(found.shape.expr)


def _compared(expr: Expr) -> bool:
    if not isinstance(expr, Binary):
        return False
    if expr.op in ("and", "or"):
        return _compared(expr.lhs) and _compared(expr.rhs)
    return expr.op in (">", "<", ">=", "<=") and fold(expr.rhs) not in (None, 0.0)


def measure(folder: Path, show: int) -> Tally:
    """Contrast every distinct expression below a folder."""
    rules = load(folder)
    index = RuleIndex(rules)
    distinct = {rule.expr: rule for rule in rules if rule.kind == "alert"}
    tally, now = Tally(folder.name), START
    for alert in distinct.values():
        reach = max((read.reach for read in shape_of(alert, index).reads), default=0.0)
        now += 1.2 * (reach + LOOKBACK) + 3600
        tally.add(alert, index, float(round(now)))
    print(tally, flush=True)
    for alert in tally.unhealthy[:show]:
        print(f"  fires on healthy data: {alert.name} {alert.location}\n    {alert.expr[:400]}")
    for alert, reason in tally.plain_without[:show]:
        print(f"  not near: {alert.name} {alert.location}: {reason}\n    {alert.expr[:400]}")
    return tally


def folders(given: list[Path]) -> list[Path]:
    """The repositories."""
    return [folder for one in given for folder in (sorted(p for p in one.iterdir() if p.is_dir()) or [one])]


def main() -> None:
    """Measure each repository and all together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--verify", type=int, default=0)
    parser.add_argument("--bin", type=Path, default=Path("/usr/bin"), help="of prometheus and promtool")
    options = parser.parse_args()
    every = Tally("all")
    disagreeing = asked = 0
    for folder in folders(options.folders):
        tally = measure(folder, options.show)
        for name in ("alerts", "impossible", "plain", "plain_near"):
            setattr(every, name, getattr(every, name) + getattr(tally, name))
        every.unfired += tally.unfired
        every.unhealthy += tally.unhealthy
        every.made += tally.made
        every.took += tally.took
        if options.verify and tally.made:
            sample = random.Random(1).sample(tally.made, min(options.verify, len(tally.made)))
            found = wrong(sample, RuleIndex(load(folder)), options.bin)
            disagreeing, asked = disagreeing + len(found), asked + len(sample)
            for question, state, problem in found:
                rule = question.contrast.shape.rule
                print(
                    f"  real Prometheus on {state} data: {rule.name} {rule.location}: {problem}\n    {rule.expr[:500]}"
                )
    print(every)
    print(
        "near:",
        dict(collections.Counter(q.contrast.near_reason or "there" for q in every.made).most_common()),
    )
    print("without data:", dict(every.unfired.most_common()))
    if options.verify:
        print(f"real Prometheus: {disagreeing} disagreements on {asked} alerts")


if __name__ == "__main__":
    main()
