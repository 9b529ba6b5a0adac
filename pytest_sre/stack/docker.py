"""Backend `docker`: servers in containers that never outlive us and have no way out. Light to import."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_sre.errors import StackError
from pytest_sre.settings import Servers
from pytest_sre.stack import docker_host

if TYPE_CHECKING:
    from pytest_sre.stack.docker_stack import DockerStack, Images

PROMETHEUS_IMAGE = "prom/prometheus:v3.5.0"
ALERTMANAGER_IMAGE = "prom/alertmanager:v0.28.1"


def trouble(servers: Servers, tell: Callable[[str], None]) -> str:
    """Why containers can't be used here; empty when they can. Images that are missing are pulled."""
    if not docker_host.addresses():
        return docker_host.NO_ENGINE
    # docker and testcontainers take a quarter of a second to import.
    from pytest_sre.stack import docker_engine

    try:
        with docker_engine.connected() as engine:
            images = _images(servers)
            for image in (images.prometheus, images.alertmanager):
                engine.provide(image, tell)
            if servers.docker.sink == "relay":
                engine.provide(images.relay, tell)
    except StackError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def open_stack(
    servers: Servers, folder: Path, *, keep: bool, tell: Callable[[str], None]
) -> Iterator[DockerStack]:
    """A stack of containers; unless it is kept, all are removed with it. Raises StackError."""
    from pytest_sre.stack import docker_engine, docker_reap, docker_stack

    with docker_engine.connected() as engine:
        docker_reap.reap(engine)
        with docker_stack.opened(engine, _images(servers), servers.docker.sink, folder, keep, tell) as stack:
            yield stack


def _images(servers: Servers) -> Images:
    from pytest_sre.stack.docker_stack import Images

    return Images(
        servers.prometheus.image or PROMETHEUS_IMAGE,
        servers.alertmanager.image or ALERTMANAGER_IMAGE,
        servers.docker.relay_image,
    )
