"""Runs `pytest --sre-alerts` as users do: in a process of its own, on real servers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import Pair

# Ids may hold blanks: sre.yaml::checkout-availability::policy[1h page]
_OUTCOME = "(?P<outcome>PASSED|FAILED|SKIPPED|ERROR)"
_ITEM = re.compile(rf"(?P<node>\S+?::.+?) {_OUTCOME}( |$)")
_WORKERS_ITEM = re.compile(rf"\[gw\d+\] .*?{_OUTCOME} (?P<node>\S+?::.+?) *$")  # of pytest-xdist


SUMMARY = "-- pytest-sre --+\n" + " .*\n".join(
    (
        "loads",
        "unit",
        "fires",
        "pages",
        "quiet",
        "detects",
        "resolves",
        "steady",
        "runbook",
        "known",
        "policy ",
    )
)
"""How the summary of the example begins: each check's count."""


@dataclass(frozen=True)
class Result:
    """How a run ended: exit status, all it printed, outcome by node id, observations (None: not written; a list
    where there are several stacks), and the whole JSON report.
    """

    status: int
    output: str
    outcomes: Mapping[str, str]
    seen: Any
    report: Any

    def failed(self) -> set[str]:
        """Node ids of items that failed or had an error."""
        return {node for node, outcome in self.outcomes.items() if outcome in ("FAILED", "ERROR")}

    def message(self, node: str) -> str:
        """The failure text of an item."""
        names = node.split("::")
        title = f"{names[0]}" if len(names) == 2 else "::".join(names[1:])
        _, _, rest = self.output.partition(f" {title} __")
        return rest.partition("\n____")[0].partition("\n----")[0]


def command(pair: Pair, *options: str) -> list[str]:
    """The command line of a run on a server pair."""
    return [
        sys.executable,
        "-m",
        "pytest",
        "--sre-alerts",
        *pair.options,
        "-v",
        "-p",
        "no:cacheprovider",
        *options,
    ]


def run(folder: Path, pair: Pair, *options: str, env: Mapping[str, str] | None = None) -> Result:
    """Run in a folder and read what came out."""
    report = folder.parent / "seen.json"
    report.unlink(missing_ok=True)
    environment = {**os.environ, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    environment.pop("CI", None)  # pytest shortens nothing then, and neither must a user's terminal
    done = subprocess.run(
        command(pair, f"--sre-json={report}", *options),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    outcomes = {}
    for line in done.stdout.splitlines():
        if found := _ITEM.match(line) or _WORKERS_ITEM.match(line):
            outcomes[found["node"]] = found["outcome"]
    written = json.loads(report.read_text()) if report.exists() else {"stacks": [None]}
    stacks = written["stacks"]
    seen = stacks[0] if len(stacks) == 1 else stacks
    return Result(done.returncode, done.stdout + done.stderr, outcomes, seen, written)


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replace a text that must be there."""
    text = path.read_text()
    assert text.count(old) >= count, f"{old!r} is not {count} times in {path}"
    path.write_text(text.replace(old, new, count) if count else text.replace(old, new))
