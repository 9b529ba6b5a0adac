"""A forward proxy that never forwards: it ends every connection itself and hands the requests to its desk."""

from __future__ import annotations

import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

import trustme

from pytest_sre.stack.answers import Answer

ALERTS_PATH = "/api/v2/alerts"
CANARY_PATH = "/canary/"


class Desk(Protocol):
    """Who decides: the proxy calls it from many threads at once."""

    def caller(self, credentials: str) -> Any:
        """Whom a Proxy-Authorization header names; None: unknown."""

    def notified(self, caller: Any, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take a proxied request and answer it."""
        ...

    def posted(self, name: str, body: bytes) -> Answer:
        """Take a POST to ``/<name>/api/v2/alerts`` and answer it."""
        ...

    def arrived(self, path: str) -> None:
        """Take note of a request that only tries the way."""

    def refused(self, text: str) -> None:
        """Take note of a request that was turned away."""


class ProxyServer(socketserver.TCPServer):
    """A thread for each connection, known by name so that they can all be ended."""

    request_queue_size = 4096
    allow_reuse_address = True

    def __init__(self, host: str, desk: Desk) -> None:
        super().__init__((host, 0), _Handler)
        self.desk = desk
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._making = threading.Lock()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._closing = False

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._lock:
            thread.start()
            self._open[thread] = request

    def _serve(self, request: socket.socket, address: Any) -> None:
        try:
            self.finish_request(request, address)
        except Exception:
            self.handle_error(request, address)
        finally:
            self.shutdown_request(request)
            with self._lock:
                self._open.pop(threading.current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that goes away is no news
            self.desk.refused(f"the sink itself failed: {error!r}")

    def encrypt(self, connection: socket.socket, host: str) -> ssl.SSLSocket:
        """End TLS on a connection as if we were ``host``; raises OSError (ssl.SSLError is one)."""
        tls = self._context(host).wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            if self._closing:
                tls.close()
                raise ConnectionAbortedError
            self._open[threading.current_thread()] = tls
        try:
            tls.do_handshake()
        except BaseException:
            tls.close()
            raise
        return tls

    def _context(self, host: str) -> ssl.SSLContext:
        with self._making:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.num_tickets = 0
                context.sslsocket_class = _TlsSocket
                try:
                    leaf = self._authority.issue_cert(host)
                except ValueError:  # a name with an underscore, for instance; nobody verifies it anyway
                    leaf = self._authority.issue_cert("sink.invalid")
                leaf.configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        with self._lock:
            self._closing = True
            threads = list(self._open)
            for connection in self._open.values():
                with suppress(OSError):
                    # Not SSLSocket.shutdown, which takes the TLS state away from the thread that reads.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


class _TlsSocket(ssl.SSLSocket):
    """A TLS socket that is closed, not leaked, when the client has gone before it could be wrapped."""

    def getpeername(self) -> Any:
        # wrap_socket asks this first; on an error it raises and forgets the open socket.
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError from None


class _Handler(BaseHTTPRequestHandler):
    """One connection: requests to the proxy, or, after CONNECT, requests inside the tunnel."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: ProxyServer
    _origin = ""
    _tunnel: Any = None

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        origin = f"https://{self.path if port != '443' else host}"
        caller = self._authenticate(f"CONNECT {origin}")
        if caller is None:
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True
        try:
            tls = self.server.encrypt(self.connection, host.strip("[]"))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):  # it hung up: there was nothing to refuse
            return
        except ssl.SSLError as error:
            self.server.desk.refused(f"{origin}: no TLS with the sink: {error.reason or error}")
            return
        self.connection, self._origin, self._tunnel = tls, origin, caller
        self.rfile, self.wfile = tls.makefile("rb", -1), tls.makefile("wb", -1)
        self.close_connection = False

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            if self.connection is not self.request:
                self.connection.close()

    def _serve(self) -> None:
        body = self._body()
        target = self.requestline.split()[1]  # self.path has lost a second leading slash
        if self._tunnel is not None:
            self._notification(self._tunnel, self._origin + target, body)
        elif target.lower().startswith("http://"):
            caller = self._authenticate(f"{self.command} {target}")
            if caller is not None:
                self._notification(caller, target, body)
        elif self.command == "POST" and target.endswith(ALERTS_PATH):
            self._reply(self.server.desk.posted(target.removesuffix(ALERTS_PATH).strip("/"), body))
        elif target.startswith(CANARY_PATH):
            self.server.desk.arrived(target)
            self._reply(Answer(404))
        else:
            self.server.desk.refused(f"{self.command} {target}: neither a proxy request nor {ALERTS_PATH}")
            self._reply(Answer(404))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _notification(self, caller: Any, url: str, body: bytes) -> None:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() != "proxy-authorization"
        }
        self._reply(self.server.desk.notified(caller, self.command, url, headers, body))

    def _authenticate(self, request: str) -> Any:
        caller = self.server.desk.caller(self.headers.get("Proxy-Authorization", ""))
        if caller is None or self._tunnel is not None:
            self.server.desk.refused(f"{request}: unknown proxy credentials")
            self._reply(
                Answer(407, {"Proxy-Authenticate": 'Basic realm="pytest-sre"', "Connection": "close"})
            )
            return None
        return caller

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "pytest-sre"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the captures are the log."""
