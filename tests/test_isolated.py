"""The leak harness must be able to fail, or its silence proves nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from servers import ISOLATED, run_isolated

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.5)"
LISTEN = "from socket import *; s = create_server(('127.0.0.1', 0)); create_connection(s.getsockname())"


def test_a_connection_to_the_outside_counts() -> None:
    done = run_isolated([sys.executable, "-c", CONNECT, "192.0.2.1", "443"])
    assert done.leaked > 0
    assert done.destinations == ("tcp 192.0.2.1:443",)


def test_a_lookup_counts() -> None:
    done = run_isolated([sys.executable, "-c", "import socket; socket.getaddrinfo('hooks.slack.com', 443)"])
    assert done.leaked > 0
    assert done.destinations == ("udp 10.213.7.53:53",)


def test_the_metadata_service_of_clouds_counts() -> None:
    done = run_isolated([sys.executable, "-c", CONNECT, "169.254.169.254", "80"])
    assert done.destinations == ("tcp 169.254.169.254:80",)


def test_loopback_does_not_count() -> None:
    done = run_isolated([sys.executable, "-c", LISTEN])
    assert (done.returncode, done.leaked, done.destinations) == (0, 0, ()), done.stderr


def test_folder_environment_status_and_output_are_the_commands_own(tmp_path: Path) -> None:
    script = "pwd; echo $WHO >&2; exit 3"
    done = run_isolated(["/bin/sh", "-c", script], cwd=tmp_path, env={"WHO": "me", "PATH": "/"})
    assert (done.returncode, done.stdout.strip(), done.leaked) == (3, str(tmp_path), 0)
    assert done.stderr.startswith("me\n")


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_the_script_by_itself_ends_as_the_command_did(script: str, status: int) -> None:
    run_isolated(["true"])  # skips where namespaces aren't permitted
    done = subprocess.run([ISOLATED, "sh", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (status, "tests/isolated: 0 packets left loopback\n")


def test_the_script_by_itself_fails_when_packets_left() -> None:
    run_isolated(["true"])
    command = [str(ISOLATED), sys.executable, "-c", CONNECT, "192.0.2.1", "443"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 86
    assert done.stderr.endswith(" packets left loopback: tcp 192.0.2.1:443\n")
