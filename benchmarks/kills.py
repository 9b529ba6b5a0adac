"""Kills runs at random moments, then lets one run end by itself, and prints what is left of all of them.

    python benchmarks/kills.py --kills 100 --side-by-side 4 -- --sre-backend=process
    python benchmarks/kills.py --kills 100 -- --sre-backend=docker --sre-docker-sink=relay --sre-prometheus-image=…

What follows `--` are options of pytest-sre. Ends with status 1 when anything is left.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import docker.errors
import psutil

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop"
LABEL = "pytest-sre.folder"
PATIENCE = 20.0  # seconds until the kernel and the engine have ended what they were told to


def main() -> int:
    """Kill, run once more, look."""
    arguments = _arguments()
    before = {kind: look() for kind, look in _looks(Path("/nowhere")).items()}
    with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
        looks = _looks(Path(temporary))
        with ThreadPoolExecutor(arguments.side_by_side) as pool:
            ended = pool.map(lambda _: _kill_one(temporary, arguments), range(arguments.kills))
            print(f"{arguments.kills} runs killed, {sum(ended)} more had ended before")
        for kind, look in looks.items():
            print(f"before the next run: {len(look() - before[kind])} {kind}")
        status = _run(temporary, arguments.options).wait()
        print(f"the next run ended with {status}")
        left = [_told(kind, look, before[kind]) for kind, look in looks.items()]
        return int(any(left) or status != 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--side-by-side", type=int, default=4)
    parser.add_argument(
        "--longest", type=float, default=12.0, help="seconds after which a run is killed at the latest"
    )
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


def _run(temporary: str, options: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--sre-alerts", *options]
    nothing = subprocess.DEVNULL
    return subprocess.Popen(
        command,
        cwd=SHOP,
        env={**os.environ, "TMPDIR": temporary},
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
    )


def _kill_one(temporary: str, arguments: argparse.Namespace) -> int:
    """Start runs until one has been killed; how many ended by themselves before."""
    ended = 0
    while _kill(random.uniform(0.3, arguments.longest), temporary, arguments.options):
        ended += 1
    return ended


def _kill(moment: float, temporary: str, options: list[str]) -> bool:
    """Start a run and kill it after some seconds; whether it had ended before."""
    run = _run(temporary, options)
    try:
        run.wait(moment)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        return False
    return True


def _told(kind: str, look: Callable[[], set[str]], before: set[str]) -> bool:
    """Whether anything is left after some patience; prints it."""
    deadline = time.monotonic() + PATIENCE
    while (left := look() - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    print(f"left: {len(left)} {kind}", *sorted(left), sep="\n  " if left else "")
    return bool(left)


def _looks(temporary: Path) -> dict[str, Callable[[], set[str]]]:
    return {
        "processes": lambda: _processes(temporary),
        "containers": lambda: _engine("containers", temporary),
        "networks": lambda: _engine("networks", temporary),
        "volumes": lambda: _engine("volumes", temporary),
        "temporary files": lambda: set(map(str, temporary.glob("*"))),
        "listening ports": lambda: _ports(temporary),
    }


def _processes(temporary: Path) -> set[str]:
    """Servers by their arguments, in containers too; runs by their environment."""
    found = set()
    for process in psutil.process_iter(["pid", "name"]):
        if _is_ours(process, temporary):
            found.add(f"{process.pid} {process.name()}")
    return found


def _is_ours(process: psutil.Process, temporary: Path) -> bool:
    try:
        return str(temporary) in " ".join(process.cmdline()) or process.environ().get("TMPDIR") == str(
            temporary
        )
    except psutil.Error:
        return False


def _engine(kind: str, temporary: Path) -> set[str]:
    """What is on the engine, where there is one; volumes have no label of ours."""
    if not shutil.which("docker") and not os.environ.get("DOCKER_HOST"):
        return set()
    try:
        client = docker.from_env()
    except docker.errors.DockerException:
        return set()
    try:
        if kind == "volumes":
            return {one["Name"] for one in client.api.volumes()["Volumes"] or ()}
        mine = {"filters": {"label": LABEL}}
        things = (
            client.api.networks(**mine) if kind == "networks" else client.api.containers(all=True, **mine)
        )
        return {
            f"{one['Id'][:12]} {one.get('State', '')}"
            for one in things
            if one["Labels"][LABEL].startswith(f"{temporary}/")
        }
    finally:
        client.close()


def _ports(temporary: Path) -> set[str]:
    """Ports that our processes listen on, the engine does for a container, or nobody knows who."""
    found = set()
    for one in psutil.net_connections("tcp"):
        if one.status == psutil.CONN_LISTEN:
            process = psutil.Process(one.pid) if one.pid and psutil.pid_exists(one.pid) else None
            if process is None or process.name() == "docker-proxy" or _is_ours(process, temporary):
                found.add(f"{one.laddr.ip}:{one.laddr.port}")
    return found


if __name__ == "__main__":
    sys.exit(main())
