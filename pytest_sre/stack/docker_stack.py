"""The stack in containers: see `backend.Stack`.

One container, the anchor, comes first: it runs promtool, which waits for its input from us. The others share its
process namespace, so the kernel ends them all as soon as we are gone, and the engine removes them. Each promtool of
the run is another process in the anchor.
"""

from __future__ import annotations

import contextlib
import ipaddress
import platform
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import requests

from pytest_sre.errors import StackError
from pytest_sre.stack import backend, docker_container, docker_reap, docker_tar, docker_way
from pytest_sre.stack.backend import START_TIMEOUT, Program, log_tail
from pytest_sre.stack.docker_container import Follower, Recipe, Server, Surroundings
from pytest_sre.stack.docker_engine import Engine, engine_errors
from pytest_sre.stack.docker_way import Way
from pytest_sre.stack.folder import run_of
from pytest_sre.stack.sink import Sink

PROMTOOL_TIMEOUT = 600.0  # seconds
SILENT_TRIES = 3
ENDING_TIMEOUT = 5.0  # seconds until the last output of a removed container has come
_PORTS: Mapping[Program, int] = {"prometheus": 9090, "alertmanager": 9093}
_BUILDS: Mapping[Program, tuple[str, tuple[str, ...]]] = {
    "prometheus": ("/api/v1/status/buildinfo", ("data", "version")),
    "alertmanager": ("/api/v2/status", ("versionInfo", "version")),
}
# The engine's machine then has no address in the network, so its services can't be reached. Podman does so anyway.
_NO_GATEWAY = {"com.docker.network.bridge.inhibit_ipv4": "true"}
# It reads its input to the end: the only way to make an image without a shell wait.
_WAIT = ("check", "metrics")

Choice = Literal["auto", "gateway", "relay"]


@dataclass(frozen=True, slots=True)
class Images:
    """Names of images."""

    prometheus: str
    alertmanager: str
    relay: str


@contextlib.contextmanager
def opened(
    engine: Engine,
    images: Images,
    choice: Choice,
    folder: Path,
    keep: bool,
    tell: Callable[[str], None],
) -> Iterator[DockerStack]:
    """A network without a way out, the anchor in it, and a way to the sink that was tried; raises StackError."""
    (folder / "home").mkdir(exist_ok=True)
    stack = DockerStack(engine, images, keep, folder)
    complete = False
    try:
        choice = stack.open(choice)
        with docker_way.opened(stack, choice, images.relay, tell) as stack.way:
            complete = True
            yield stack
    finally:
        if not (keep and complete):
            stack.close()


