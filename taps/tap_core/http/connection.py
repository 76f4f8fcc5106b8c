"""Connections of urllib3 that keep a deadline and a size, and give an answer whole.

Most answers have a plain head: these are read here, as the general parser of `http.client` takes longer for
the head than all else takes together. Any other head is left to it, from the very same bytes.
"""

from __future__ import annotations

import http.client
import io
import re
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

CONNECT_TIMEOUT = 4.0
"""Seconds at most to wait for a connection; an address where nobody listens should be known soon."""

_DROPPED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_BUFFER = 1 << 16
_LEAST = 0.001
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d) ?([^\r\n]*)\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)+)\r\n"
)
_WITHOUT_BODY = (204, 304)


class Dropped(ConnectionResetError):
    """The server closed a kept connection before it got the request."""


class TooLarge(Exception):
    """A body is larger than it may be."""


class WholeResponse:
    """A response whose body has come, still packed: what the pool asks of one, and the body."""

    version_string = "HTTP/1.1"
    length_remaining = 0

    def __init__(self, status: int, reason: str, headers: HTTPHeaderDict, body: bytes) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body


class _BoundedReader(io.RawIOBase):
    """What comes in from a socket, until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock.recv_into(buffer)


class _Incoming:
    """A socket as `http.client` wants it, to read an answer from."""

    def __init__(self, sock: socket.socket, seconds: float | None) -> None:
        deadline = time.monotonic() + (seconds or 0)
        self.reader = io.BufferedReader(_BoundedReader(sock, deadline), _BUFFER)

    def makefile(self, _mode: str) -> io.BufferedReader[_BoundedReader]:
        return self.reader


class _Bounded(HTTPConnection):
    """A connection whose time-out holds for an answer as a whole, and that knows if it was used before."""

    _answered = False

    def __init__(self, *args: Any, max_body: int, request_timeout: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._max_body = max_body
        self._request_timeout = request_timeout

    @override
    def connect(self) -> None:
        self._answered = False
        super().connect()

    @override
    def _new_conn(self) -> socket.socket:
        """Connect; a proxy's tunnel and the handshakes have what is left of the whole time, as answers do."""
        began = time.monotonic()
        sock = super()._new_conn()
        self.timeout = max(self._request_timeout - (time.monotonic() - began), _LEAST)
        sock.settimeout(self.timeout)
        return sock

    @override
    def request(self, method: str, url: str, *_: Any, headers: Mapping[str, str], **__: Any) -> None:  # type: ignore[override]  # what the pool calls
        """Send a request without a body, with these headers, which were checked, and no others."""
        if self.sock is None:
            self.connect()
        lines = [f"{method} {url} HTTP/1.1", *map(": ".join, headers.items()), "\r\n"]
        self.sock.settimeout(self.timeout)
        try:
            self.sock.sendall("\r\n".join(lines).encode("latin-1"))
        except _DROPPED as error:
            self._check_dropped(error)
            raise

    @override
    def getresponse(self) -> WholeResponse:  # type: ignore[override]  # the pool needs no more of it
        """Read an answer, its body included.

        Raises:
            Dropped: There is none, or one that only says that the connection was kept for too long (408).
            TooLarge: The body is.
            http.client.HTTPException: The answer makes no sense, or breaks off.
        """
        incoming = _Incoming(self.sock, self.timeout)
        try:
            begin = incoming.reader.peek()
        except _DROPPED as error:
            self._check_dropped(error)
            raise
        if not begin:
            closed = http.client.RemoteDisconnected("Remote end closed connection without response")
            self._check_dropped(closed)
            raise closed
        was_kept, self._answered = self._answered, True
        response = self._plain(incoming.reader, begin) or self._any(incoming)
        if was_kept and response.status == HTTPStatus.REQUEST_TIMEOUT and self.is_closed:
            raise Dropped
        return response

    def _plain(self, reader: io.BufferedReader[_BoundedReader], begin: bytes) -> WholeResponse | None:
        """An answer with a plain head, the usual case; None, and nothing read, for another."""
        head = _PLAIN_HEAD.match(begin)
        if not head:
            return None
        headers = HTTPHeaderDict()
        for line in head[3][:-2].decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            headers.add(name, value.strip())
        length, status = headers.get("Content-Length", ""), int(head[1])
        if not length.isdecimal() or "Transfer-Encoding" in headers or status in _WITHOUT_BODY:
            return None
        size = int(length)
        if size > self._max_body:
            raise TooLarge
        reader.read(head.end())
        body = reader.read(size)
        if len(body) < size:
            raise http.client.IncompleteRead(body, size - len(body))
        if headers.get("Connection", "keep-alive").lower() != "keep-alive":
            self.close()
        return WholeResponse(status, head[2].decode("latin-1").strip(), headers, body)

    def _any(self, incoming: _Incoming) -> WholeResponse:
        response = _final(incoming)
        is_known = response.length is not None
        if (response.length or 0) > self._max_body:
            raise TooLarge
        body = response.read() if is_known else response.read(self._max_body + 1)
        if len(body) > self._max_body:
            raise TooLarge
        if response.will_close:
            self.close()
        headers = HTTPHeaderDict((name, value.strip()) for name, value in response.headers.items())
        return WholeResponse(response.status, response.reason, headers, body)

    @override
    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:  # type: ignore[override]
        """What a proxy answers when it is asked for a tunnel."""
        return http.client.HTTPResponse(_Incoming(sock, self.timeout), *args, **kwargs)  # type: ignore[arg-type]

    def _check_dropped(self, error: BaseException) -> None:
        if self._answered:
            raise Dropped from error


def _final(incoming: _Incoming) -> http.client.HTTPResponse:
    """The head of the answer, behind those that only announce it: 102, 103 and others of their kind."""
    while True:
        response = http.client.HTTPResponse(incoming, method="GET")  # type: ignore[arg-type]
        response.begin()
        if response.status >= HTTPStatus.OK:
            return response
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise http.client.BadStatusLine("101 Switching Protocols")
        response.fp = None  # type: ignore[assignment]  # else it closes what the answer is read from


class _BoundedTls(_Bounded, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded  # type: ignore[assignment]  # its answers are whole


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTls  # type: ignore[assignment]


POOLS: Mapping[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}
