"""Alerts against real metrics pages: `python benchmarks/snapshots.py [--servers SUITE] [--show] SRE_YAML...`.

Each file names `rules:` and `metrics:` of pages of healthy services. Counts the alerts that the pages can be asked about,
and what the checks `known` and `quiet` (on the pages) find in rules that nobody has broken: `--show` lists it to be judged.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from slos import find_servers

from pytest_sre.checks import known
from pytest_sre.checks.case import Case
from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import Servers, Settings, read_sre_yaml
from pytest_sre.sources.discover import Inventory, discover
from pytest_sre.stack import process
from pytest_sre.synthesis.real import NoReplay, World, replay
from pytest_sre.synthesis.shape import shape_of
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker
from pytest_sre.timemachine.schedule import Schedule

LOOKBACK = 300.0
COLUMNS = ("alerts", "asked", "fires", "known: errors", "known: warnings")


def main() -> None:
    """One row a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", default="bookworm")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    suite = find_servers(arguments.servers)
    print(f"| file | {' | '.join(COLUMNS)} | s |\n|---{'|---:' * (len(COLUMNS) + 1)}|")
    for file in arguments.files:
        began = time.monotonic()
        count = Counter(run(file.resolve(), suite, arguments.show))
        cells = " | ".join(str(count[key]) for key in COLUMNS)
        print(f"| {file.name} | {cells} | {time.monotonic() - began:.1f} |", flush=True)


def run(file: Path, suite: Path, show: bool) -> Iterator[str]:
    """What to count."""
    folder = file.parent
    settings = Settings(root=folder, folder=folder, search=folder, file=read_sre_yaml(file))
    inventory = discover(settings)
    alerts = [rule for one in inventory.rule_files for rule in one.alerts]
    yield from ["alerts"] * len(alerts)
    for rule in alerts:
        verdict = known.judge(Case(rule, None, {}, settings.file, inventory, str(folder)))
        for finding in verdict if isinstance(verdict, tuple) else ():
            if show:
                print(f"  {finding}")
            yield f"known: {finding.severity}s"
    for rule, passage in asked(inventory, alerts, suite, show):
        yield "asked"
        if passage is not None and passage.early is not None:
            yield "fires"
            if show:
                print(f"  {rule.location} {rule.name} fires on {passage.name}", *passage.why, sep="\n    ")


def asked(
    inventory: Inventory, alerts: list[Rule], suite: Path, show: bool
) -> list[tuple[Rule, Passage | None]]:
    """The alerts that can be asked, and what each did."""
    groups = [group for file in inventory.rule_files for group in file.groups]
    index = RuleIndex(
        inventory.rules, {rule: group.interval or 60.0 for group in groups for rule in group.rules}
    )
    asker = Asker(Schedule(inventory.rule_files, {}, index), LOOKBACK, float(int(time.time())))
    world = World(inventory.snapshots, asker.now)
    questions = [question for rule in alerts for question in asker.about_snapshots(rule, world)]
    if show:
        reasons = Counter(
            found.reason
            for rule in alerts
            if isinstance(found := replay(shape_of(rule, index), world, 3600.0), NoReplay)
        )
        for reason, times in reasons.most_common():
            print(f"  not asked, {times}: {reason}")
    binaries = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
    servers = Servers.model_validate({key: {"binary": str(suite / name)} for key, name in binaries.items()})
    with (
        tempfile.TemporaryDirectory() as base,
        process.open_stack(servers, Path(base), keep=False) as stack,
        open_engine(stack, servers.prometheus, Path(base, "engine"), "engine") as engine,
    ):
        machine = Machine(engine, asker.schedule, AlertLabels(stack), LOOKBACK)
        passages = ask(machine, questions, lambda done, of: None)
    return [(question.rule, passage) for question, passage in zip(questions, passages, strict=True)]


if __name__ == "__main__":
    main()
