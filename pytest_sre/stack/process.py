"""Backend `process`: servers as child processes that never outlive us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import requests

from pytest_sre.errors import StackError
from pytest_sre.settings import Servers
from pytest_sre.stack.backend import START_TIMEOUT, Program, Server, ended, log_tail, plain_session
from pytest_sre.stack.sink import Sink

PROMTOOL_TIMEOUT = 600.0  # seconds
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_HOW_TO_GET = (
    "Install them (Debian: `apt-get install prometheus prometheus-alertmanager`; elsewhere from prometheus.io/download) "
    "so that they are on PATH, or name them with --sre-prometheus=FILE, --sre-promtool=FILE, --sre-alertmanager=FILE "
    "or `servers:` in sre.yaml."
)
_NAMES = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
}


@dataclass(frozen=True, slots=True)
class Binaries:
    """The servers' executables."""

    prometheus: str
    promtool: str
    alertmanager: str


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A server that runs as a child process, with what it takes to start it again."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    logs: Path
    command: tuple[Path, Callable[[str], list[str]]]

    def log(self) -> str:
        """Everything that it logged so far."""
        return self.logs.read_text("utf-8", "replace")


def find_binaries(servers: Servers) -> Binaries:
    """The executables given in the settings or on PATH; raises StackError that says how to get them.

    A promtool beside the Prometheus that is given comes before the one on PATH.
    """
    given = {
        "prometheus": servers.prometheus.binary,
        "promtool": servers.prometheus.promtool or _beside(servers.prometheus.binary),
        "alertmanager": servers.alertmanager.binary,
    }
    found, missing = {}, []
    for name, names in _NAMES.items():
        wanted = given[name]
        path = next(filter(None, map(shutil.which, [wanted] if wanted else names)), None)
        if path is None:
            missing.append(f"{wanted} (not an executable file)" if wanted else name)
        else:
            found[name] = os.path.abspath(path)
    if missing:
        raise StackError(f"cannot start the servers: {', '.join(missing)} not found. {_HOW_TO_GET}")
    return Binaries(**found)


def _beside(prometheus: str | None) -> str | None:
    path = shutil.which(prometheus) if prometheus and "/" in prometheus else None
    return shutil.which("promtool", path=os.path.dirname(path)) if path else None


def version(binary: str) -> str:
    """The version that a binary states, such as ``2.42.0``; raises StackError."""
    try:
        done = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=30, env=_environment("/")
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"cannot run {binary}: {error}") from None
    words = (done.stdout + done.stderr).split()
    if done.returncode or "version" not in words[:-1]:
        raise StackError(f"{binary} --version failed: {(done.stdout + done.stderr).strip()[:500]}")
    return words[words.index("version") + 1].split("+")[0]


@contextlib.contextmanager
def open_stack(servers: Servers, folder: Path, *, keep: bool) -> Iterator[ProcessStack]:
    """A stack of child processes; unless it is kept, all are ended with it. Raises StackError."""
    binaries = find_binaries(servers)
    versions = {name: version(getattr(binaries, name)) for name in ("prometheus", "alertmanager")}
    (folder / "home").mkdir(exist_ok=True)
    with Sink() as sink:
        stack = ProcessStack(binaries, versions, sink, folder / "home", keep)
        try:
            yield stack
        finally:
            if not keep:
                stack.close()


@dataclass(slots=True, eq=False)
class ProcessStack:
    """See `backend.Stack`."""

    binaries: Binaries
    versions: Mapping[str, str]
    sink: Sink
    home: Path
    keep: bool
    _running: list[Process] = field(default_factory=list)
    _tools: list[subprocess.Popen[str]] = field(default_factory=list)
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> Path:
        """The run's own."""
        return self.home.parent

    def session(self) -> requests.Session:
        """An HTTP client for the servers."""
        return plain_session()

    def promtool(
        self, arguments: Sequence[str], reads: Sequence[Path], writes: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run promtool in an emptied environment."""
        if writes is not None:
            writes.mkdir(exist_ok=True)
        tool = self._tool([self.binaries.promtool, *arguments])
        try:
            out, err = tool.communicate(timeout=PROMTOOL_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"promtool failed: {error}") from None
        finally:
            tool.kill()
            tool.wait()
            self._tools.remove(tool)
        return subprocess.CompletedProcess(tool.args, tool.returncode, out, err)

    def _tool(self, command: list[str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._closed:
                raise StackError("promtool was not run: the run is being ended")
            try:
                tool = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    cwd=self.home,
                    env=_environment(str(self.home)),
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )
            except OSError as error:
                raise StackError(f"promtool failed: {error}") from None
            self._tools.append(tool)
        return tool

    def start(
        self,
        program: Program,
        name: str,
        arguments: Callable[[str], list[str]],
        folder: Path,
        also: Sequence[Path] = (),
    ) -> Process:
        """Start a server on a free loopback port."""
        binary = getattr(self.binaries, program)
        return self._start(name, folder, lambda address: [binary, *arguments(address)])

    def _start(self, name: str, folder: Path, command: Callable[[str], list[str]]) -> Process:
        for _ in range(5):
            address = f"127.0.0.1:{free_port()}"
            server = self._spawn(name, address, folder, command)
            if self._wait_ready(server):
                return server
            self.stop(server)
            if "address already in use" not in log_tail(server):
                break
        raise StackError(f"{name} did not start. Its last log lines:\n{log_tail(server)}")

    def _spawn(self, name: str, address: str, folder: Path, command: Callable[[str], list[str]]) -> Process:
        log = folder / f"{name}-{address.rpartition(':')[2]}.log"
        with self._lock, log.open("wb") as out:
            if self._closed:
                raise StackError(f"{name} was not started: the run is being ended")
            process = subprocess.Popen(
                command(address),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(str(self.home)),
                start_new_session=True,
                preexec_fn=None if self.keep or sys.platform != "linux" else _die_with_parent,
            )
            server = Process(name, f"http://{address}", process, log, (folder, command))
            self._running.append(server)
        return server

    def restart(self, server: Server) -> Process:
        """End it and start it again; what it has acknowledged is in its write-ahead log."""
        assert isinstance(server, Process)
        self.stop(server)
        return self._start(server.name, *server.command)

    def check(self, *servers: Server) -> None:
        """Whether they run; raises StackError."""
        if self._closed:
            raise StackError("the run is being ended")
        for server in servers:
            assert isinstance(server, Process)
            if server.process.poll() is not None:
                raise ended(server)

    def stop(self, *servers: Server) -> None:
        """Kill servers."""
        mine = [server for server in servers if isinstance(server, Process)]
        for server in mine:
            with contextlib.suppress(ProcessLookupError):
                server.process.send_signal(signal.SIGKILL)
        for server in mine:
            server.process.wait()
        with self._lock:
            self._running = [server for server in self._running if server not in mine]

    def close(self) -> None:
        """Kill all of them and start no more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
            for tool in self._tools:
                tool.kill()
        self.stop(*running)

    def kept(self) -> list[str]:
        """Addresses, process ids and the command that ends them."""
        lines = [f"{server.name} {server.url} (pid {server.process.pid})" for server in self._running]
        pids = " ".join(str(server.process.pid) for server in self._running)
        return [*lines, f"end with: kill {pids}"] if pids else lines

    def _wait_ready(self, server: Process) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        with self.session() as client:
            while time.monotonic() < deadline and server.process.poll() is None:
                with contextlib.suppress(requests.RequestException):
                    if client.get(f"{server.url}/-/ready", timeout=5).ok:
                        return True
                time.sleep(0.02)
        return False


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _environment(home: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