@dataclass(slots=True, eq=False)
class DockerStack:
    """See `backend.Stack`."""

    engine: Engine
    images: Images
    keep: bool
    folder: Path
    way: Way = field(init=False)
    around: Surroundings = field(init=False)
    anchor: str = ""
    closed: bool = False
    _input: Any = None
    _versions: dict[str, str] = field(default_factory=dict)
    _networks: list[str] = field(default_factory=list)
    _containers: list[str] = field(default_factory=list)
    _started: list[Server] = field(default_factory=list)
    _running: list[Server] = field(default_factory=list)
    _removing: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, choice: Choice) -> Choice:
        """Make the network and start the anchor; returns what is left to choose from. Raises StackError."""
        name = f"pytest-sre-{run_of(self.folder).name}-{secrets.token_hex(4)}"
        self.around = Surroundings(name, docker_reap.labels(self.folder), self.folder / "home", self.keep)
        choice = self._make_network(name, choice)
        self._start_anchor()
        return choice

    def _make_network(self, name: str, choice: Choice) -> Choice:
        if choice == "gateway" or (choice == "auto" and not self.engine.is_remote):
            self.network(name, internal=True)
            if choice == "gateway" or docker_way.is_ours(self.subnet()[1]):
                return choice
            docker_reap.remove_network(self.engine, self._networks.pop())
        with engine_errors("cannot ask the engine what it is"):
            options = {} if self.engine.is_podman else _NO_GATEWAY
        self.network(name, internal=True, options=options)
        return "relay"

    def _start_anchor(self) -> None:
        self.anchor = self.create(Recipe(self.images.prometheus, _WAIT, "anchor", "promtool", stdin=True))
        self._input = docker_container.attached_input(self.engine, self.anchor)
        with engine_errors(f"cannot start promtool of {self.images.prometheus}"):
            self.engine.api.start(self.anchor)

    @property
    def sink(self) -> Sink:
        """All receivers."""
        return self.way.sink

    @property
    def versions(self) -> Mapping[str, str]:
        """What the servers that ran so far state."""
        return {program: self._versions[program] for program in _PORTS if program in self._versions}

    def session(self) -> requests.Session:
        """An HTTP client for the servers."""
        return self.way.session()

    def network(self, name: str, internal: bool, options: Mapping[str, str] | None = None) -> None:
        """Make a network that goes with the stack; raises StackError."""
        with engine_errors(f"cannot make the network {name}"):
            made = self.engine.api.create_network(
                name,
                driver="bridge",
                internal=internal,
                enable_ipv6=False,
                options=dict(options or {}),
                labels=dict(self.around.labels),
                check_duplicate=True,
            )
        self._ours(self._networks, made["Id"])

    def subnet(self) -> ipaddress.IPv4Network:
        """The addresses of the internal network; its first one is the gateway's. Raises StackError."""
        with engine_errors("cannot look the network up"):
            found = self.engine.api.inspect_network(self.around.network)["IPAM"]["Config"]
            return next(ipaddress.IPv4Network(one["Subnet"]) for one in found if ":" not in one["Subnet"])

    def create(self, recipe: Recipe) -> str:
        """Make a container that goes with the stack; raises StackError."""
        container = docker_container.create(self.engine, self.around, recipe)
        self._ours(self._containers, container)
        return container

    def _ours(self, things: list[str], thing: str) -> None:
        with self._lock:
            things.append(thing)
            closed = self.closed
        if closed:
            self.close()
            raise StackError("nothing was started: the run is being ended")

    def execute(self, arguments: Sequence[str]) -> str:
        """Prepare promtool in the anchor; returns the engine's id of it. Raises StackError."""
        with engine_errors("cannot run promtool"):
            return str(self.engine.api.exec_create(self.anchor, ["promtool", *arguments])["Id"])

    def promtool(
        self, arguments: Sequence[str], reads: Sequence[Path], writes: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run promtool in the anchor."""
        folders = [] if writes is None else [writes]
        for folder in folders:
            folder.mkdir(exist_ok=True)
        docker_container.put(self.engine, self.anchor, docker_tar.pack([self.around.home, *reads, *folders]))
        done = self._run(self.execute(arguments), arguments)
        for _ in range(SILENT_TRIES):
            # Busy engines lose what short-lived processes print. Only what writes has nothing to say, if it succeeds.
            if done.stderr or (not done.returncode and (done.stdout or folders)):
                break
            done = self._run(self.execute(arguments), arguments)
        for folder in folders:
            with engine_errors("cannot copy what promtool wrote"):
                docker_tar.unpack(self.engine.api.get_archive(self.anchor, str(folder))[0], folder)
        return done

    def _run(self, tool: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        watch = threading.Timer(PROMTOOL_TIMEOUT, self.close)
        watch.daemon = True
        watch.start()
        try:
            with engine_errors("cannot run promtool"):
                out, err = self.engine.api.exec_start(tool, demux=True)
                status = self.engine.api.exec_inspect(tool)["ExitCode"]
        finally:
            watch.cancel()
        if self.closed or status is None:
            raise StackError("promtool was ended before it was done")
        text = [(part or b"").decode("utf-8", "replace") for part in (out, err)]
        return subprocess.CompletedProcess(["promtool", *arguments], status, *text)

    def start(
        self,
        program: Program,
        name: str,
        arguments: Callable[[str], list[str]],
        folder: Path,
        also: Sequence[Path] = (),
    ) -> Server:
        """Start a server in a container of its own, on its usual port."""
        archive = docker_tar.pack([folder, self.around.home, *also])
        return self._start(program, name, arguments, folder, archive)

    def _start(
        self,
        program: Program,
        name: str,
        arguments: Callable[[str], list[str]],
        folder: Path,
        archive: IO[bytes],
        before: str = "",
    ) -> Server:
        image = self.images.prometheus if program == "prometheus" else self.images.alertmanager
        command = arguments(f"0.0.0.0:{_PORTS[program]}")
        container = self.create(Recipe(image, command, platform.node(), leader=self.anchor))
        docker_container.put(self.engine, container, archive)
        if before:
            self._copy(before, container, folder)
        follower = Follower(self.engine, container, folder / f"{name}-{container[:12]}.log")
        with engine_errors(f"cannot start {name} ({image})"):
            self.engine.api.start(container)
        url = f"http://{docker_container.leg(self.engine, container, self.around.network)}:{_PORTS[program]}"
        server = Server(name, url, container, follower, program, arguments, folder)
        self._started.append(server)
        self._running.append(server)
        self._wait_ready(server)
        return server

    def _wait_ready(self, server: Server) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        with self.session() as client:
            while time.monotonic() < deadline and not server.follower.ended(0.02):
                with contextlib.suppress(requests.RequestException):
                    if client.get(f"{server.url}/-/ready", timeout=5).ok:
                        self._ask_version(client, server)
                        return
        self.stop(server)
        raise StackError(f"{server.name} did not start. Its last log lines:\n{log_tail(server)}")

    def _ask_version(self, client: requests.Session, server: Server) -> None:
        path, keys = _BUILDS[server.program]
        if server.program not in self._versions:
            with backend.answering(server):
                told = client.get(server.url + path, timeout=30).json()
                self._versions[server.program] = str(told[keys[0]][keys[1]]).split("+")[0]

    def restart(self, server: backend.Server) -> Server:
        """Start it again in a fresh container, on the data of the old one, which is frozen meanwhile."""
        assert isinstance(server, Server)
        with contextlib.suppress(StackError), engine_errors("cannot freeze a container"):
            self.engine.api.pause(server.container)  # not everywhere possible without root
        archive = docker_tar.pack([self.around.home])
        fresh = self._start(
            server.program, server.name, server.arguments, server.folder, archive, server.container
        )
        self.stop(server)
        return fresh

    def _copy(self, source: str, target: str, folder: Path) -> None:
        with engine_errors("cannot copy a server's data"):
            data = self.engine.api.get_archive(source, str(folder))[0]
            self.engine.api.put_archive(target, str(folder.parent), data)

    def check(self, *servers: backend.Server) -> None:
        """Whether they run, and the way to the sink is open; raises StackError."""
        if self.closed:
            raise StackError("the run is being ended")
        for server in servers:
            assert isinstance(server, Server)
            if server.follower.ended():
                raise backend.ended(server)

    def stop(self, *servers: backend.Server) -> None:
        """Remove their containers, while the caller goes on: it takes the engine a quarter of a second."""
        for server in servers:
            assert isinstance(server, Server)
            with self._lock:
                self._running = [one for one in self._running if one is not server]
                removing = threading.Thread(
                    target=docker_reap.remove_container, args=(self.engine, server.container), daemon=True
                )
                removing.start()
                self._removing.append(removing)

    def close(self) -> None:
        """Remove everything and start no more."""
        with self._lock:
            self.closed = True
            containers, networks = list(self._containers), list(self._networks)
        for container in containers:  # the anchor first: the kernel ends the others with it
            docker_reap.remove_container(self.engine, container)
        for network in networks:
            docker_reap.remove_network(self.engine, network)
        for removing in self._removing:
            removing.join()
        for server in self._started:
            server.follower.ended(ENDING_TIMEOUT)
        if self._input is not None:
            docker_container.hang_up(self._input)

    def kept(self) -> list[str]:
        """Addresses, containers and the commands that end them."""
        lines = [
            f"{server.name} {server.url} (container {server.container[:12]})" for server in self._running
        ]
        containers = " ".join(container[:12] for container in self._containers)
        networks = " ".join(network[:12] for network in self._networks)
        return [*lines, f"end with: docker rm -f -v {containers}; docker network rm {networks}"]
