"""Backend `process`: servers as child processes that never outlive us, in a folder that doesn't either."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from pytest_sre.errors import StackError
from pytest_sre.settings import Servers

START_TIMEOUT = 60.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
_HOW_TO_GET = (
    "Install them (Debian: `apt-get install prometheus prometheus-alertmanager`; elsewhere from prometheus.io/download) "
    "so that they are on PATH, or name them with --sre-prometheus=FILE, --sre-promtool=FILE, --sre-alertmanager=FILE "
    "or `servers:` in sre.yaml."
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """The servers' executables."""

    prometheus: str
    promtool: str
    alertmanager: str


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """A running server: its base URL, process and log file."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that the server logged."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])


def find_binaries(servers: Servers) -> Binaries:
    """The executables given in the settings or on PATH; raises StackError that says how to get them."""
    wanted = {
        "prometheus": (servers.prometheus.binary, ("prometheus",)),
        "promtool": (servers.prometheus.promtool, ("promtool",)),
        "alertmanager": (servers.alertmanager.binary, ("alertmanager", "prometheus-alertmanager")),
    }
    found, missing = {}, []
    for name, (given, names) in wanted.items():
        path = next(filter(None, map(shutil.which, [given] if given else names)), None)
        if path is None:
            missing.append(f"{given} (not an executable file)" if given else name)
        else:
            found[name] = os.path.abspath(path)
    if missing:
        raise StackError(f"cannot start the servers: {', '.join(missing)} not found. {_HOW_TO_GET}")
    return Binaries(**found)


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
def run_folder(keep: bool) -> Iterator[Path]:
    """A folder for one run, readable by us only; folders whose run was killed are removed first."""
    base = Path(tempfile.gettempdir(), f"pytest-sre-{os.getuid()}")
    base.mkdir(mode=0o700, exist_ok=True)
    if base.stat().st_uid != os.getuid() or base.is_symlink():
        raise StackError(f"{base} belongs to somebody else; set TMPDIR to a folder of your own")
    # Who holds the lock on a folder lives: the kernel drops it with its holder, whatever kills that.
    with (base / "lock").open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _reap(base)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "home").mkdir()
    try:
        yield folder
    finally:
        if keep:
            (folder / "keep").touch()
        else:
            shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _reap(base: Path) -> None:
    for folder in base.iterdir():
        if not folder.is_dir() or (folder / "keep").exists():
            continue
        with (folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)


def start(
    name: str,
    command: Callable[[int], list[str]],
    folder: Path,
    *,
    keep: bool = False,
    check: str = "/-/ready",
) -> Server:
    """Start a server on a free loopback port and wait until it is ready; raises StackError with its log lines."""
    for _ in range(5):
        port = free_port()
        log = folder / f"{name}-{port}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=_environment(str(folder / "home")),
                start_new_session=True,
                preexec_fn=None if keep or sys.platform != "linux" else _die_with_parent,
            )
        server = Server(name, f"http://127.0.0.1:{port}", process, log)
        if _wait_ready(server, check):
            return server
        stop(server)
        if "address already in use" not in server.log_tail():
            break
    raise StackError(f"{name} did not start. Its last log lines:\n{server.log_tail()}")


def stop(*servers: Server) -> None:
    """End servers, forcibly: their data is thrown away."""
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.process.send_signal(signal.SIGKILL)
    for server in servers:
        server.process.wait()


def run(argv: list[str], folder: Path, timeout: float = 600.0) -> subprocess.CompletedProcess[str]:
    """Run a tool in the same emptied environment; raises StackError when it can't run or hangs."""
    try:
        return subprocess.run(
            argv,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=folder,
            env=_environment(str(folder / "home")),
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{Path(argv[0]).name} failed: {error}") from None


def session() -> requests.Session:
    """An HTTP client that no proxy variable and no .netrc can lead astray."""
    client = requests.Session()
    client.trust_env = False
    return client


@contextlib.contextmanager
def answering(server: Server) -> Iterator[None]:
    """Turn a server that doesn't answer into a StackError with its log lines."""
    try:
        yield
    except (requests.RequestException, KeyError, ValueError) as error:
        raise StackError(
            f"{server.name} does not answer ({error}). Its last log lines:\n{server.log_tail()}"
        ) from None


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_ready(server: Server, check: str) -> bool:
    deadline = time.monotonic() + START_TIMEOUT
    with session() as client:
        while time.monotonic() < deadline and server.process.poll() is None:
            with contextlib.suppress(requests.RequestException):
                if client.get(server.url + check, timeout=5).ok:
                    return True
            time.sleep(0.02)
    return False


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
