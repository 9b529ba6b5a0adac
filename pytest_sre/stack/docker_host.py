"""Where a container engine may answer: found without importing anything heavy and without connecting."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

CONFIGURED = ""
NO_ENGINE = (
    "no container engine: DOCKER_HOST is not set, no Docker context is chosen, and there is no socket of Docker "
    "or Podman (`systemctl --user start podman.socket` makes one)."
)


def addresses() -> list[str]:
    """Addresses to try, best first; ``CONFIGURED`` stands for what DOCKER_HOST or a Docker context names."""
    if os.environ.get("DOCKER_HOST") or _context() or _testcontainers_host():
        return [CONFIGURED]
    return [f"unix://{path}" for path in dict.fromkeys(_sockets()) if os.path.exists(path)]


def in_container() -> bool:
    """Whether we run in a container ourselves, such as a CI job's: then `localhost` is not the engine's machine."""
    marks = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")
    return any(os.path.exists(mark) for mark in marks)


def _context() -> bool:
    """Whether a Docker context other than the default one is chosen."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    chosen = os.environ.get("DOCKER_CONTEXT")
    with contextlib.suppress(OSError, ValueError, AttributeError):
        chosen = chosen or json.loads((folder / "config.json").read_text("utf-8")).get("currentContext")
    return bool(chosen) and chosen != "default"


def _testcontainers_host() -> bool:
    """Whether testcontainers' own properties name an engine."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = (Path.home() / ".testcontainers.properties").read_text("utf-8")
        return any(line.strip().startswith("tc.host") for line in text.splitlines())
    return False


def _sockets() -> Iterator[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    yield "/var/run/docker.sock"
    yield f"{runtime}/docker.sock"
    yield str(Path.home() / ".docker/run/docker.sock")
    yield f"{runtime}/podman/podman.sock"
    yield "/run/podman/podman.sock"
