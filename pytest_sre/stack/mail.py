"""A local SMTP server that keeps what it is sent. It asks for no password and offers no TLS."""

from __future__ import annotations

import asyncio
import socket
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

_NAME = "sink.pytest-sre.invalid"


@dataclass(frozen=True, slots=True)
class Mail:
    """One message; ``hello`` is the name that the client greeted with, ``raw`` the message as sent."""

    hello: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class MailServer:
    """Listens on ``host`` from ``start`` to ``close``; a client whose hello is not ``known`` gets a 550.

    The callbacks are called in the server's own thread.
    """

    def __init__(
        self,
        host: str,
        known: Callable[[str], bool],
        received: Callable[[Mail], None],
        refused: Callable[[str], None],
    ) -> None:
        self._host = host
        self._hooks = _Hooks(known, received, refused)
        self._sessions: weakref.WeakSet[_Smtp] = weakref.WeakSet()
        self.port = 0

    def start(self) -> None:
        """Listen on a free port."""
        self._loop = asyncio.new_event_loop()
        listening = self._loop.create_server(self._session, self._host, 0, backlog=1024)
        self._server = self._loop.run_until_complete(listening)
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="sre-mail", daemon=True)
        self._thread.start()

    def adopt(self, connection: socket.socket) -> None:
        """Serve a connection that somebody else has accepted."""
        serving = self._loop.connect_accepted_socket(self._session, connection)
        asyncio.run_coroutine_threadsafe(serving, self._loop)

    def close(self) -> None:
        """Stop; no thread and no socket is left."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    def _session(self) -> _Smtp:
        # A host name of our own: aiosmtpd would look one up in the DNS.
        session = _Smtp(
            self._hooks, hostname=_NAME, ident="pytest-sre", enable_SMTPUTF8=True, loop=self._loop
        )
        self._sessions.add(session)
        return session

    async def _end(self) -> None:
        self._server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                cast(asyncio.WriteTransport, session.transport).abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the transports close their sockets


class _Smtp(SMTP):
    # Alertmanager does not fold long ASCII headers, and common servers take more than the 998 of RFC 5322.
    line_length_limit = 1 << 20


class _Hooks:
    """aiosmtpd's handler: it finds these methods by name."""

    def __init__(
        self,
        known: Callable[[str], bool],
        received: Callable[[Mail], None],
        refused: Callable[[str], None],
    ) -> None:
        self.known, self.received, self.refused = known, received, refused

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        return responses if self._greet(session, hostname) else ["550 unknown client"]

    async def handle_HELO(self, server: Any, session: Session, envelope: Envelope, hostname: str) -> str:
        return f"250 {_NAME}" if self._greet(session, hostname) else "550 unknown client"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        self.received(Mail(str(session.host_name), str(envelope.mail_from), tuple(envelope.rcpt_tos), raw))
        return "250 OK: queued"

    def _greet(self, session: Session, hostname: str) -> bool:
        if not self.known(hostname):
            self.refused(f"SMTP: unknown hello {hostname!r}")
            return False
        session.host_name = hostname
        return True
