"""Images of the server pairs that scripts/images made, and what is ours on the engine."""

from __future__ import annotations

import fcntl
import functools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
from servers import PAIRS, Pair, unavailable

from pytest_sre.settings import AlertmanagerServer, Docker, PrometheusServer, Servers
from pytest_sre.stack import docker as backend
from pytest_sre.stack import docker_reap
from pytest_sre.stack.docker_stack import DockerStack

RELAY_IMAGE = "pytest-sre/python:3"


@dataclass(frozen=True, slots=True)
class ImagePair:
    """A Prometheus and an Alertmanager image; ``suite`` is the server pair with the same programs."""

    suite: str
    prometheus: str
    alertmanager: str

    @property
    def pair(self) -> Pair:
        """The same programs as processes; skips the test where they are missing."""
        found = next((pair for pair in PAIRS if pair.name == self.suite), None)
        if found is None:
            unavailable(f"no servers of {self.suite}")
        assert found is not None
        return found

    @property
    def options(self) -> tuple[str, ...]:
        """The command line options that make the plugin use these images."""
        return (
            "--sre-backend=docker",
            f"--sre-prometheus-image={self.prometheus}",
            f"--sre-alertmanager-image={self.alertmanager}",
            f"--sre-relay-image={RELAY_IMAGE}",
        )

    def servers(self, sink: str = "auto", **images: str) -> Servers:
        """The same as settings; other ``prometheus``, ``alertmanager`` or ``relay`` images can be given."""
        return Servers(
            backend="docker",
            docker=Docker(sink=sink, relay_image=images.get("relay", RELAY_IMAGE)),  # type: ignore[arg-type]
            prometheus=PrometheusServer(image=images.get("prometheus", self.prometheus)),
            alertmanager=AlertmanagerServer(image=images.get("alertmanager", self.alertmanager)),
        )


IMAGES = tuple(
    ImagePair(suite, f"pytest-sre/prometheus:{prometheus}", f"pytest-sre/alertmanager:{alertmanager}")
    for suite, prometheus, alertmanager in (
        ("bookworm", "2.42", "0.25"),
        ("trixie", "2.53-distroless", "0.28-distroless"),
        ("forky", "3.5", "0.33"),
    )
)
PLAIN = IMAGES[0]


@functools.cache
def trouble() -> str:
    """Why no containers can run here; empty when they can."""
    for images in IMAGES:
        if reason := backend.trouble(images.servers("relay"), lambda _: None):
            return f"{reason} Run scripts/images."
    return ""


@contextmanager
def engine() -> Iterator[Any]:
    """The Docker SDK's client of the engine that tests use."""
    client = docker.from_env()
    try:
        yield client.api
    finally:
        client.close()


def require() -> None:
    """Skips the test where no engine or no image is; in CI fails it."""
    if reason := trouble():
        unavailable(reason)


def left(under: Path) -> list[str]:
    """Containers and networks of runs whose folders are below a folder."""
    with engine() as api:
        mine = {"label": docker_reap.FOLDER}
        things = [*api.containers(all=True, filters=mine), *api.networks(filters=mine)]
        return [str(thing) for thing in things if thing["Labels"][docker_reap.FOLDER].startswith(f"{under}/")]


def remove(under: Path) -> None:
    """Remove what a kept stack left."""
    with engine() as api:
        for container in api.containers(all=True, filters={"label": docker_reap.FOLDER}):
            if container["Labels"][docker_reap.FOLDER].startswith(f"{under}/"):
                with suppress(docker.errors.APIError):  # the engine is removing it
                    api.remove_container(container["Id"], v=True, force=True)
        for network in api.networks(filters={"label": docker_reap.FOLDER}):
            if network["Labels"][docker_reap.FOLDER].startswith(f"{under}/"):
                _remove_network(api, network["Id"])


def _remove_network(api: Any, name: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(docker.errors.APIError):
            api.remove_network(name)
            return
        time.sleep(0.1)


@contextmanager
def stack(servers: Servers, folder: Path, keep: bool = False) -> Iterator[DockerStack]:
    """A stack in a folder that no other run takes for that of a dead one."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with backend.open_stack(servers, folder, keep=keep, tell=print) as opened:
            yield opened


def environment(temporary: Path) -> dict[str, str]:
    """Environment of a run that keeps its folders in one place."""
    return {**os.environ, "TMPDIR": str(temporary)}
