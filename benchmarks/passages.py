"""Alerts of rule folders through virtual time: `python benchmarks/passages.py [--servers SUITE] [--show] FOLDER...`.

Each folder is a repository of its own. Counts, by kind of scenario, what alerts did: quiet just below the threshold and
before a burn, fired in it, ended after it; `--show` lists those that did something else, with the reason.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from slos import find_servers

from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Servers, Settings, SreYaml
from pytest_sre.sources.discover import Inventory, discover
from pytest_sre.stack import process
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker, Question
from pytest_sre.timemachine.schedule import Schedule

LOOKBACK = 300.0


def main() -> None:
    """One row a folder, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default="bookworm")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("folders", type=Path, nargs="+")
    arguments = parser.parse_args()
    suite = find_servers(arguments.servers)
    binaries = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
    servers = Servers.model_validate({key: {"binary": str(suite / name)} for key, name in binaries.items()})
    names = ("alerts", "no data", "burn ok", "burn not", "near ok", "near not")
    print(f"| corpus | {' | '.join(names)} | s |\n|---{'|---:' * (len(names) + 1)}|")
    total: Counter[str] = Counter()
    for folder in sorted(arguments.folders):
        began = time.monotonic()
        count = Counter(run(folder.resolve(), servers, arguments.show))
        total.update(count)
        print(row(folder.name, count, names, time.monotonic() - began), flush=True)
    print(row("all", total, names, 0.0))


def row(name: str, count: Counter[str], names: tuple[str, ...], seconds: float) -> str:
    """A row of the table."""
    return f"| {name} | {' | '.join(str(count[key]) for key in names)} | {seconds:.1f} |"


def run(folder: Path, servers: Servers, show: bool) -> Iterator[str]:
    """What to count: each alert, and what each scenario gave."""
    inventory = discover(Settings(root=folder, folder=folder, search=folder, file=SreYaml(metrics=())))
    groups = [group for file in inventory.rule_files for group in file.groups]
    index = RuleIndex(
        inventory.rules, {rule: group.interval or 60.0 for group in groups for rule in group.rules}
    )
    asker = Asker(Schedule(inventory.rule_files, {}, index), LOOKBACK, float(int(time.time())))
    asked: list[Question] = []
    for number, rule in enumerate(rule for file in inventory.rule_files for rule in file.alerts):
        yield "alerts"
        found = contrast(rule, index, types={}, now=asker.now, lookback=LOOKBACK, serial=str(number))
        if isinstance(found, Contrast):
            asked += asker.plain(rule, found)
        else:
            yield "no data"
    for question, passage in zip(asked, passages(inventory, servers, asker, asked), strict=True):
        trouble = wrong(passage)
        if trouble and show:
            print(f"  {question.rule.location} {question.rule.name} [{question.kind}]: {trouble}")
        yield f"{question.kind} {'not' if trouble else 'ok'}"


def passages(
    inventory: Inventory, servers: Servers, asker: Asker, asked: list[Question]
) -> list[Passage | None]:
    """What the real engine says."""
    with (
        tempfile.TemporaryDirectory() as base,
        process.open_stack(servers, Path(base), keep=False) as stack,
        open_engine(stack, servers.prometheus, Path(base, "engine"), "engine") as engine,
    ):
        machine = Machine(engine, asker.schedule, AlertLabels(stack), LOOKBACK)
        return ask(machine, asked, lambda done, of: None)


def wrong(passage: Passage | None) -> str:
    """What is not as it should be; nothing where all is well."""
    if passage is None:
        return "no room in the past"
    if passage.error:
        return passage.error
    if passage.early is not None:
        return "fires too early"
    if passage.kind == "burn" and passage.fired is None:
        return "does not fire" + ("" if passage.pending is None else f", pending after {passage.pending:g} s")
    return "does not end" if passage.kind == "burn" and passage.ended is None else ""


if __name__ == "__main__":
    main()
