"""Which backend runs the servers: `process` or `docker`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from pytest_sre.errors import StackError
from pytest_sre.settings import Servers
from pytest_sre.stack import process
from pytest_sre.stack.backend import Stack


def open_stack(
    servers: Servers, folder: Path, *, keep: bool, tell: Callable[[str], None]
) -> AbstractContextManager[Stack]:
    """A stack on the backend that the settings name, or on the one that works here.

    ``auto`` takes what is named by image or binary; else Docker where an engine answers and has or can get the
    images; else the binaries. Raises StackError that names all ways when none works.
    """
    if servers.backend == "process" or (servers.backend == "auto" and _only_binaries(servers)):
        return process.open_stack(servers, folder, keep=keep)
    # docker and testcontainers take a quarter of a second to import.
    from pytest_sre.stack import docker

    trouble = docker.trouble(servers, tell)
    if not trouble:
        return docker.open_stack(servers, folder, keep=keep, tell=tell)
    if servers.backend == "docker" or _only_images(servers):
        raise StackError(trouble)
    try:
        process.find_binaries(servers)
    except StackError as error:
        raise StackError(f"{error} Or run them in containers, which does not work here: {trouble}") from None
    return process.open_stack(servers, folder, keep=keep)


def _only_binaries(servers: Servers) -> bool:
    return bool(_binaries(servers)) and not _images(servers)


def _only_images(servers: Servers) -> bool:
    return bool(_images(servers)) and not _binaries(servers)


def _binaries(servers: Servers) -> str | None:
    return servers.prometheus.binary or servers.alertmanager.binary or servers.prometheus.promtool


def _images(servers: Servers) -> str | None:
    return servers.prometheus.image or servers.alertmanager.image
