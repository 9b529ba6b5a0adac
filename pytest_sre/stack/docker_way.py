"""The way between the containers and this process: tried before anything is judged."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import requests
from requests.adapters import HTTPAdapter

from pytest_sre.errors import StackError
from pytest_sre.stack import docker_relay
from pytest_sre.stack.backend import plain_session
from pytest_sre.stack.docker_engine import engine_errors
from pytest_sre.stack.sink import Sink

if TYPE_CHECKING:
    from pytest_sre.stack.docker_stack import DockerStack

CONNECT_TIMEOUT = 5.0  # seconds; the containers are on this machine
CANARY_TIMEOUT = 5.0  # seconds; a firewall that drops packets costs all of it


class Way(Protocol):
    """How the servers reach us, and we them."""

    @property
    def sink(self) -> Sink:
        """All receivers, where the servers can connect to them."""

    def session(self) -> requests.Session:
        """An HTTP client that reaches the servers' addresses."""
        ...


class NoWay(Exception):
    """This way does not work here; the text says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The sink listens on our own address in the containers' network: the engine runs on this very machine."""

    sink: Sink
    stack: DockerStack

    def session(self) -> requests.Session:
        """An HTTP client for the servers."""
        client = plain_session()
        client.mount("http://", _Adapter(self.stack))
        return client


class _Adapter(HTTPAdapter):
    """Requests that end with the stack: its addresses would lead out of this machine once its network is gone."""

    def __init__(self, stack: DockerStack) -> None:
        self._stack = stack
        super().__init__()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if self._stack.closed:
            raise requests.ConnectionError("the run is being ended")
        return super().send(request, stream, (CONNECT_TIMEOUT, timeout), verify, cert, proxies)


@contextlib.contextmanager
def opened(
    stack: DockerStack,
    choice: Literal["auto", "gateway", "relay"],
    relay_image: str,
    tell: Callable[[str], None],
) -> Iterator[Way]:
    """The way that is chosen, or the first that works; raises StackError that says what was tried."""
    ways: dict[str, Callable[[], AbstractContextManager[Way]]] = {
        "gateway": lambda: _gateway(stack),
        "relay": lambda: _relay(stack, relay_image, tell),
    }
    tried = []
    with contextlib.ExitStack() as closing:
        for name in ways if choice == "auto" else (choice,):
            try:
                way = closing.enter_context(ways[name]())
                break
            except NoWay as error:
                tried.append(f"{name}: {error}")
        else:
            raise StackError(
                f"the containers cannot reach pytest, by no way that was tried; {'; '.join(tried)}"
            )
        yield way


@contextlib.contextmanager
def _gateway(stack: DockerStack) -> Iterator[Gateway]:
    host = stack.subnet()[1]
    if not is_ours(host):
        raise NoWay(f"{host} is no address of this machine: the engine runs elsewhere")
    with Sink(str(host)) as sink:
        _try(stack, sink)
        yield Gateway(sink, stack)


@contextlib.contextmanager
def _relay(stack: DockerStack, image: str, tell: Callable[[str], None]) -> Iterator[Way]:
    with contextlib.ExitStack() as closing:
        try:
            stack.engine.provide(image, tell)
            way = closing.enter_context(docker_relay.opened(stack, image))
        except StackError as error:
            raise NoWay(str(error)) from None
        _try(stack, way.sink)
        yield way


def is_ours(host: ipaddress.IPv4Address) -> bool:
    """Whether an address is one of this machine, or of the container that we run in."""
    try:
        socket.create_server((str(host), 0)).close()
    except OSError:
        return False
    return True


def _try(stack: DockerStack, sink: Sink) -> None:
    """Let a process in the containers' network call the sink; raises NoWay when nothing arrives."""
    name = secrets.token_hex(8)
    tool = stack.execute(["query", "instant", f"http://{sink.address}{sink.canary(name)}", "up"])
    with engine_errors("cannot run promtool"):
        stack.engine.api.exec_start(tool, detach=True)
        deadline, running = time.monotonic() + CANARY_TIMEOUT, True
        while running and time.monotonic() < deadline:
            running = stack.engine.api.exec_inspect(tool)["Running"]
            if sink.wait(lambda: sink.arrived(name), 0.1):
                return
    raise NoWay(f"no connection from a container to {sink.address} arrives; does a firewall hinder it?")
