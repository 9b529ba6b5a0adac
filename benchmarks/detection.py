"""The SRE Workbook's detection table and its other figures, on virtual time: ours beside the exact value.

    python benchmarks/detection.py [--servers SUITE]

Prints Markdown; ends with status 1 when a cell is off by more than one evaluation interval.
Source of the table: https://sre.google/workbook/alerting-on-slos/ (chapter 5), at an objective of 99.9 % over 30 days.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from running import find_servers

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule, RuleFile
from pytest_sre.model.slo import Slo, detection, reset
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promql.selector import selector
from pytest_sre.settings import Servers
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack import process
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.slo import at_ratio
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker, Question
from pytest_sre.timemachine.schedule import Schedule

INTERVAL = 15.0
LOOKBACK = 300.0
SECONDS = {"m": 60.0, "h": 3600.0, "d": 86400.0}
COLUMNS = (("10m", 1.0), ("36h", 1.0), ("1h", 36.0), ("1h", 14.4), ("6h", 6.0), ("3d", 1.0))
ROWS = (1.0, 0.15, 0.02, 0.01, 0.002)
SLO = Slo(
    "workbook", 99.9, 30 * 86400.0,
    selector('requests_total{job="shop",code=~"5.."}'), None, selector('requests_total{job="shop"}'),
    Location("sre.yaml", 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One figure: ``burn`` and ``recovery`` in seconds (None: as long as the alert can take to notice)."""

    alert: str
    ratio: float
    burn: float | None = None
    recovery: float = 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the chapter's text: what it says, the exact value in seconds (None: never), what is read off."""

    text: str
    asked: Asked
    exact: float | None
    read: str = "fired"


FIGURES = (
    Figure("36h@1, outage: fires", Asked("Burn36hAt1", 1.0, 150.0, 37 * 3600.0), detection(SLO, 1.0, 36 * 3600.0, 1.0)),
    Figure("36h@1, outage of 2.5 minutes: clears after", Asked("Burn36hAt1", 1.0, 150.0, 37 * 3600.0), 36 * 3600.0 - 129.6, "reset"),
    Figure("1h@36 at 35x: fires", Asked("Burn1hAt36", 0.035), None),
    Figure("1h@36, outage of 2.5 minutes: clears after", Asked("Burn1hAt36", 1.0, 150.0, 4000.0), 3600.0 - 129.6, "reset"),
    Figure("1h/5m@14.4, 15 % for 10 minutes: fires", Asked("Fast", 0.15, 600.0, 4500.0), detection(SLO, 0.15, 3600.0, 14.4)),
    Figure("1h/5m@14.4, 15 % for 10 minutes: clears after", Asked("Fast", 0.15, 600.0, 4500.0), reset(SLO, 0.15, 300.0, 14.4), "reset"),
    Figure("1h@14.4 alone, 15 % for 10 minutes: clears after", Asked("Burn1hAt14_4", 0.15, 600.0, 4500.0), 3600.0 - 345.6, "reset"),
)  # fmt: skip


def rules() -> RuleFile:
    """One alert for each column, and the Workbook's two windows."""

    def ratio(window: str) -> str:
        return (
            f'sum(rate(requests_total{{job="shop",code=~"5.."}}[{window}])) '
            f'/ sum(rate(requests_total{{job="shop"}}[{window}]))'
        )

    lines = ["groups:", "  - name: workbook", f"    interval: {INTERVAL:g}s", "    rules:"]
    for window, burn in COLUMNS:
        lines += [
            f"      - alert: {named(window, burn)}",
            f"        expr: {ratio(window)} > {burn:g} * 0.001",
        ]
    fast = f"{ratio('1h')} > 14.4 * 0.001 and {ratio('5m')} > 14.4 * 0.001"
    lines += ["      - alert: Fast", f"        expr: {fast}"]
    return parse_rule_file("workbook.yml", "\n".join(lines) + "\n")


def named(window: str, burn: float) -> str:
    """The name of a column's alert."""
    return f"Burn{window}At{burn:g}".replace(".", "_")


def seconds(window: str) -> float:
    """Seconds of a window."""
    return float(window[:-1]) * SECONDS[window[-1]]


