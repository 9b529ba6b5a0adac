"""Run pytest in a folder and watch what it costs, for other benchmarks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

REPO = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: wall and CPU time in seconds, CPU of everything it started included; memory in bytes.

    ``own`` is the CPU time of pytest alone, ``own_memory`` its memory. ``tail`` are the last lines that it printed.
    """

    wall: float
    cpu: float
    own: float
    memory: int
    own_memory: int
    outcomes: str
    status: int
    tail: str


def resident(process: psutil.Process) -> int:
    """Resident memory of a process and its descendants; pages that they share count for each."""
    total = 0
    for member in [process, *descendants(process)]:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def descendants(process: psutil.Process) -> Iterator[psutil.Process]:
    try:
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return


def measure(
    folder: Path, servers: Path | None, options: list[str], variables: Mapping[str, str] | None = None
) -> Cost:
    """Run pytest in the folder, with further environment variables, and watch it until it ends."""
    path = os.environ["PATH"] if servers is None else f"{servers}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **(variables or {}), "PATH": path}
    output = folder / "output.txt"
    pytest = str(Path(sys.executable).with_name("pytest"))
    command = [pytest, "--sre-alerts", "-q", "-p", "no:cacheprovider", *options]
    begun = time.monotonic()
    with output.open("w") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
        watched, memory, own, own_memory = psutil.Process(process.pid), 0, 0.0, 0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            memory = max(memory, resident(watched))
            own, own_memory = max(own, spent(watched)), max(own_memory, watched.memory_info().rss)
            time.sleep(0.1)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    usage, lines = ended[2], output.read_text().splitlines() or [""]
    summary = re.sub(r"[= ]*$|^[= ]*| in [\d.]+s.*$", "", lines[-1])
    cpu, tail = usage.ru_utime + usage.ru_stime, "\n".join(lines[-25:])
    return Cost(wall, cpu, own, memory, own_memory, summary, process.returncode, tail)


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process so far, without those that it started."""
    times = process.cpu_times()
    return times.user + times.system


def find_servers(suite: str) -> Path:
    """The folder with a Debian release's servers, as scripts/servers prints it."""
    printed = subprocess.run(
        [REPO / "scripts" / "servers"], check=True, capture_output=True, text=True
    ).stdout
    for line in printed.splitlines():
        if Path(line).parts[-3] == suite:
            return Path(line)
    raise SystemExit(f"scripts/servers has no {suite}: {printed}")
