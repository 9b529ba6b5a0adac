"""Our side of the relay: connections that servers open reach the sink, and ours reach the servers."""

from __future__ import annotations

import contextlib
import json
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from pytest_sre.errors import StackError
from pytest_sre.stack import docker_container, docker_host, docker_tar, relay
from pytest_sre.stack.backend import plain_session
from pytest_sre.stack.docker_container import Follower, Recipe
from pytest_sre.stack.docker_engine import engine_errors
from pytest_sre.stack.sink import Sink

if TYPE_CHECKING:
    from pytest_sre.stack.docker_stack import DockerStack

PORT = 8070
SERVER_PORTS = [9090, 9093]
PARKED = 32  # connections that wait for one of a server
DIAL_TIMEOUT = 10.0  # seconds
ANSWER_TIMEOUT = 30.0  # seconds until Python has started
_USER = "65534:65534"


@dataclass(slots=True, eq=False)
class Relayed:
    """See `docker_way.Way`. ``lost`` is called when the relay ends before us."""

    sink: Sink
    address: tuple[str, int]
    secret: str
    lost: Callable[[], None]
    _control: socket.socket = field(init=False)
    _parked: set[socket.socket] = field(default_factory=set)
    _waiting: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)
    _thread: threading.Thread = field(init=False)
    _over: bool = False

    def session(self) -> requests.Session:
        """An HTTP client whose connections go through the relay."""
        client = plain_session()
        client.mount("http://", _Adapter(self))
        return client

    def dial(self, *wish: object) -> socket.socket:
        """A connection to the relay that asks for something; raises OSError."""
        with contextlib.ExitStack() as failing:
            connection = failing.enter_context(socket.create_connection(self.address, DIAL_TIMEOUT))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.sendall(" ".join(map(str, (self.secret, *wish))).encode() + b"\n")
            failing.pop_all()
        return connection

    def connect(self) -> None:
        """Open the connection that the relay lives by; raises OSError as long as it doesn't listen."""
        with contextlib.ExitStack() as failing:
            control = failing.enter_context(self.dial("control"))
            if not control.recv(1):
                raise ConnectionAbortedError("it hangs up")
            failing.pop_all()
        self._control = control

    def start(self) -> None:
        """Keep connections parked until ``close``, and give the sink those on which a server calls."""
        self._waiting.register(self._control, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="sre-relay", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(PARKED):
                self._park()
            while not self._over:
                for key, _ in self._waiting.select():
                    self._hear(key.fileobj)
        if not self._over:
            self.lost()

    def _park(self) -> None:
        connection = self.dial("park")
        self._parked.add(connection)
        self._waiting.register(connection, selectors.EVENT_READ)

    def _hear(self, connection: Any) -> None:
        if connection is self._control:
            raise ConnectionAbortedError("the relay has ended")
        self._waiting.unregister(connection)
        self._parked.remove(connection)
        called = b""
        with contextlib.suppress(OSError):
            called = connection.recv(1)
        if called:
            connection.settimeout(None)
            self.sink.adopt(connection, mail=called == relay.MAIL)
        else:
            connection.close()
        self._park()

    def close(self) -> None:
        """Cut all connections: the relay ends with them."""
        self._over = True
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        for connection in (self._control, *self._parked):
            connection.close()
        self._waiting.close()


@contextlib.contextmanager
def opened(stack: DockerStack, image: str) -> Iterator[Relayed]:
    """Start the relay and connect to it; raises StackError."""
    outer = f"{stack.around.network}-relay"
    engine = stack.engine
    stack.network(outer, internal=False)
    folder = stack.folder / "relay"
    recipe = Recipe(
        image,
        ["-u", "-I", str(folder / "relay.py"), str(folder / "config")],
        "relay",
        "python3",
        leader=stack.anchor,
        user=_USER,
        ports={PORT: ("0.0.0.0" if engine.is_remote or docker_host.in_container() else "127.0.0.1", None)},
        network=outer,
    )
    container = stack.create(recipe)
    secret = secrets.token_hex(32)
    _write(stack, folder, secret)
    docker_container.put(stack.engine, container, docker_tar.pack([folder, stack.around.home]))
    follower = Follower(stack.engine, container)
    with engine_errors(f"cannot start the relay ({image})"):
        stack.engine.api.connect_container_to_network(container, stack.around.network)
        stack.engine.api.start(container)
    inside = docker_container.leg(stack.engine, container, stack.around.network)
    with Sink() as sink:
        sink.reached_at(relay.HTTP_PORT, relay.MAIL_PORT, inside)
        way = Relayed(sink, _published(stack, container, outer, follower), secret, stack.close)
        _wait(way, follower)
        way.start()
        try:
            yield way
        finally:
            way.close()
            if not stack.keep:
                follower.ended(ANSWER_TIMEOUT)


def _published(stack: DockerStack, container: str, outer: str, follower: Follower) -> tuple[str, int]:
    """Where the relay is reached: from a container beside it, that is the gateway of the relay's own network."""
    client, host = stack.engine.client, stack.engine.host
    try:
        with engine_errors("cannot look the relay up"):
            if not stack.engine.is_remote and docker_host.in_container():
                host = docker_container.leg(stack.engine, container, outer, "Gateway")
            return host, int(client.port(container, PORT))
    except StackError as error:
        raise StackError(f"the relay does not start: {error} {follower.text()[-500:]}") from None


def _write(stack: DockerStack, folder: Path, secret: str) -> None:
    """The relay's program and what it must know."""
    config = {
        "secret": secret,
        "inner": str(stack.subnet()),
        "port": PORT,
        "servers": SERVER_PORTS,
        "stays": stack.keep,
    }
    folder.mkdir()
    (folder / "relay.py").write_bytes(Path(relay.__file__).read_bytes())
    (folder / "config").write_text(json.dumps(config))


def _wait(way: Relayed, follower: Follower) -> None:
    deadline, last = time.monotonic() + ANSWER_TIMEOUT, OSError("it has ended")
    while not follower.ended(0.02) and time.monotonic() < deadline:
        try:
            way.connect()
            return
        except OSError as error:
            last = error
    raise StackError(
        f"the relay does not answer at {way.address[0]}:{way.address[1]} ({last}) {follower.text()[-500:]}"
    )


class _Adapter(HTTPAdapter):
    """Requests whose connections a relay opens."""

    def __init__(self, way: Relayed) -> None:
        self._way = way
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        way = self._way

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                try:
                    connection = way.dial("dial", self.host, self.port)
                except OSError as error:
                    raise urllib3.exceptions.NewConnectionError(
                        self, f"the relay is gone: {error}"
                    ) from error
                if isinstance(self.timeout, (int, float)):
                    connection.settimeout(self.timeout)
                return connection

        class Pool(urllib3.HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}
