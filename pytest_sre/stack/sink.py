"""The receivers: a forward proxy that ends every connection here and answers as the vendor would.

It also takes Prometheus' alerts (Alertmanager's API) and e-mail. It never opens a connection to anywhere.
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from pytest_sre.model.routing import Integration
from pytest_sre.stack.answers import Answer, answer
from pytest_sre.stack.jira import Issues
from pytest_sre.stack.mail import Mail, MailServer
from pytest_sre.stack.proxy import ALERTS_PATH, CANARY_PATH, ProxyServer

if sys.platform != "win32":
    import resource

# A burst of notifications comes on that many connections; the usual limit is 1,024 open files.
_FILES = 8192


@dataclass(frozen=True, slots=True)
class Capture:
    """One request that reached the sink. ``destination`` is the URL it was bound for, secrets and all.

    ``path`` includes the query; ``time`` is seconds since the epoch, ``status`` what was answered;
    ``auxiliary`` marks look-ups that are no notification.
    """

    integration: Integration
    wave: str
    destination: str = field(repr=False)
    method: str
    path: str = field(repr=False)
    time: float
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    auxiliary: bool = False


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """An alert as Prometheus posted it; ``time`` is when it came, in seconds since the epoch."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str
    generator_url: str
    time: float


@dataclass(frozen=True, slots=True)
class _Caller:
    integration: Integration
    wave: str
    smarthost: str = ""


