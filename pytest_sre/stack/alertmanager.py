"""The real Alertmanager: started on a safe copy, fed with alerts, asked what it did."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from pytest_sre.errors import Refused, StackError
from pytest_sre.model.observation import FileVerdict, FileWarning
from pytest_sre.model.routing import Integration, Routing
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources import yamlfile
from pytest_sre.sources.yamlfile import line_of
from pytest_sre.stack.backend import Server, Stack, answering

_NOTIFY_FAILED = re.compile(r"Notify for alerts failed")
_LOAD_FAILED = re.compile(
    "Loading configuration file failed|error loading configuration file|failed to apply new config"
)
_GROUP = re.compile(r'aggrGroup="((?:[^"\\]|\\.)*)"')
_PAIR = re.compile(r'(\w+)="([^"\\]*)"')
_WARNING = re.compile(r"level=(warn|WARN)\b")
_INPUT = re.compile(r'\binput="((?:[^"\\]|\\.)*)"')
_SUGGESTION = re.compile(r'\bsuggestion="((?:[^"\\]|\\.)*)"')
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
    stack: Stack, settings: AlertmanagerServer, config: Path, templates: Sequence[Path], name: str
) -> Server:
    """Start Alertmanager without a cluster; raises StackError with its log lines."""

    def arguments(address: str) -> list[str]:
        argv = [
            f"--config.file={config}",
            f"--storage.path={config.parent / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
            "--web.route-prefix=/",
        ]
        if settings.external_url:
            argv.append(f"--web.external-url={settings.external_url}")
        if settings.feature_flags:
            argv.append(f"--enable-feature={','.join(settings.feature_flags)}")
        return argv

    return stack.start("alertmanager", name, arguments, config.parent, templates)


def load_verdict(error: StackError, routing: Routing, config: Path, lines: list[int]) -> FileVerdict | None:
    """Read from a failed start that the configuration is at fault; None when something else is."""
    found = [_ERR.search(line) for line in str(error).splitlines() if _LOAD_FAILED.search(line)]
    if not found or found[-1] is None:
        return None
    message = found[-1][1].replace("\\n", "\n").replace('\\"', '"').replace(str(config), routing.path)
    numbers = [int(number) for number in re.findall(r"line (\d+)", message) if 0 < int(number) <= len(lines)]
    message = re.sub(
        r"line (\d+)", lambda m: _line_text(routing, lines[min(int(m[1]), len(lines)) - 1]), message
    )
    place = routing.place(lines[numbers[0] - 1] if numbers else 1)
    return FileVerdict(place.path, place.line, " ".join(message.split()))


def _line_text(routing: Routing, line: int) -> str:
    place = routing.place(line)
    return f"line {place.line}" if place.path == routing.path else f"line {place.line} of {place.path}"


def load_warnings(server: Server, routing: Routing) -> tuple[FileWarning, ...]:
    """What it logged as a warning while it read the configuration: matchers that only its old parser reads."""
    found: dict[FileWarning, None] = {}
    for line in server.log().splitlines():
        matcher, suggestion = _INPUT.search(line), _SUGGESTION.search(line)
        if _WARNING.search(line) and matcher and "matchers parser" in line:
            text = (
                f"the matcher {_unescaped(matcher[1])} is not in the notation of Alertmanager's UTF-8 parser"
            )
            place = _line_of_text(routing.document, _unescaped(matcher[1]))
            advice = _unescaped(suggestion[1]) if suggestion else ""
            found[FileWarning(place, text, advice)] = None
    return tuple(found)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _line_of_text(value: Any, text: str) -> int:
    """Where a list of the document has a text; 1 where none has."""
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        if item == text and isinstance(value, list):
            return line_of(value, key)
        line = _line_of_text(item, text) if isinstance(item, (Mapping, list)) else 1
        if line > 1:
            return line
    return 1


def stamp(seconds: float) -> str:
    """A time as its API takes it; ``seconds`` since the epoch."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def post(client: requests.Session, server: Server, alerts: list[dict[str, Any]]) -> None:
    """Hand alerts over as Prometheus does; raises Refused and StackError."""
    with answering(server):
        for start_at in range(0, len(alerts), 200):
            answer = client.post(
                server.url + "/api/v2/alerts", json=alerts[start_at : start_at + 200], timeout=30
            )
            if not answer.ok:
                raise Refused(
                    f"Alertmanager refused the alerts: {answer.status_code} {answer.text.strip()[:500]}"
                )


def alerts(client: requests.Session, server: Server) -> list[dict[str, Any]]:
    """All alerts it holds, with their fingerprints, receivers and status; raises StackError."""
    with answering(server):
        answer = client.get(server.url + "/api/v2/alerts", timeout=60)
        answer.raise_for_status()
        return list(answer.json())


def groups(client: requests.Session, server: Server) -> list[Group]:
    """All alert groups; raises StackError."""
    with answering(server):
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


def sends_resolved(client: requests.Session, server: Server) -> frozenset[Integration]:
    """The integrations that send resolved notifications, defaults included, as it says itself; raises StackError."""
    with answering(server):
        answer = client.get(server.url + "/api/v2/status", timeout=60)
        answer.raise_for_status()
        text = answer.json()["config"]["original"]
    receivers = yamlfile.load_all(text)[0].value.get("receivers") or ()
    return frozenset(
        Integration(str(receiver["name"]), key.removesuffix("_configs"), i)
        for receiver in receivers
        for key, entries in receiver.items()
        if key.endswith("_configs")
        for i, entry in enumerate(entries or ())
        if str(entry.get("send_resolved")).lower() == "true"
    )


def send_errors(server: Server) -> list[SendError]:
    """What it logged about notifications that it could not send."""
    text = server.log()
    found = []
    for line in text.splitlines():
        error = _ERR.search(line)
        if error and _NOTIFY_FAILED.search(line):
            group = _GROUP.search(line)
            pairs = _PAIR.findall(group[1].rpartition(":{")[2].replace('\\"', '"')) if group else []
            found.append(SendError(error[1].replace('\\"', '"').replace("\\n", " "), tuple(pairs)))
    return found
