"""The real Alertmanager: started on a safe copy, fed with alerts, asked what it did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from pytest_sre.errors import StackError
from pytest_sre.model.observation import FileVerdict
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources import yamlfile
from pytest_sre.stack import process

_NOTIFY_FAILED = re.compile(r"Notify for alerts failed")
_LOAD_FAILED = re.compile(
    "Loading configuration file failed|error loading configuration file|failed to apply new config"
)
_GROUP = re.compile(r'aggrGroup="((?:[^"\\]|\\.)*)"')
_PAIR = re.compile(r'(\w+)="([^"\\]*)"')
_ERR = re.compile(r'err="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Group:
    """An alert group: its receiver and, by fingerprint, its alerts' status."""

    receiver: str
    labels: Mapping[str, str]
    alerts: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SendError:
    """A notification that could not be sent: `receiver/kind[index]: why`; the group's labels where they are logged."""

    text: str
    group: tuple[tuple[str, str], ...]


def write_config(document: Mapping[str, Any], folder: Path) -> tuple[Path, list[int]]:
    """Write the safe copy; returns its path and the user's line for each of its lines."""
    folder.mkdir(exist_ok=True)
    path = folder / "alertmanager.yml"
    text, lines = yamlfile.dump(document)
    path.write_text(text, "utf-8")
    return path, lines


def start(
    binary: str, settings: AlertmanagerServer, config: Path, name: str, *, keep: bool
) -> process.Server:
    """Start Alertmanager without a cluster; raises StackError with its log lines."""

    def command(port: int) -> list[str]:
        argv = [
            binary,
            f"--config.file={config}",
            f"--storage.path={config.parent / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--web.route-prefix=/",
        ]
        if settings.external_url:
            argv.append(f"--web.external-url={settings.external_url}")
        if settings.feature_flags:
            argv.append(f"--enable-feature={','.join(settings.feature_flags)}")
        return argv

    return process.start(name, command, config.parent, keep=keep)


def load_verdict(error: StackError, path: str, config: Path, lines: list[int]) -> FileVerdict | None:
    """Read from a failed start that the configuration is at fault; None when something else is."""
    found = [_ERR.search(line) for line in str(error).splitlines() if _LOAD_FAILED.search(line)]
    if not found or found[-1] is None:
        return None
    message = found[-1][1].replace("\\n", "\n").replace('\\"', '"').replace(str(config), path)
    numbers = [int(number) for number in re.findall(r"line (\d+)", message) if 0 < int(number) <= len(lines)]
    message = re.sub(r"line (\d+)", lambda m: f"line {lines[min(int(m[1]), len(lines)) - 1]}", message)
    line = lines[numbers[0] - 1] if numbers else 1
    return FileVerdict(path, line, " ".join(message.split()))


def post(client: requests.Session, server: process.Server, alerts: list[dict[str, Any]]) -> None:
    """Hand alerts over as Prometheus does; raises StackError."""
    with process.answering(server):
        for start_at in range(0, len(alerts), 200):
            answer = client.post(
                server.url + "/api/v2/alerts", json=alerts[start_at : start_at + 200], timeout=30
            )
            if not answer.ok:
                raise StackError(
                    f"Alertmanager refused the alerts: {answer.status_code} {answer.text.strip()[:500]}"
                )


def alerts(client: requests.Session, server: process.Server) -> list[dict[str, Any]]:
    """All alerts it holds, with their fingerprints, receivers and status; raises StackError."""
    with process.answering(server):
        answer = client.get(server.url + "/api/v2/alerts", timeout=60)
        answer.raise_for_status()
        return list(answer.json())


def groups(client: requests.Session, server: process.Server) -> list[Group]:
    """All alert groups; raises StackError."""
    with process.answering(server):
        answer = client.get(server.url + "/api/v2/alerts/groups", timeout=60)
        answer.raise_for_status()
        return [
            Group(
                group["receiver"]["name"],
                group["labels"],
                {a["fingerprint"]: a["status"] for a in group["alerts"]},
            )
            for group in answer.json()
        ]


def send_errors(server: process.Server) -> list[SendError]:
    """What it logged about notifications that it could not send."""
    text = server.log.read_text("utf-8", "replace")
    found = []
    for line in text.splitlines():
        error = _ERR.search(line)
        if error and _NOTIFY_FAILED.search(line):
            group = _GROUP.search(line)
            pairs = _PAIR.findall(group[1].rpartition(":{")[2].replace('\\"', '"')) if group else []
            found.append(SendError(error[1].replace('\\"', '"').replace("\\n", " "), tuple(pairs)))
    return found
