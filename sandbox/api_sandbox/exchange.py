"""One request and its answer on the wire, down to breaking the connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn.server import Protocols

    from api_sandbox.log import Entry

_LINGER_NOT = struct.pack("ii", 1, 0)
"""Makes closing a socket send RST in the place of FIN."""


class Raw(NamedTuple):
    """An answer as it goes over the wire, but for its length."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def build(cls, status: int, headers: Mapping[str, str], body: bytes) -> Raw:
        """An answer with its headers as text; names in lower case."""
        return cls(status, [(name.lower().encode(), value.encode()) for name, value in headers.items()], body)


async def collect(app: ASGIApp, scope: Scope, receive: Receive) -> Raw:
    """What the app answers, in the place of sending it."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    headers = [(name, value) for name, value in messages[0]["headers"] if name != b"content-length"]
    return Raw(messages[0]["status"], headers, b"".join(message.get("body", b"") for message in messages[1:]))


@dataclass(frozen=True)
class Exchange:
    """A request that is being answered."""

    scope: Scope
    receive: Receive
    send: Send
    entry: Entry
    connections: Collection[Protocols]

    @property
    def accepts_gzip(self) -> bool:
        """Whether the client understands gzip."""
        return any(name == b"accept-encoding" and b"gzip" in value for name, value in self.scope["headers"])

    async def pause(self, seconds: float) -> bool:
        """Wait; False at once when the client goes away (or the server stops) meanwhile."""
        try:
            await asyncio.wait_for(self.gone(), seconds)
        except asyncio.TimeoutError:
            return True
        return False

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def send_whole(self, raw: Raw) -> None:
        """Send an answer as it should be."""
        await self._start(raw)
        await self.send({"type": "http.response.body", "body": raw.body})

    async def send_cut(self, raw: Raw) -> None:
        """Announce the whole length, send half of it, and close."""
        await self._start(raw)
        await self.send(
            {"type": "http.response.body", "body": raw.body[: len(raw.body) // 2], "more_body": True}
        )
        await self.close()

    async def close(self) -> None:
        """End the connection in good order, answered or not."""
        self._transport().close()
        await self.gone()

    async def reset(self) -> None:
        """Break the connection: the client's system reports a reset."""
        transport = self._transport()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
        await self.gone()

    async def _start(self, raw: Raw) -> None:
        self.entry.status = raw.status
        headers = [*raw.headers, (b"content-length", str(len(raw.body)).encode())]
        await self.send({"type": "http.response.start", "status": raw.status, "headers": headers})

    def _transport(self) -> asyncio.Transport:
        """The connection below this request; only the sandbox's own runner gives access to it."""
        transports = [connection.transport for connection in self.connections]
        return next(
            each for each in transports if each.get_extra_info("peername")[:2] == self.scope["client"]
        )
