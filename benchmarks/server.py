"""A server of the events contract that is no bottleneck: raw asyncio, responses built once and kept.

The size of the account and the server's latency are in the path, so that one process serves all
measurements: `/1000x100/50ms/v1/events` has 1,000 events of 100 attendees each, and answers 50 ms
after it was asked, however many ask; in `/1000x100/0ms-dirty/` attendees are not all as the schema says.
Lists of attendees have no total, as the vendor's have none, and pages of 100 are full: only the request
behind the last one shows the end. `/stats` tells requests and processor seconds since it was last asked.

    python -m benchmarks.server 8799
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from functools import lru_cache
from http import HTTPStatus
from typing import cast

from benchmarks.data import FIRST_EVENT, attendees_json, events_json
from typing_extensions import override

KEY = "bench-key"
MAX_LIMIT = 100
_DEFAULT_LIMIT = 20
_KEPT = 2400
"""Responses kept: all of 1,000 x 100. Those of a larger account are filled into templates when asked for."""

_REQUEST = re.compile(
    rb"GET /(\d+)x(\d+)/(\d+)ms(-dirty)?/v1/events(?:/(\d+)/attendees)?/?(?:\?(\S*))? HTTP/1.1\r\n"
)
_AUTHORIZED = re.compile(rb"\r\nx-api-key: *" + KEY.encode() + rb"\r\n", re.IGNORECASE)


def _response(status: HTTPStatus, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: application/json; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _error(status: HTTPStatus, message: str) -> bytes:
    return _response(status, json.dumps({"message": message}).encode())


@lru_cache(_KEPT)
def page(events: int, attendees: int, event_id: int | None, query: bytes, *, dirty: bool) -> bytes:
    """The response that holds one page of events, or of an event's attendees."""
    numbers = {name: int(value) for name, value in re.findall(rb"(offset|limit)=(\d+)", query)}
    start = numbers.get(b"offset", 0)
    limit = min(numbers.get(b"limit", _DEFAULT_LIMIT), MAX_LIMIT)
    name, total = ("events", events) if event_id is None else ("attendees", attendees)
    stop = min(start + limit, total)
    if event_id is not None and not FIRST_EVENT <= event_id < FIRST_EVENT + events:
        return _error(HTTPStatus.NOT_FOUND, f"Event {event_id} does not exist")
    if start >= stop:
        return _error(HTTPStatus.NOT_FOUND, f"No {name} found")
    if event_id is None:
        head = f'{{"pagination":[{{"offset":{start},"limit":{limit},"total":{total}}}],"events":['
        return _response(HTTPStatus.OK, head.encode() + events_json(start, stop) + b"]}")
    rows = attendees_json(event_id, start, stop, dirty=dirty)
    return _response(HTTPStatus.OK, b'{"attendees":[' + rows + b"]}")


class Stats:
    """What the server did since it was last asked."""

    def __init__(self) -> None:
        self.requests = 0
        self._since = time.process_time()

    def read(self) -> bytes:
        """Tell, and start again."""
        seconds = time.process_time() - self._since
        body = json.dumps({"requests": self.requests, "seconds": seconds}).encode()
        self.requests, self._since = 0, time.process_time()
        return _response(HTTPStatus.OK, body)


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        """Answer the requests that are whole; GETs have no body."""
        *requests, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for request in requests:
            self._answer(request + b"\r\n")

    def _answer(self, request: bytes) -> None:
        found = _REQUEST.match(request)
        if request.startswith(b"GET /stats "):
            self._transport.write(self._stats.read())
        elif not found:
            self._transport.write(_error(HTTPStatus.NOT_FOUND, "No such path"))
        elif not _AUTHORIZED.search(request):
            self._transport.write(_error(HTTPStatus.UNAUTHORIZED, "Wrong key"))
        else:
            self._stats.requests += 1
            events, attendees, latency, dirty, event_id, query = found.groups()
            event = int(event_id) if event_id else None
            response = page(int(events), int(attendees), event, query or b"", dirty=bool(dirty))
            if int(latency):
                loop = asyncio.get_running_loop()
                loop.call_later(int(latency) / 1000, self._transport.write, response)
            else:
                self._transport.write(response)


async def serve(port: int) -> None:
    """Serve on loopback, and print the address when ready.

    Args:
        port: Where to listen; 0 for any free port.
    """
    stats = Stats()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(stats), "127.0.0.1", port, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
