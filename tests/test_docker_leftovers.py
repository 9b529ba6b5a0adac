"""Whatever ends a run, nothing of it is left: at once, or when the next run has begun."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import docker
import docker_images
import psutil
import pytest
from docker_images import PLAIN
from shop import command, run

from pytest_sre.errors import StackError
from pytest_sre.stack import docker_reap
from pytest_sre.stack.docker_engine import connected
from pytest_sre.stack.folder import run_folder


@pytest.fixture(autouse=True)
def _engine() -> None:
    docker_images.require()


@pytest.mark.parametrize("sink", ["gateway", "relay"])
def test_after_a_kill_the_next_run_leaves_nothing(repo: Path, tmp_path: Path, sink: str) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = docker_images.environment(temporary)
    volumes = _volumes()
    for seconds in (1.2, 2.6, 4.5):
        argv = command(PLAIN, f"--sre-docker-sink={sink}")
        killed = subprocess.Popen(
            argv, cwd=repo, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        killed.send_signal(signal.SIGKILL)
        killed.wait()

    result = run(repo, PLAIN, f"--sre-docker-sink={sink}", "-k", "loads", env=env)
    assert result.status == 0, result.output
    assert docker_images.left(temporary) == []
    assert list(temporary.iterdir()) == []
    left, deadline = _volumes() - volumes, time.monotonic() + 30
    while left and time.monotonic() < deadline:  # other tests' volumes come and go
        time.sleep(0.2)
        left &= _volumes()
    assert left == set()
    assert [
        one for one in psutil.process_iter(["cmdline"]) if str(temporary) in str(one.info["cmdline"])
    ] == []


def _volumes() -> set[str]:
    with docker_images.engine() as api:
        return {volume["Name"] for volume in api.volumes(filters={"dangling": True})["Volumes"] or ()}


def test_the_servers_die_with_us_without_a_next_run(repo: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = docker_images.environment(temporary)
    killed = subprocess.Popen(command(PLAIN), cwd=repo, env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while _running(temporary) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    running = _running(temporary)  # the time machine's Prometheus comes and goes
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert running >= 3
    while _running(temporary) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _running(temporary) == 0
    docker_images.remove(temporary)


def _running(temporary: Path) -> int:
    return sum("'State': 'running'" in thing for thing in docker_images.left(temporary))


def test_only_what_dead_runs_left_is_reaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    now, here = int(time.time()), docker_reap.host_identity()
    with run_folder(keep=False) as mine, docker_images.engine() as api:
        dead = str(mine.parent / "1-dead")
        cases = {
            "dead": (dead, here, now, False),
            "mine": (str(mine), here, now, True),
            "foreign": (dead, "another machine", now, True),
            "foreign-old": (dead, "another machine", now - 2 * 24 * 3600, False),
        }
        made = {}
        for name, (folder, host, created, _) in cases.items():
            labels = {
                docker_reap.FOLDER: folder,
                docker_reap.HOST: host,
                docker_reap.CREATED: str(created),
            }
            network = api.create_network(f"sre-test-{os.getpid()}-{name}", internal=True, labels=labels)["Id"]
            host_config = api.create_host_config(network_mode=network)
            made[name] = (
                api.create_container(PLAIN.prometheus, labels=labels, host_config=host_config)["Id"],
                network,
            )
        try:
            with connected() as engine:
                docker_reap.reap(engine)
            for name, (_, _, _, stays) in cases.items():
                assert _exists(api, *made[name]) == [stays, stays], name
        finally:
            for container, network in made.values():
                with connected() as engine:
                    docker_reap.remove_container(engine, container)
                    docker_reap.remove_network(engine, network)


def _exists(api: docker.APIClient, container: str, network: str) -> list[bool]:
    found = []
    for look, name in ((api.inspect_container, container), (api.inspect_network, network)):
        try:
            look(name)
            found.append(True)
        except docker.errors.NotFound:
            found.append(False)
    return found


@pytest.mark.parametrize("sink", ["gateway", "relay"])
def test_a_stack_closed_by_another_thread_ends_whoever_waits(tmp_path: Path, sink: str) -> None:
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    with docker_images.stack(PLAIN.servers(sink), tmp_path) as stack:
        closing = threading.Timer(0.5, stack.close)
        closing.start()
        # It listens where nobody asks, so it never becomes ready.
        with pytest.raises(StackError):
            stack.start(
                "alertmanager",
                "deaf",
                lambda _: [
                    f"--config.file={config}",
                    "--web.listen-address=127.0.0.1:1",
                    "--cluster.listen-address=",
                ],
                folder,
            )
        closing.join()
        with pytest.raises(StackError):
            stack.promtool(["--version"], [])
        assert docker_images.left(tmp_path.parent) == []
