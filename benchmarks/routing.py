"""What label sets cost on the largest routing tree of a corpus: wall time, CPU time and memory, as a row of a table."""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
import threading
import time
from pathlib import Path

import psutil
from running import REPO, resident

from pytest_sre.errors import FileError, UserError
from pytest_sre.live.page import Office
from pytest_sre.live.routed import routed
from pytest_sre.model.routing import Route, Routing, preorder
from pytest_sre.settings import AlertmanagerServer, Servers
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.stack.process import open_stack


def label_sets(root: Route, count: int) -> list[dict[str, str]]:
    """Made from the tree's own matchers, so that they reach all of it; the number tells them apart."""
    chance = random.Random(6)
    matchers = [matcher for route in preorder(root) for matcher in route.matchers]
    made = []
    for number in range(count):
        chosen = chance.sample(matchers, k=min(4, len(matchers)))
        labels = {one.label: chance.choice(one.value.split("|")).strip("()^$.*+") for one in chosen}
        made.append({"alertname": "Any", **labels, "number": str(number)})
    return made


def largest(folder: Path) -> Routing:
    """The configuration with the most routes, whatever folder it is in; what cannot be read is passed over."""
    found = []
    for path in sorted(folder.rglob("*.y*ml")):
        with contextlib.suppress(FileError, UserError):
            found.append(parse_routing(path.name, str(path.parent), path.read_text("utf-8")))
    return max(found, key=lambda one: len(list(preorder(one.root))))


def row(routing: Routing, programs: Path, count: int) -> str:
    """Route the label sets once; memory is the largest seen, Alertmanager's the sum less our own at that time."""
    me, peak, over = psutil.Process(), [0, 0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            own = me.memory_info().rss
            peak[:] = max(peak[0], own), max(peak[1], resident(me) - own)

    sets = label_sets(routing.root, count)
    prometheus = {"binary": str(programs / "prometheus"), "promtool": str(programs / "promtool")}
    alertmanager = {"binary": str(programs / "prometheus-alertmanager")}
    servers = Servers.model_validate(
        {"backend": "process", "prometheus": prometheus, "alertmanager": alertmanager}
    )
    with tempfile.TemporaryDirectory() as name, open_stack(servers, Path(name), keep=False) as stack:
        office = Office(stack, AlertmanagerServer(), routing, Path(name), False)
        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.monotonic()
        ends = routed(office, sets)
        wall = time.monotonic() - began
        over.set()
        watcher.join()
        version = stack.versions["alertmanager"]
    used = {number for numbers in ends for number in numbers}
    routes = len(list(preorder(routing.root)))
    cells = [version, routing.path, routes, len(sets), len(used), f"{wall:.2f}", f"{len(sets) / wall:.0f}"]
    return "| " + " | ".join(map(str, [*cells, *(f"{size / 2**20:.0f}" for size in peak)])) + " |"


def main() -> None:
    """Print a row for each suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=REPO.parent / "shared" / "corpora" / "alertmanager")
    parser.add_argument("--servers", type=Path, default=REPO / ".cache" / "servers")
    parser.add_argument("--count", type=int, default=1000, help="label sets")
    parser.add_argument("suites", nargs="*", default=["bookworm", "trixie", "forky"])
    given = parser.parse_args()
    print("| Alertmanager | tree | routes | label sets | routes reached | wall s | per s | MiB | its MiB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for suite in given.suites:
        programs = given.servers / suite / "usr" / "bin"
        print(row(largest(given.corpus), programs, given.count), flush=True)


if __name__ == "__main__":
    main()
