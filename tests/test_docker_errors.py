"""What does not work says why, in words, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import docker_images
import pytest
from docker_images import PLAIN
from shop import run

from pytest_sre.errors import StackError
from pytest_sre.settings import Servers
from pytest_sre.stack import docker as backend
from pytest_sre.stack import docker_host

LOOK = "import sys; from pytest_sre.stack import docker; from pytest_sre.settings import Servers; " + (
    "print(docker.trouble(Servers(), print)); print(sorted({'docker', 'testcontainers'} & set(sys.modules)))"
)


def test_a_machine_without_an_engine_costs_no_import(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        env.pop(name, None)
    look = "import os; exists = os.path.exists; os.path.exists = lambda p: not str(p).endswith('.sock') and exists(p); "
    done = subprocess.run([sys.executable, "-c", look + LOOK], env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == [docker_host.NO_ENGINE, "[]"], done.stderr


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("DOCKER_HOST", address)
        reason = backend.trouble(Servers(), print)
    assert reason.startswith(f"no container engine answers ({address}: ")
    assert "refused" in reason


def test_sockets_contexts_and_variables_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman/podman.sock").touch()
    assert f"unix://{tmp_path}/podman/podman.sock" in docker_host.addresses()
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "far"}')
    assert docker_host.addresses() == [docker_host.CONFIGURED]
    (tmp_path / ".docker/config.json").write_text("[broken")
    assert docker_host.CONFIGURED not in docker_host.addresses()
    (tmp_path / ".testcontainers.properties").write_text("tc.host=tcp://127.0.0.1:1\n")
    assert docker_host.addresses() == [docker_host.CONFIGURED]


def test_an_image_that_cannot_be_had_is_told_once(repo: Path) -> None:
    docker_images.require()
    image = "127.0.0.1:1/nobody/prometheus:v0"
    result = run(repo, PLAIN, f"--sre-prometheus-image={image}", "-k", "MemoryLow")
    assert result.status == 10
    assert (
        result.output.count(f"the image {image} is not there and cannot be pulled") <= 2
    )  # once in the summary
    assert "--sre-prometheus-image" in result.output
    assert "Traceback" not in result.output


def test_an_image_without_promtool_is_told(tmp_path: Path) -> None:
    docker_images.require()
    servers = PLAIN.servers(prometheus=PLAIN.alertmanager)
    with (
        pytest.raises(StackError, match=r"cannot start promtool of pytest-sre/alertmanager:0.25.*not found"),
        docker_images.stack(servers, tmp_path),
    ):
        pass
    assert docker_images.left(tmp_path.parent) == []


def test_an_image_without_python_is_no_relay(tmp_path: Path) -> None:
    docker_images.require()
    servers = PLAIN.servers("relay", relay=PLAIN.alertmanager)
    with (
        pytest.raises(StackError, match=r"relay: cannot start the relay.*python3.*not found"),
        docker_images.stack(servers, tmp_path),
    ):
        pass
    assert docker_images.left(tmp_path.parent) == []


def test_a_server_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    docker_images.require()
    folder = tmp_path / "prometheus"
    folder.mkdir()
    (folder / "prometheus.yml").write_text("nothing: known\n")
    with docker_images.stack(PLAIN.servers(), tmp_path) as stack:
        with pytest.raises(
            StackError, match=r"(?s)prometheus-0 did not start.*field nothing not found"
        ) as caught:
            stack.start(
                "prometheus", "prometheus-0", lambda _: [f"--config.file={folder}/prometheus.yml"], folder
            )
        assert "Traceback" not in str(caught.value)
