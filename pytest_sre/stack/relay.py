"""Runs in a container of its own, with nothing but Python's standard library: connections between two networks.

It never routes. What the servers open, it hands over on connections that pytest has opened before; pytest may have it
open connections to servers in their network, and to nothing else. It ends when pytest's first connection does.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import json
import pathlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GREETING_TIMEOUT = 30.0  # seconds
CHUNK = 1 << 16  # bytes
BACKLOG = 4096
HTTP_PORT, MAIL_PORT = 8080, 8025
HTTP, MAIL = b"h", b"m"


class Relay:
    """``config``: see `docker_relay`."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.secret = config["secret"].encode()
        self.inner = ipaddress.ip_network(config["inner"])
        self.port: int = config["port"]
        self.servers: list[int] = config["servers"]
        self.stays: bool = config["stays"]
        self.parked: asyncio.Queue[Pipe] = asyncio.Queue()
        self.over = asyncio.Event()

    async def run(self) -> None:
        """Listen until pytest is gone."""
        listening = {self.port: self.greet, HTTP_PORT: self.handing(HTTP), MAIL_PORT: self.handing(MAIL)}
        for port, serve in listening.items():
            await asyncio.start_server(serve, "0.0.0.0", port, backlog=BACKLOG)
        await self.over.wait()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A caller says the secret and what it wants, in one line; whoever can't is cut off without a word."""
        with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.LimitOverrunError, ValueError):
            line = await asyncio.wait_for(reader.readline(), GREETING_TIMEOUT)
            secret, _, wish = line.strip().partition(b" ")
            if hmac.compare_digest(secret, self.secret) and await self.grant(
                wish.decode().split(), (reader, writer)
            ):
                return
        writer.close()

    async def grant(self, wish: list[str], caller: Pipe) -> bool:
        """Do what a caller wants; whether the connection is still needed."""
        reader, writer = caller
        if wish == ["control"]:
            writer.write(b"+")
            await reader.read()
            if not self.stays:
                self.over.set()
        elif wish == ["park"]:
            self.parked.put_nowait(caller)
            return True
        elif wish[:1] == ["dial"] and len(wish) == 3:
            host, port = ipaddress.ip_address(wish[1]), int(wish[2])
            if host in self.inner and port in self.servers:
                await splice(caller, await asyncio.open_connection(str(host), port))
        return False

    def handing(self, kind: bytes) -> Callable[..., Awaitable[None]]:
        """What to do with a server's connection: pytest is told in one byte which port it came to."""

        async def hand_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer, *_ = writer.get_extra_info("peername")
            while ipaddress.ip_address(peer) in self.inner:
                to = await self.parked.get()
                if to[0].at_eof():  # its other end is gone
                    to[1].close()
                    continue
                to[1].write(kind)
                await splice((reader, writer), to)
                return
            writer.close()

        return hand_over


async def splice(one: Pipe, other: Pipe) -> None:
    """Pass bytes both ways until both sides have ended, or one has failed."""
    try:
        await asyncio.gather(pump(one[0], other[1]), pump(other[0], one[1]))
    except OSError:
        pass
    finally:
        one[1].close()
        other[1].close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes one way, and then the end."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


if __name__ == "__main__":
    asyncio.run(Relay(json.loads(pathlib.Path(sys.argv[1]).read_text())).run())
