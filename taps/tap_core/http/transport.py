"""Below the client: one request sent over the right connection, and its whole answer unpacked.

`requests` supplies the session with its proxies and certificates, and urllib3 the pool. What `requests`
does besides for each call (cookies, redirects, hooks, its own look at the environment) is left out: it
takes as long as the rest.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from queue import Empty, Full
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from typing_extensions import override
from urllib3 import Retry, Timeout
from urllib3.exceptions import ProtocolError, ReadTimeoutError, SSLError

from tap_core.errors import Hopeless
from tap_core.http import messages
from tap_core.http.connection import CONNECT_TIMEOUT, POOLS, TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_core.http.connection import WholeResponse

ENCODINGS = "gzip, deflate"
"""How a body may be packed."""

_MB = 1 << 20
_NO_RETRIES = Retry(total=False)
_GZIP = b"\x1f\x8b"
_PIECE = 4096
# A line of an answer's head that makes no sense is the server's fault, and no news in a traceback.
for _name in ("connection", "connectionpool"):
    logging.getLogger(f"urllib3.{_name}").setLevel(logging.ERROR)


class Answer(requests.Response):
    """A response without what nobody asks for, such as cookies, whose making takes time."""

    def __init__(self, request: requests.PreparedRequest, response: WholeResponse, body: bytes) -> None:
        self.request = request
        self.raw = None
        self.url = str(request.url)
        self.status_code = response.status
        self.reason = response.reason
        self.headers = response.headers  # type: ignore[assignment]  # as good, and the same words
        self.history = []
        self.encoding = None
        self._content = body
        self._content_consumed = True


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
        self.poolmanager.pool_classes_by_scheme = POOLS

    @override
    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The pools for a proxy.

        Raises:
            requests.exceptions.InvalidSchema: It is one of SOCKS, whose connections are not ours.
        """
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def fetch(self, request: requests.PreparedRequest) -> Answer:
        """Send a request once, and read the whole answer; redirects are not followed.

        Raises:
            TooLarge: The body is.
            Hopeless: The environment names a proxy, or certificates, that can't be used.
            urllib3.exceptions.HTTPError: There was no whole answer.
            requests.RequestException: The URL makes no sense.
            ValueError: As does the body's framing, or a header to send.
        """
        url = str(request.url)
        origin = url[: url.find("/", len("https://"))]
        route = self._routes.get(origin) or self._find_route(origin, request)
        began = time.monotonic()
        target = url if route.is_proxied else url[len(origin) :]
        response = self._send(route, target, {"Host": route.host, **request.headers})
        answer = Answer(request, response, _unpacked(response, self._limit))
        answer.elapsed = timedelta(seconds=time.monotonic() - began)
        return answer

    def _send(self, route: _Route, target: str, headers: dict[str, str]) -> WholeResponse:
        """Send a request: over a kept connection, or over a new one, which is urllib3's to make."""
        connection = route.take_kept()
        if connection is None:
            first: WholeResponse = route.pool.urlopen(
                "GET",
                target,
                headers=headers,
                retries=_NO_RETRIES,
                timeout=self._timeout,
                redirect=False,
                assert_same_host=False,
            )
            return first
        response: WholeResponse | None = None
        connection.timeout = self._timeout.total
        try:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
        except TimeoutError as error:
            raise ReadTimeoutError(route.pool, target, "Read timed out") from error
        except ssl.SSLError as error:
            raise SSLError(error) from error
        except (OSError, HTTPException) as error:
            raise ProtocolError("Connection aborted", error) from error
        finally:
            if response is None:
                connection.close()
            route.give_back(connection)
        return response

    def _find_route(self, origin: str, request: requests.PreparedRequest) -> _Route:
        settings = self._session.merge_environment_settings(str(request.url), {}, None, None, None)
        proxies, verify, cert = settings["proxies"], settings["verify"], settings["cert"]
        scheme, host = messages.origin(origin)
        proxy = select_proxy(str(request.url), proxies)
        try:
            pool: Any = self.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
            if pool.proxy:
                pool.proxy.host.encode("idna")  # where it makes no name, connecting would blame the URL
        # `requests` has a TypeError for a user without a host.
        except (ValueError, TypeError, requests.RequestException) as error:
            if not proxy:
                raise
            raise Hopeless(messages.bad_proxy(scheme, proxy, error)) from None
        if pool.scheme == "https" and isinstance(verify, str):
            _check_bundle(verify)
        # By the pool and not by the URL: a proxy can be reached over TLS where the server is not.
        self.cert_verify(pool, f"{pool.scheme}://", verify, cert)  # type: ignore[no-untyped-call]
        pool.conn_kw |= {"max_body": self._limit, "request_timeout": self._timeout.total}
        is_proxied = self.request_url(request, proxies) != request.path_url
        return self._routes.setdefault(origin, _Route(pool, host, is_proxied))


def _check_bundle(path: str) -> None:
    """See that a file of certificates holds one; a fault of it would look like one of the server's.

    Raises:
        Hopeless: It does not.
    """
    if Path(path).is_file():
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except ssl.SSLError:
            raise Hopeless(messages.bad_bundle()) from None


class _Route(NamedTuple):
    """How to reach a server."""

    pool: Any
    host: str
    """For the header of this name."""
    is_proxied: bool
    """Whether a proxy is to be given the whole URL."""

    def take_kept(self) -> Any:
        """A connection that is still open, out of the pool; None if there is none, or a proxy between."""
        if self.pool.proxy:
            return None
        try:
            connection = self.pool.pool.get(block=False)
        except Empty:
            return None
        if connection is not None and connection.is_connected:
            return connection
        self.give_back(connection)
        return None

    def give_back(self, connection: Any) -> None:
        """Keep a connection for the next request, or close it if there are enough."""
        try:
            self.pool.pool.put(connection, block=False)
        except Full:
            if connection is not None:
                connection.close()


def _unpacked(response: WholeResponse, limit: int) -> bytes:
    """A body, unpacked; as it came where it is said to be packed in a way that was not asked for.

    Some servers name there what is no packing, such as `utf-8`.

    Raises:
        TooLarge: It has more bytes than `limit`.
        ValueError: It can't be unpacked.
    """
    data = response.body
    for encoding in reversed(response.headers.get("Content-Encoding", "").lower().split(",")):
        if encoding.strip() in {"gzip", "x-gzip", "deflate"}:
            data = _unpack(data, limit)
    return data


def _unpack(data: bytes, limit: int) -> bytes:
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its first bytes
        body = unpacker.decompress(data, limit + 1)
    except zlib.error:
        try:
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without a head, as some servers send
            body = unpacker.decompress(data, limit + 1)
        except zlib.error:
            raise ValueError("can't be unpacked") from None
    if unpacker.unused_data[:2] == _GZIP:
        body = b"".join([body, *_members(unpacker.unused_data, limit - len(body))])
    if len(body) > limit:
        raise TooLarge
    return body


def _members(data: bytes, limit: int) -> Iterator[bytes]:
    """What further members of gzip hold, of which there may be many, with anything behind them.

    Each is read piece by piece, as zlib copies what is behind its end.
    """
    rest, at = memoryview(data), 0
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while limit >= 0 and at < len(rest):
        try:
            part = unpacker.decompress(rest[at : at + _PIECE], limit + 1)
        except zlib.error:
            raise ValueError("can't be unpacked") from None
        at = min(at + _PIECE, len(rest)) - len(unpacker.unused_data)
        limit -= len(part)
        yield part
        if unpacker.eof:
            if rest[at : at + 2] != _GZIP:
                return
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
