"""One container: made without a way out, filled, followed, started."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_sre.stack.backend import Program
from pytest_sre.stack.docker_engine import Engine, engine_errors, image_name

# A name server that is nowhere (RFC 5737): engines before 26.1 look names up for internal networks on the host.
_NO_DNS = "192.0.2.1"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all containers of a stack have in common; ``home`` is their home folder."""

    network: str
    labels: Mapping[str, str]
    home: Path
    keep: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a container runs. ``entrypoint`` None: the image's own; ``leader``: whose process namespace it joins."""

    image: str
    command: Sequence[str]
    hostname: str
    entrypoint: str | None = None
    leader: str | None = None
    stdin: bool = False
    user: str | None = None
    ports: Mapping[int, tuple[str, None]] | None = None
    network: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """A server in a container, with what it takes to start it again."""

    name: str
    url: str
    container: str
    follower: Follower
    program: Program
    arguments: Callable[[str], list[str]]
    folder: Path

    def log(self) -> str:
        """Everything that it logged so far."""
        return self.follower.text()


def create(engine: Engine, around: Surroundings, recipe: Recipe) -> str:
    """Make a container that is removed as soon as it ends, with its volumes; returns its id. Raises StackError."""
    api, name = engine.api, image_name(recipe.image)
    with engine_errors(f"cannot make a container of {name}"):
        host_config = api.create_host_config(
            auto_remove=True,
            network_mode=recipe.network or around.network,
            dns=[_NO_DNS],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            # Elsewhere the engine's default driver might send the logs to somebody; we follow them ourselves.
            log_config={"Type": "json-file" if around.keep else "none"},
            port_bindings=dict(recipe.ports) if recipe.ports else None,
            **({"pid_mode": f"container:{recipe.leader}"} if recipe.leader else {}),
        )
        made = api.create_container(
            name,
            list(recipe.command),
            entrypoint=[recipe.entrypoint] if recipe.entrypoint else None,
            hostname=recipe.hostname,
            user=recipe.user,
            # With `detach` False its input ends when the connection to us does.
            stdin_open=recipe.stdin,
            detach=not recipe.stdin or around.keep,
            environment=_environment(str(around.home)),
            ports=list(recipe.ports or ()),
            labels=dict(around.labels),
            host_config=host_config,
            use_config_proxy=False,
        )
    return str(made["Id"])


def put(engine: Engine, container: str, archive: IO[bytes]) -> None:
    """Unpack a tar file at the container's `/`; raises StackError."""
    with archive, engine_errors("cannot copy files into a container"):
        engine.api.put_archive(container, "/", archive)


def leg(engine: Engine, container: str, network: str, key: str = "IPAddress") -> str:
    """Its address in a network, or another detail of its leg there; empty when it has ended. Raises StackError."""
    with engine_errors("cannot look a container up"):
        networks = engine.api.inspect_container(container)["NetworkSettings"]["Networks"]
        return str(networks.get(network, {}).get(key, ""))


class Follower:
    """Collects what a container prints, from before it starts: with it, the engine's own log is gone."""

    def __init__(self, engine: Engine, container: str, path: Path | None = None) -> None:
        self._parts: list[bytes] = []
        self._path = path
        with engine_errors("cannot follow a container's output"):
            self._stream = engine.api.attach(container, stdout=True, stderr=True, stream=True)
        self._thread = threading.Thread(target=self._follow, name="sre-log", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the engine or the run folder went away
            for part in self._stream:
                self._parts.append(part)
                if self._path is not None:
                    with self._path.open("ab") as out:
                        out.write(part)
        hang_up(self._stream)

    def text(self) -> str:
        """What it printed so far."""
        return b"".join(self._parts).decode("utf-8", "replace")

    def ended(self, timeout: float = 0.0) -> bool:
        """Whether the container has ended; waits up to ``timeout`` seconds for it."""
        self._thread.join(timeout)
        return not self._thread.is_alive()


def _environment(home: str) -> dict[str, str]:
    """PATH stays the image's."""
    empty = {name: "" for proxy in _PROXIES for name in (proxy, proxy.lower())}
    return {
        **empty,
        "HOME": home,
        "TMPDIR": home,
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def attached_input(engine: Engine, container: str) -> Any:
    """A connection to a container's input, which ends when this process does; raises StackError."""
    with engine_errors("cannot attach to a container"):
        return engine.api.attach_socket(container, params={"stdin": 1, "stream": 1})


def hang_up(attached: Any) -> None:
    """Close a connection that the SDK handed out; it offers no other way that leaves no socket open."""
    with contextlib.suppress(OSError, ValueError):
        attached._response.close()
