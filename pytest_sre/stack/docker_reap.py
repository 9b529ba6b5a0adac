"""Labels on all that is ours, and the removal of what dead runs left."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docker.errors

from pytest_sre.stack.docker_engine import ENGINE_ERRORS, Engine, engine_errors
from pytest_sre.stack.folder import is_held, run_of

FOLDER = "pytest-sre.folder"
HOST = "pytest-sre.host"
CREATED = "pytest-sre.created"
FOREIGN_AGE = 24 * 3600.0  # seconds: whether runs of other machines live can't be seen from here
PATIENCE = 10.0  # seconds until a container that is being removed has left its network


def labels(folder: Path) -> dict[str, str]:
    """What tells later runs whose it is: the run folder, this machine, and when it was made."""
    return {FOLDER: str(run_of(folder)), HOST: host_identity(), CREATED: str(int(time.time()))}


def host_identity() -> str:
    """This machine since it was started, and what it sees as its file system (containers see another one)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/mnt')}"
    except OSError:
        return platform.node()


def reap(engine: Engine) -> None:
    """Remove containers, their volumes, and networks of runs that are dead; raises StackError."""
    mine = {"label": FOLDER}
    with engine_errors("cannot look for what earlier runs left"):
        for container in engine.api.containers(all=True, filters=mine):
            if _dead(container["Labels"]):
                remove_container(engine, container["Id"])
        for network in engine.api.networks(filters=mine):
            if _dead(network["Labels"]):
                remove_network(engine, network["Id"])


def _dead(carried: Mapping[str, str]) -> bool:
    if carried.get(HOST) == host_identity():
        return not is_held(Path(carried[FOLDER]))
    with contextlib.suppress(KeyError, ValueError):
        return time.time() - int(carried[CREATED]) > FOREIGN_AGE
    return False


def remove_container(engine: Engine, name: str) -> None:
    """End and remove a container with its volumes, or let the engine finish doing so."""
    _gone(lambda: engine.api.remove_container(name, v=True, force=True))


def remove_network(engine: Engine, name: str) -> None:
    """Remove a network as soon as its containers have left it."""
    deadline = time.monotonic() + PATIENCE
    while not _gone(lambda: engine.api.remove_network(name)) and time.monotonic() < deadline:
        time.sleep(0.05)


def _gone(remove: Callable[[], Any]) -> bool:
    """Whether it is removed, or the engine is no longer there to do it; another process may be doing it just now."""
    try:
        remove()
    except docker.errors.NotFound:
        return True
    except docker.errors.APIError:
        return False
    except ENGINE_ERRORS:
        return True
    return True
