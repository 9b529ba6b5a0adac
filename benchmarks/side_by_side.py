"""Do runs disturb each other? `python benchmarks/side_by_side.py [--times N] [--servers SUITE] [BACKEND...]`.

Runs `pytest --sre-alerts -n 2` twice at the same time on the example, N times on each backend, compares the verdicts
with those of a run alone, and prints what is left: processes, folders, containers, networks, volumes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from running import find_servers
from slos import options_of

REPO = Path(__file__).resolve().parent.parent
Verdicts = tuple[int, tuple[str, ...]]


def copy_example(into: Path) -> Path:
    """The example with what it refers to."""
    for name in ("examples/shop", "runbooks", "fixtures"):
        shutil.copytree(
            REPO / name, into / name, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache")
        )
    return into / "examples" / "shop"


def run(folder: Path, temporary: Path, servers: Path, options: list[str]) -> Verdicts:
    """Exit status and, sorted, which alert notified whom."""
    report = folder / "seen.json"
    report.unlink(missing_ok=True)
    pytest = str(Path(sys.executable).with_name("pytest"))
    command = [
        pytest,
        "--sre-alerts",
        "-n",
        "2",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--sre-json={report}",
        *options,
    ]
    path = f"{servers}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TMPDIR": str(temporary)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode or not report.exists():
        print(done.stdout[-3000:], done.stderr[-1000:], file=sys.stderr)
        return done.returncode, ()
    return 0, tuple(sorted(_notified(json.loads(report.read_text()))))


def _notified(report: Any) -> Iterator[str]:
    for alert in report["stacks"][0]["alerts"]:
        for one in alert["notifications"]:
            yield f"{alert['alert']} → {one['receiver']}/{one['integration']}"


def left(temporary: Path, volumes: set[str]) -> list[str]:
    """What is still there of runs that kept their files in a folder."""
    found = [
        str(path) for path in temporary.iterdir() if not path.name.startswith("pytest-of-")
    ]  # pytest's own
    for process in psutil.process_iter(["pid", "cmdline"]):
        if any(str(temporary) in word for word in process.info["cmdline"] or ()):
            found.append(f"process {process.info['pid']}: {' '.join(process.info['cmdline'])[:120]}")
    listed = ("ps", "-a", "--no-trunc"), ("network", "ls", "--no-trunc")
    for command in listed:
        lines = docker(*command, "--format", "{{.ID}} {{.Labels}}")
        found += [f"{command[0]} {line}" for line in lines if str(temporary) in line]
    return found + [f"volume {name}" for name in set(docker("volume", "ls", "-q")) - volumes]


def docker(*arguments: str) -> list[str]:
    """Lines that the docker client prints; none where there is no client or no engine."""
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return []


def rounds(backend: str, times: int, suite: str, servers: Path) -> int:
    """Prints a row of the table; returns how many runs differed, plus how many things were left."""
    options = options_of(backend, suite)
    volumes = set(docker("volume", "ls", "-q"))
    with tempfile.TemporaryDirectory(prefix="side-") as base:
        folders = [copy_example(Path(base, name)) for name in ("one", "two")]
        temporary = Path(base, "tmp")
        temporary.mkdir()
        alone = run(folders[0], temporary, servers, options)
        differing = 0
        begun = time.monotonic()
        for _ in range(times):
            with ThreadPoolExecutor(2) as pool:
                both = pool.map(lambda folder: run(folder, temporary, servers, options), folders)
                differing += sum(verdicts != alone or not verdicts[1] for verdicts in both)
        seconds = (time.monotonic() - begun) / times
        rest = left(temporary, volumes)
    print(
        f"| {backend} | {2 * times} | {differing} | {len(rest)} | {seconds:.1f} |",
        *rest,
        sep="\n",
        flush=True,
    )
    return differing + len(rest)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backends", metavar="BACKEND", nargs="*", default=["process", "gateway", "relay"])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--servers", metavar="SUITE", default="bookworm", help="bookworm, trixie or forky")
    options = parser.parse_args()
    servers = find_servers(options.servers)
    print("| backend | runs, two at a time | other verdicts | left behind | s per pair |")
    print("|---|---:|---:|---:|---:|")
    return min(1, sum(rounds(one, options.times, options.servers, servers) for one in options.backends))


if __name__ == "__main__":
    sys.exit(main())
