"""Below the client: connections that keep a deadline, and bodies that keep a size.

`requests` supplies the session with its proxies and certificates, and urllib3 the pool. What `requests`
does besides for each call (cookies, redirects, hooks, its own look at the environment) is left out: it
takes as long as the rest.
"""

from __future__ import annotations

import http.client
import io
import logging
import ssl
import time
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

CONNECT_TIMEOUT = 4.0
"""Seconds at most to wait for a connection; an address where nobody listens should be known soon."""

ENCODINGS = "gzip, deflate"
"""What `read_body` can unpack."""

_MB = 1 << 20
_NO_RETRIES = Retry(total=False)
_GZIP = b"\x1f\x8b"
# A line of an answer's head that makes no sense is the server's fault, and no news in a traceback.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

_DROPPED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Dropped(ConnectionResetError):
    """The server closed a kept connection before it got the request."""


class TooLarge(Exception):
    """A body is larger than it may be."""


class Answer(requests.Response):
    """A response without what nobody asks for, such as cookies, whose making takes time."""

    def __init__(self, request: requests.PreparedRequest, raw: Any) -> None:
        self.request = request
        self.raw = raw
        self.url = str(request.url)
        self.status_code = raw.status
        self.reason = raw.reason
        self.headers = raw.headers
        self.history = []
        self.encoding = None
        self._content: Any = False
        self._content_consumed = False


class Transport(HTTPAdapter):
    """Sends requests with a deadline that holds from connecting to the last byte of the body.

    Args:
        session: Where proxies and certificates come from.
        concurrency: Connections to keep.
        request_timeout: Seconds for a request as a whole.
        max_body: MB that a body may have, unpacked.
    """

    def __init__(
        self, session: requests.Session, *, concurrency: int, request_timeout: float, max_body: int
    ) -> None:
        self._session = session
        self._timeout = Timeout(connect=min(CONNECT_TIMEOUT, request_timeout), total=request_timeout)
        self._limit = max_body * _MB
        self._routes: dict[str, _Route] = {}
        super().__init__(pool_connections=2, pool_maxsize=concurrency)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Set up the pools, with connections that keep a deadline."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The pools for a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def fetch(self, request: requests.PreparedRequest) -> Answer:
        """Send a request once, and read the whole answer; redirects are not followed.

        Raises:
            TooLarge: The body is.
            urllib3.exceptions.HTTPError: There was no whole answer.
            requests.RequestException: The URL makes no sense.
            ValueError: As does the body's framing, or a header to send.
        """
        url = str(request.url)
        origin = url[: url.find("/", len("https://"))]
        route = self._routes.get(origin) or self._find_route(origin, request)
        began = time.monotonic()
        raw = route.pool.urlopen(
            "GET",
            url if route.is_proxied else url[len(origin) :],
            headers=request.headers,
            retries=_NO_RETRIES,
            timeout=self._timeout,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        answer = Answer(request, raw)
        try:
            answer._content = read_body(raw, self._limit)  # noqa: SLF001  as `requests` does
        except BaseException:
            raw.close()
            raise
        answer.elapsed = timedelta(seconds=time.monotonic() - began)
        return answer

    def _find_route(self, origin: str, request: requests.PreparedRequest) -> _Route:
        settings = self._session.merge_environment_settings(str(request.url), {}, None, None, None)
        proxies, verify, cert = settings["proxies"], settings["verify"], settings["cert"]
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        self.cert_verify(pool, str(request.url), verify, cert)  # type: ignore[no-untyped-call]
        is_proxied = self.request_url(request, proxies) != request.path_url
        return self._routes.setdefault(origin, _Route(pool, is_proxied))


class _Route(NamedTuple):
    """How to reach a server."""

    pool: Any
    is_proxied: bool
    """Whether a proxy is to be given the whole URL."""


def read_body(raw: Any, limit: int) -> bytes:
    """A body, unpacked.

    Args:
        raw: The response as urllib3 gives it, with nothing read of it.
        limit: Bytes that it may have, packed and unpacked.

    Raises:
        TooLarge: It has more.
        ValueError: It can't be unpacked, or the sizes of its chunks make no sense.
    """
    length = raw.length_remaining
    if length is not None and length > limit:
        raise TooLarge
    data: bytes = raw.read(None if length is not None else limit + 1, decode_content=False)
    if len(data) > limit:
        raise TooLarge
    for encoding in reversed(raw.headers.get("Content-Encoding", "").lower().split(",")):
        if encoding.strip() in {"gzip", "x-gzip", "deflate"}:
            data = _unpack(data, limit)
        elif encoding.strip() not in {"", "identity"}:
            raise ValueError("packed in a way that was not asked for")
    return data


def _unpack(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit + 1
    while data[:2] == _GZIP or not parts:  # gzip may come in several members, with anything behind them
        try:
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its first bytes
            part = unpacker.decompress(data, left)
        except zlib.error:
            try:
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without a head, as some servers send
                part = unpacker.decompress(data, left)
            except zlib.error:
                raise ValueError("can't be unpacked") from None
        parts.append(part)
        left -= len(part)
        if left <= 0:
            raise TooLarge
        data = unpacker.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _BoundedReader(io.RawIOBase):
    """What comes in from a socket, until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """A socket as `http.client` wants it, to read an answer from."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._sock, self._deadline), 1 << 16)


class _Bounded(HTTPConnection):
    """A connection whose time-out holds for an answer as a whole, and that knows if it was used before."""

    _answered = False

    @override
    def connect(self) -> None:
        self._answered = False
        super().connect()

    @override
    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        try:
            super().request(method, url, *args, **kwargs)
        except _DROPPED as error:
            self._check_dropped(error)
            raise

    @override
    def getresponse(self) -> Any:
        try:
            response = super().getresponse()
        except _DROPPED as error:
            self._check_dropped(error)
            raise
        self._answered = True
        return response

    @override
    def response_class(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:  # type: ignore[override]
        deadline = time.monotonic() + (self.timeout or 0)
        return http.client.HTTPResponse(_BoundedSocket(sock, deadline), *args, **kwargs)  # type: ignore[arg-type]

    def _check_dropped(self, error: BaseException) -> None:
        if self._answered:
            raise Dropped from error


class _BoundedTls(_Bounded, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTls


_POOLS: Mapping[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}
