"""From inside the containers' network nothing outside can be reached, whatever a configuration says."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker_images
import psutil
import pytest
import requests
from docker_images import IMAGES, PLAIN, ImagePair
from servers import REPO, unavailable
from test_configurations import find_corpus
from test_resolved import delivered, kinds, told_by
from test_safe_alertmanager import ENTRIES, accepted_kind

from pytest_sre.errors import StackError
from pytest_sre.stack.docker_container import Follower, Recipe
from pytest_sre.stack.docker_stack import DockerStack

sys.path.insert(0, str(REPO / "benchmarks"))

from configurations import run_all

# A configuration as in production: nothing in it was made safe. The address is nobody's (RFC 5737), and another one
# for each worker: what one sends there on purpose is no leak of the others.
OUTSIDE, LEAK = f"198.51.100.{os.getpid() % 253 + 1}", f"leak{os.getpid()}"
UNMODIFIED = f"""
route: {{receiver: all, group_wait: 0s}}
receivers:
- name: all
  webhook_configs: [{{url: "https://{LEAK}.example.org/services/T00/B00/xyz"}}, {{url: "http://{OUTSIDE}/hook"}}]
  email_configs: [{{to: a@example.org, from: b@example.org, smarthost: "{LEAK}.example.org:587"}}]
"""


PROBE = """
import socket, sys
for address in sys.argv[1:]:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print(address, "answers")
    except OSError as error:
        print(address, error)
"""


@pytest.fixture(autouse=True)
def _engine() -> None:
    docker_images.require()


@contextlib.contextmanager
def firewall(*rule: str) -> Iterator[None]:
    """A rule of iptables for a while."""
    _require_iptables()
    subprocess.run(["iptables", "-w", "-I", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "-w", "-D", *rule], check=True)


def _require_iptables() -> None:
    if os.geteuid() or not shutil.which("iptables"):
        unavailable("needs root and iptables")


def _bridge(stack: DockerStack) -> str:
    return f"br-{stack.engine.api.inspect_network(stack.around.network)['Id'][:12]}"


class Counters:
    """Packets of a stack's network: those that want to get out of it, and those that do."""

    def __init__(self, stack: DockerStack) -> None:
        network = stack.engine.api.inspect_network(stack.around.network)
        bridge, subnet = _bridge(stack), network["IPAM"]["Config"][0]["Subnet"]
        self.chain = f"sre-{bridge[3:]}"
        name = f"|{len(LEAK):02x}|{LEAK}"
        self.wishes = ["PREROUTING", "-i", bridge, "!", "-d", subnet]
        self.ways_out = [
            ["POSTROUTING", "-s", subnet, "!", "-o", bridge],
            # What the engine itself would ask for a container, or on its behalf.
            ["OUTPUT", "!", "-o", "lo", "-p", "udp", "-m", "string", "--algo", "bm", "--hex-string", name],
            ["OUTPUT", "!", "-o", bridge, "-d", OUTSIDE],
        ]

    def __enter__(self) -> Counters:
        for chain, rules in ((f"{self.chain}-w", [self.wishes]), (f"{self.chain}-o", self.ways_out)):
            _mangle("-N", chain)
            _mangle("-A", chain, "-j", "RETURN")
            for rule in rules:
                _mangle("-I", *rule, "-j", chain)
        return self

    def __exit__(self, *error: object) -> None:
        for chain, rules in ((f"{self.chain}-w", [self.wishes]), (f"{self.chain}-o", self.ways_out)):
            for rule in rules:
                _mangle("-D", *rule, "-j", chain)
            _mangle("-F", chain)
            _mangle("-X", chain)

    def wished(self) -> int:
        """How many wanted to get out of the network."""
        return _packets(f"{self.chain}-w")

    def leaked(self) -> int:
        """How many got out."""
        return _packets(f"{self.chain}-o")


