"""The real servers that tests run against, and commands run where nothing but loopback leads anywhere."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_sre.settings import Servers

REPO = Path(__file__).resolve().parent.parent
SUITES = ("bookworm", "trixie", "forky")
PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
ISOLATED = REPO / "tests" / "isolated"
NO_SERVERS = "found no servers: run scripts/servers, or name the folder that holds them in PYTEST_SRE_SERVERS"


@dataclass(frozen=True, slots=True)
class Pair:
    """A Prometheus and an Alertmanager with their tools, as one Debian release has them."""

    name: str
    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path

    @property
    def servers(self) -> Servers:
        """The settings that make a stack use this pair."""
        return Servers.model_validate(
            {
                "backend": "process",
                "prometheus": {"binary": str(self.prometheus), "promtool": str(self.promtool)},
                "alertmanager": {"binary": str(self.alertmanager)},
            }
        )

    @property
    def options(self) -> tuple[str, ...]:
        """The command line options that make the plugin use this pair."""
        return (
            f"--sre-prometheus={self.prometheus}",
            f"--sre-promtool={self.promtool}",
            f"--sre-alertmanager={self.alertmanager}",
        )


@dataclass(frozen=True, slots=True)
class Isolated:
    """What an isolated command did: its status and output, how many packets left loopback, and where to."""

    returncode: int
    stdout: str
    stderr: str
    leaked: int
    destinations: tuple[str, ...]


def _pairs() -> tuple[Pair, ...]:
    """Every complete pair in the first folder that holds one."""
    named = os.environ.get("PYTEST_SRE_SERVERS")
    for root in [Path(named)] if named else [REPO / ".cache" / "servers", Path("/tmp/srv")]:
        found = []
        for suite in SUITES:
            folder = root.resolve() / suite / "usr" / "bin"
            programs = [folder / name for name in PROGRAMS]
            if all(os.access(program, os.X_OK) for program in programs):
                found.append(Pair(suite, *programs))
        if found:
            return tuple(found)
    return ()


PAIRS = _pairs()


def unavailable(reason: str) -> None:
    """Skips the test; in CI, where everything must run, fails it."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@functools.cache
def _isolation_trouble() -> str:
    """Why commands can't be isolated here; empty when they can."""
    probe = _run([ISOLATED, "true"], timeout=30)
    return (
        "" if probe.returncode == 0 else probe.stderr.strip() or f"{ISOLATED} ended with {probe.returncode}"
    )


def _run(
    command: Sequence[str | os.PathLike[str]],
    timeout: float,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a Python script with the interpreter of the tests."""
    command = [sys.executable, *command]
    nothing = subprocess.DEVNULL
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, stdin=nothing, timeout=timeout
    )


def run_isolated(
    args: Sequence[str | os.PathLike[str]],
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> Isolated:
    """Runs a command in a network namespace without a way out; skips the test where none are permitted."""
    if trouble := _isolation_trouble():
        unavailable(trouble)
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder, "count.json")
        done = _run([ISOLATED, "--count", count, *args], timeout, cwd, env)
        if not count.exists():
            raise RuntimeError(f"tests/isolated ended with {done.returncode}: {done.stderr}")
        seen = json.loads(count.read_text())
    return Isolated(seen["status"], done.stdout, done.stderr, seen["packets"], tuple(seen["destinations"]))