def questions(asked: Sequence[Asked], file: RuleFile) -> Iterator[Question]:
    """The scenarios of these figures."""
    index = RuleIndex(())
    now = float(int(time.time()))
    asker = Asker(Schedule([file], {}, index), LOOKBACK, now)
    made: dict[str, tuple[Rule, Contrast]] = {}
    for number, rule in enumerate(file.alerts):
        found = contrast(rule, index, types={}, now=now, lookback=LOOKBACK, serial=str(number))
        assert isinstance(found, Contrast), found
        made[rule.name] = (rule, found)
    for one in asked:
        rule, found = made[one.alert]
        behaviours = at_ratio(found, SLO, one.ratio, well=0.0)
        assert behaviours is not None
        question = asker.at_ratio(rule, found, behaviours, SLO, one.ratio)
        if one.burn is not None:
            question = replace(question, burn=one.burn, recovery=one.recovery)
        yield question


def main() -> int:
    """Ask, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default="bookworm")
    suite = find_servers(parser.parse_args().servers)
    binaries = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
    return run(Servers.model_validate({key: {"binary": str(suite / name)} for key, name in binaries.items()}))


def run(servers: Servers) -> int:
    """Print all figures; returns 1 when one is off."""
    file = rules()
    cells = [Asked(named(*column), ratio) for ratio in ROWS for column in COLUMNS]
    asked = list(questions([*cells, *(figure.asked for figure in FIGURES)], file))
    schedule = Schedule([file], {}, RuleIndex(()))
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        process.open_stack(servers, Path(folder), keep=False) as stack,
    ):
        version = stack.versions["prometheus"]
        with open_engine(stack, servers.prometheus, Path(folder) / "engine", "engine") as engine:
            machine = Machine(engine, schedule, AlertLabels(stack), LOOKBACK)
            passages = ask(machine, asked, lambda done, of: None)
    took = time.monotonic() - began
    print(f"Prometheus {version}, evaluation every {INTERVAL:g} s, {len(asked)} scenarios in {took:.1f} s\n")
    off = table(passages[: len(cells)]) + figures(passages[len(cells) :])
    print(f"\n{off} of {len(asked)} are off by more than one evaluation interval")
    return 1 if off else 0


def table(passages: Sequence[Passage | None]) -> int:
    """Print the table; returns how many cells are off."""
    print("| error ratio | " + " | ".join(f"{window}@{burn:g}" for window, burn in COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    off = 0
    for i, ratio in enumerate(ROWS):
        row = []
        for j, (window, burn) in enumerate(COLUMNS):
            exact = detection(SLO, ratio, seconds(window), burn)
            seen = passages[i * len(COLUMNS) + j]
            after = seen.fired if seen else None
            off += not near(after, exact)
            row.append(f"{shown(after)} ({shown(exact)})")
        print(f"| {100 * ratio:g} % | " + " | ".join(row) + " |")
    return off


def figures(passages: Sequence[Passage | None]) -> int:
    """Print the other figures; returns how many are off."""
    print("\n| figure | ours | exact |\n|---|---|---|")
    off = 0
    for figure, seen in zip(FIGURES, passages, strict=True):
        after = seen.fired if seen else None
        if figure.read == "reset" and seen and seen.recovery is not None:
            after = None if seen.ended is None else seen.ended - seen.recovery
        off += not near(after, figure.exact)
        print(f"| {figure.text} | {shown(after)} | {shown(figure.exact)} |")
    return off


def near(ours: float | None, exact: float | None) -> bool:
    """Whether ours is the exact value within one evaluation interval (and a millisecond)."""
    if ours is None or exact is None:
        return ours is exact
    return abs(ours - exact) <= INTERVAL + 0.001


def shown(value: float | None) -> str:
    """Seconds as the Workbook's table has them."""
    if value is None:
        return "never"
    for size, unit in ((3600.0, "h"), (60.0, "m")):
        if value >= size:
            return f"{value / size:.4g} {unit}"
    return f"{value:.3g} s"


if __name__ == "__main__":
    raise SystemExit(main())
