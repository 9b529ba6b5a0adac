"""What the flow needs of a stack. Two modules offer it with the same functions: `process` and `docker`."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import requests

from pytest_sre.errors import StackError
from pytest_sre.stack.sink import Sink

Program = Literal["prometheus", "alertmanager"]
START_TIMEOUT = 60.0  # seconds


class Server(Protocol):
    """A running server; ``url`` is where the stack's own HTTP client reaches it."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def url(self) -> str:
        """Its base URL, without a slash at the end."""

    def log(self) -> str:
        """Everything that it logged so far."""
        ...


class Stack(Protocol):
    """The servers of one run, and the sink that they send to. Paths mean the same to us and to the servers."""

    @property
    def sink(self) -> Sink:
        """All receivers; open as long as the stack is."""

    @property
    def folder(self) -> Path:
        """The run's own: what lies in it is gone when the run is, whatever ends that."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of `prometheus` and `alertmanager`, as far as they are known; all of them once they run."""

    def session(self) -> requests.Session:
        """An HTTP client that reaches the servers, and that no proxy variable and no .netrc can lead astray."""

    def promtool(
        self, arguments: Sequence[str], reads: Sequence[Path], writes: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run promtool on files or folders that it ``reads``; ``writes`` is a folder that it fills.

        Raises StackError when it can't run or hangs; its exit status is the caller's business.
        """
        ...

    def start(
        self,
        program: Program,
        name: str,
        arguments: Callable[[str], list[str]],
        folder: Path,
        also: Sequence[Path] = (),
    ) -> Server:
        """Start a server that has all of ``folder`` and the files ``also``, and wait until it is ready.

        ``arguments`` are made from the address (host:port) that it is to listen on. What it writes goes below
        ``folder``. Raises StackError with its log lines.
        """
        ...

    def restart(self, server: Server) -> Server:
        """End a server at once and start it again on the data that it has written; raises StackError."""
        ...

    def check(self, *servers: Server) -> None:
        """Raise StackError when the stack is being ended, or when one of these servers has ended by itself."""

    def stop(self, *servers: Server) -> None:
        """End servers, forcibly: their data is thrown away."""

    def close(self) -> None:
        """End everything, from any thread; whoever still waits for a server gets a StackError soon."""

    def kept(self) -> list[str]:
        """Where the servers that run are, and how to end them: a line each, for people."""
        ...


def log_tail(server: Server, lines: int = 15) -> str:
    """The last lines that a server logged."""
    return "\n".join(server.log().splitlines()[-lines:])


def plain_session() -> requests.Session:
    """An HTTP client that no proxy variable and no .netrc can lead astray."""
    client = requests.Session()
    client.trust_env = False
    return client


def ended(server: Server) -> StackError:
    """What to say of a server that ended by itself."""
    return StackError(f"{server.name} ended by itself. Its last log lines:\n{log_tail(server)}")


@contextlib.contextmanager
def answering(server: Server) -> Iterator[None]:
    """Turn a server that doesn't answer into a StackError with its log lines."""
    try:
        yield
    except (requests.RequestException, KeyError, ValueError) as error:
        raise StackError(
            f"{server.name} does not answer ({error}). Its last log lines:\n{log_tail(server)}"
        ) from None
