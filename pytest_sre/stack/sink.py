"""The receivers: a forward proxy that ends every connection here and answers as the vendor would.

It also takes Prometheus' alerts (Alertmanager's API) and e-mail. It never opens a connection to anywhere.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from pytest_sre.model.routing import Integration
from pytest_sre.stack.answers import Answer, answer
from pytest_sre.stack.mail import Mail, MailServer
from pytest_sre.stack.proxy import ALERTS_PATH, ProxyServer


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
    """All receivers of a run, on 127.0.0.1; use it as a context manager."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(16)
        self._callers: dict[str, _Caller] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._captures: dict[str, list[Capture]] = {}
        self._posted: dict[str, dict[frozenset[tuple[str, str]], PostedAlert]] = {}
        self._refused: dict[str, None] = {}
        self._changed = threading.Condition()
        self._events = 0

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Listen on two free ports, one for HTTP and one for e-mail."""
        self._mail = MailServer(self._callers.__contains__, self._received, self._refuse)
        self._mail.start()
        self._server = ProxyServer(_Desk(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sre-sink", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Cut all connections; no thread and no socket is left."""
        self._server.close()
        self._thread.join()
        self._mail.close()

    @property
    def port(self) -> int:
        """The port of the proxy and of the alerts API."""
        return int(self._server.server_address[1])

    @property
    def smarthost(self) -> str:
        """Address of the mail server, as Alertmanager's ``smarthost`` wants it."""
        return f"127.0.0.1:{self._mail.port}"

    def proxy_url(self, integration: Integration, wave: str) -> str:
        """The ``proxy_url`` that marks an integration's requests as its own."""
        token = self._register(_Caller(integration, wave))
        return f"http://{token}:{self._secret}@127.0.0.1:{self.port}"

    def hello(self, integration: Integration, wave: str, smarthost: str) -> str:
        """The SMTP ``hello`` that marks an integration's mail; ``smarthost`` is where it would really go."""
        return self._register(_Caller(integration, wave, smarthost), f".{self._secret}.invalid")

    def captures(self, wave: str) -> list[Capture]:
        """Everything received so far in one wave, oldest first."""
        with self._changed:
            return list(self._captures.get(wave, ()))

    def posted(self, name: str) -> list[PostedAlert]:
        """The alerts posted to ``/<name>/api/v2/alerts``: the last one of each label set."""
        with self._changed:
            return list(self._posted.get(name.strip("/"), {}).values())

    @property
    def refused(self) -> tuple[str, ...]:
        """Who was turned away, and where they wanted to go; each text once."""
        with self._changed:
            return tuple(self._refused)

    def wait(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Wait until the predicate holds; it is asked after each change. False after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            seen = self._events
            if predicate():
                return True
            with self._changed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait_for(lambda seen=seen: self._events != seen, left)  # type: ignore[misc]

    def _register(self, caller: _Caller, suffix: str = "") -> str:
        item = caller.integration
        receiver, wave = self._number("receiver", item.receiver), self._number("wave", caller.wave)
        token = f"r{receiver}-{item.kind}-{item.index}-w{wave}{suffix}"
        self._callers[token] = caller
        return token

    def _number(self, space: str, name: str) -> int:
        with self._changed:
            taken = sum(1 for other, _ in self._numbers if other == space)
            return self._numbers.setdefault((space, name), taken)

    def _record(self, capture: Capture) -> None:
        with self._changed:
            self._captures.setdefault(capture.wave, []).append(capture)
            self._notify()

    def _refuse(self, text: str) -> None:
        with self._changed:
            self._refused[text] = None
            self._notify()

    def _notify(self) -> None:
        self._events += 1
        self._changed.notify_all()


class _Desk:
    """What the proxy and the mail server tell the sink; called from their threads."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