class Sink:
    """All receivers of a run; use it as a context manager.

    It listens on ``host``. Where the servers can't connect to that, ``reached_at`` says where they can.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._ledger = _Ledger()

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listen on two free ports, one for HTTP and one for e-mail."""
        if sys.platform != "win32":
            self._limit = resource.getrlimit(resource.RLIMIT_NOFILE)
            _allow_files(*self._limit)
        self._mail = MailServer(self.host, self._ledger.knows, self._ledger.mailed, self._ledger.refused)
        self._mail.start()
        self._proxy = ProxyServer(self.host, self._ledger)
        self.reached_at(self._proxy.server_address[1], self._mail.port)
        self._thread = threading.Thread(
            target=self._proxy.serve_forever, args=(0.02,), name="sre-sink", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Cut all connections; no thread and no socket is left."""
        self._proxy.close()
        self._thread.join()
        self._mail.close()
        if sys.platform != "win32":
            resource.setrlimit(resource.RLIMIT_NOFILE, self._limit)

    def reached_at(self, port: int, mail_port: int, host: str = "") -> None:
        """Tell where the servers reach the proxy (and alerts API) and the mail server."""
        self.address = f"{host or self.host}:{port}"
        """Address of the proxy and of the alerts API, host:port."""
        self.smarthost = f"{host or self.host}:{mail_port}"
        """Address of the mail server, as Alertmanager's ``smarthost`` wants it."""

    def adopt(self, connection: socket.socket, *, mail: bool) -> None:
        """Serve a connection that somebody else has accepted, as one to the mail server or to the proxy."""
        if mail:
            self._mail.adopt(connection)
        else:
            self._proxy.process_request(connection, ("", 0))

    def proxy_url(self, integration: Integration, wave: str) -> str:
        """The ``proxy_url`` that marks an integration's requests as its own."""
        token = self._ledger.register(_Caller(integration, wave))
        return f"http://{token}:{self._ledger.secret}@{self.address}"

    def hello(self, integration: Integration, wave: str, smarthost: str) -> str:
        """The SMTP ``hello`` that marks an integration's mail; ``smarthost`` is where it would really go."""
        return self._ledger.register(_Caller(integration, wave, smarthost), f".{self._ledger.secret}.invalid")

    def captures(self, wave: str) -> list[Capture]:
        """Everything received so far in one wave, oldest first."""
        with self._ledger.changed:
            return list(self._ledger.captures.get(wave, ()))

    def jira_has(self, transitions: Iterable[str]) -> None:
        """Name the transitions of Jira's issues; Alertmanager looks its own up by name."""
        self._ledger.issues.allow(transitions)

    def posted(self, name: str) -> list[PostedAlert]:
        """The alerts posted to ``/<name>/api/v2/alerts``: the last one of each label set."""
        with self._ledger.changed:
            return list(self._ledger.alerts.get(name.strip("/"), {}).values())

    def canary(self, name: str) -> str:
        """A path to call that does nothing but show, under this name, that calls arrive."""
        return f"{CANARY_PATH}{name}"

    def arrived(self, name: str) -> bool:
        """Whether a canary came."""
        with self._ledger.changed:
            return any(path.startswith(self.canary(name)) for path in self._ledger.canaries)

    @property
    def refused(self) -> tuple[str, ...]:
        """Who was turned away, and where they wanted to go; each text once."""
        with self._ledger.changed:
            return tuple(self._ledger.refusals)

    def wait(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Wait until the predicate holds, asked after each change; False after ``timeout`` seconds."""
        ledger, deadline = self._ledger, time.monotonic() + timeout
        while True:
            seen = ledger.events
            if predicate():
                return True
            with ledger.changed:
                while ledger.events == seen:
                    left = deadline - time.monotonic()
                    if left <= 0 or not ledger.changed.wait(left):
                        return False


def _allow_files(soft: int, hard: int) -> None:
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Ledger:
    """All that was seen, and whom the tokens stand for. The servers write to it from their threads."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        self.captures: dict[str, list[Capture]] = {}
        self.alerts: dict[str, dict[frozenset[tuple[str, str]], PostedAlert]] = {}
        self.refusals: dict[str, None] = {}
        self.canaries: list[str] = []
        self.issues = Issues()
        self.changed = threading.Condition()
        self.events = 0
        self._callers: dict[str, _Caller] = {}
        self._receivers: dict[str, int] = {}
        self._waves: dict[str, int] = {}

    def register(self, caller: _Caller, suffix: str = "") -> str:
        """A token for a caller; the same one whenever asked."""
        item = caller.integration
        with self.changed:
            receiver = self._receivers.setdefault(item.receiver, len(self._receivers))
            wave = self._waves.setdefault(caller.wave, len(self._waves))
        token = f"r{receiver}-{item.kind}-{item.index}-w{wave}{suffix}"
        self._callers[token] = caller
        return token

    def knows(self, hello: str) -> bool:
        return hello in self._callers

    def caller(self, credentials: str) -> _Caller | None:
        """Whom a Proxy-Authorization header names, if the secret is right."""
        scheme, _, encoded = credentials.partition(" ")
        try:
            token, _, secret = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return None
        right = scheme.lower() == "basic" and secrets.compare_digest(secret.encode(), self.secret.encode())
        return self._callers.get(token) if right else None

    def arrived(self, path: str) -> None:
        """Note that the way to the sink works."""
        with self.changed:
            self.canaries.append(path)
            self._notify()

    def refused(self, text: str) -> None:
        """Note who was turned away."""
        with self.changed:
            self.refusals[text] = None
            self._notify()

    def notified(
        self, caller: _Caller, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Keep a request and answer it as its vendor would."""
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        kind = caller.integration.kind
        if kind == "jira":
            result = self.issues.answer(caller.wave, method, path, body)
        else:
            result = answer(kind, method, parts.hostname or "", path, body)
        self._record(
            Capture(
                *(caller.integration, caller.wave, url, method, path, time.time()),
                *(result.status, headers, body, result.auxiliary),
            )
        )
        return result

    def mailed(self, mail: Mail) -> None:
        """Keep an e-mail."""
        caller, recipients = self._callers[mail.hello], ", ".join(mail.recipients)
        destination = f"smtp://{caller.smarthost} -> {recipients}"
        headers = {"From": mail.sender, "To": recipients}
        self._record(
            Capture(
                *(caller.integration, caller.wave, destination, "MAIL", "", time.time()),
                *(250, headers, mail.raw),
            )
        )

    def posted(self, name: str, body: bytes) -> Answer:
        """Keep the alerts that Prometheus posts; a repetition replaces what was there."""
        try:
            alerts = [_posted_alert(item, time.time()) for item in json.loads(body)]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            self.refused(f"POST /{name}{ALERTS_PATH}: {error!r}")
            return Answer(400)
        with self.changed:
            stored = self.alerts.setdefault(name, {})
            stored.update((frozenset(alert.labels.items()), alert) for alert in alerts)
            self._notify()
        return Answer(200)

    def _record(self, capture: Capture) -> None:
        with self.changed:
            self.captures.setdefault(capture.wave, []).append(capture)
            self._notify()

    def _notify(self) -> None:
        self.events += 1
        self.changed.notify_all()


def _posted_alert(item: Mapping[str, Any], now: float) -> PostedAlert:
    return PostedAlert(
        dict(item["labels"]),
        dict(item.get("annotations") or {}),
        item.get("startsAt", ""),
        item.get("endsAt", ""),
        item.get("generatorURL", ""),
        now,
    )