def _mangle(*words: str) -> str:
    command = ["iptables", "-w", "-t", "mangle", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _packets(chain: str) -> int:
    return int(_mangle("-nvxL", chain).splitlines()[2].split()[0])


def answering(stack: DockerStack, *addresses: str) -> set[str]:
    """Which of the addresses a container in the stack's network can connect to."""
    container = stack.create(
        Recipe(docker_images.RELAY_IMAGE, ["python3", "-c", PROBE, *addresses], "probe", leader=stack.anchor)
    )
    follower = Follower(stack.engine, container)
    stack.engine.api.start(container)
    assert follower.ended(60)
    lines = follower.text().splitlines()
    assert [line.split()[0] for line in lines] == list(addresses), follower.text()
    return {line.split()[0] for line in lines if line.endswith(" answers")}


def _own_addresses() -> set[str]:
    addresses = [one for interface in psutil.net_if_addrs().values() for one in interface]
    return {one.address for one in addresses if one.family == socket.AF_INET} - {"127.0.0.1"}


@pytest.mark.parametrize("sink", ["gateway", "relay"])
def test_from_inside_nothing_outside_answers(tmp_path: Path, sink: str) -> None:
    with (
        docker_images.stack(PLAIN.servers(sink), tmp_path) as stack,
        socket.create_server(("", 0)) as service,
    ):
        port = service.getsockname()[1]
        machines = {f"{address}:{port}" for address in _own_addresses()}
        for one in machines:  # from here it answers
            socket.create_connection((one.rpartition(":")[0], port), timeout=10).close()
        gateway, inside = f"{stack.subnet()[1]}:{port}", stack.sink.address
        found = answering(
            stack, inside, gateway, *machines - {gateway}, f"{OUTSIDE}:80", "169.254.169.254:80"
        )
        assert machines - {gateway}
    # With the gateway this machine has an address in the network: docs/docker.md says so.
    assert found - (machines | {gateway} if sink == "gateway" else set()) == {inside}


@pytest.mark.parametrize("sink", ["gateway", "relay"])
def test_an_unmodified_configuration_reaches_nobody(tmp_path: Path, sink: str) -> None:
    _require_iptables()
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    config = folder / "alertmanager.yml"
    config.write_text(UNMODIFIED)
    with docker_images.stack(PLAIN.servers(sink), tmp_path) as stack, Counters(stack) as packets:
        server = stack.start(
            "alertmanager",
            "alertmanager",
            lambda address: [
                f"--config.file={config}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            folder,
        )
        with stack.session() as client:
            client.post(
                f"{server.url}/api/v2/alerts", json=[{"labels": {"alertname": "A"}}]
            ).raise_for_status()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (
            f"lookup {LEAK}." in server.log()
            and (packets.wished() or f"dial tcp {OUTSIDE}:80: connect: " in server.log())
        ):
            time.sleep(0.2)
        log, leaked = server.log(), packets.leaked()
        assert time.monotonic() < deadline, log
        assert stack.sink.refused == ()
    assert "Notify attempt failed" in log
    assert leaked == 0


@pytest.mark.parametrize("images", IMAGES, ids=lambda images: images.suite)
def test_every_kind_of_receiver_is_notified_and_no_packet_leaves(tmp_path: Path, images: ImagePair) -> None:
    _require_iptables()
    known = [name for name in sorted(ENTRIES) if accepted_kind(images.pair, name, tmp_path)]
    lines = "\n".join(told_by(name, ", send_resolved: true") for name in known)
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n{lines}\n"
    with docker_images.stack(images.servers(), tmp_path) as stack, Counters(stack) as packets:
        found = delivered(stack, tmp_path, text, {"alertname": "A"})["A"]
        assert (packets.wished(), packets.leaked()) == (0, 0)
        assert stack.sink.refused == ()
    assert len(known) >= 12
    assert kinds(found.notifications) == kinds(found.resolved) == set(known)
    assert (found.errors, found.unresolved) == ((), ())


def test_the_counters_notice_a_leak(tmp_path: Path) -> None:
    _require_iptables()
    with docker_images.stack(PLAIN.servers("gateway"), tmp_path) as stack, Counters(stack) as packets:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.settimeout(0.2)
            probe.connect((OUTSIDE, 80))
        assert packets.leaked()


def test_a_firewall_before_the_gateway_leads_to_the_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = DockerStack.network
    with contextlib.ExitStack() as rules:

        def behind_a_firewall(self: DockerStack, name: str, internal: bool, **options: Any) -> None:
            make(self, name, internal, **options)
            if internal:
                bridge = _bridge(self)
                rules.enter_context(
                    firewall("INPUT", "-i", bridge, "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP")
                )

        monkeypatch.setattr(DockerStack, "network", behind_a_firewall)
        with (
            pytest.raises(StackError, match="does a firewall hinder it"),
            docker_images.stack(PLAIN.servers("gateway"), tmp_path),
        ):
            pass
        with docker_images.stack(PLAIN.servers("auto"), tmp_path) as stack:
            assert type(stack.way).__name__ == "Relayed"
    assert docker_images.left(tmp_path.parent) == []


def test_the_relay_serves_nobody_without_the_secret_and_dials_only_servers(tmp_path: Path) -> None:
    with docker_images.stack(PLAIN.servers("relay"), tmp_path) as stack:
        way = stack.way
        address = way.address  # type: ignore[attr-defined]
        with contextlib.closing(way.dial("dial", OUTSIDE, "9090")) as outside:  # type: ignore[attr-defined]
            assert outside.recv(1) == b""
        inside = stack.sink.address.rpartition(":")[0]
        with contextlib.closing(way.dial("dial", inside, "22")) as other_port:  # type: ignore[attr-defined]
            assert other_port.recv(1) == b""
        with pytest.raises(requests.RequestException):
            requests.get(f"http://{address[0]}:{address[1]}/", timeout=10)
        mounted = json.dumps(stack.engine.api.inspect_container(stack.anchor)["Mounts"])
        assert "bind" not in mounted


@pytest.mark.parametrize("images", IMAGES, ids=lambda images: images.suite)
def test_public_configurations_are_captured_and_no_packet_leaves(tmp_path: Path, images: ImagePair) -> None:
    _require_iptables()
    # Each on one of the versions, for time; PYTEST_SRE_EVERY: on all, as processes always do.
    part = slice(None) if "PYTEST_SRE_EVERY" in os.environ else slice(IMAGES.index(images), None, len(IMAGES))
    paths = sorted(find_corpus().rglob("*.yml"))[part]
    counted = []

    @contextlib.contextmanager
    def opened(_: Path, folder: Path) -> Iterator[DockerStack]:
        with docker_images.stack(images.servers(), folder) as stack, Counters(stack) as packets:
            yield stack
            counted.append((packets.wished(), packets.leaked()))

    outcomes = run_all(paths, images.pair.alertmanager.parent, most=12, opened=opened)
    loaded = [one for one in outcomes if one.loads]
    assert len(loaded) >= len(paths) // 3
    assert len(counted) == len(loaded)
    assert set(counted) == {(0, 0)}
    assert not [one for one in loaded if one.said or one.errors or one.secrets or not one.sets]
    assert sum(one.expected for one in loaded) == sum(one.captured for one in loaded) > len(loaded)
    assert not [one for one in outcomes if not (one.loads or one.said.startswith(f"{one.name}:"))]
