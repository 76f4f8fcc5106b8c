"""The log of requests that tests count and inspect."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from api_sandbox.matching import path_matches

if TYPE_CHECKING:
    from starlette.types import Scope


class Entry(msgspec.Struct, eq=False):
    """One request to an API; ``status`` is None while it runs and when it never got an answer."""

    method: str
    path: str
    query: str
    time: float
    """Arrival, in seconds of the monotonic clock."""
    running: int
    """Requests in progress at its arrival, this one included."""
    client: int
    """Port of the client's connection: the same port is the same connection."""
    raw_headers: list[tuple[bytes, bytes]]
    seconds: float | None = None
    status: int | None = None
    faults: tuple[str, ...] = ()
    """Kinds of the faults that hit it."""

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers by lower-case name."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw_headers}

    def public(self, *, headers: bool) -> dict[str, Any]:
        """The entry as the control endpoint shows it."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name != "raw_headers"}
        return {**shown, "headers": self.headers} if headers else shown


class RequestLog:
    """All requests to the APIs since the last clear, in order of arrival."""

    def __init__(self) -> None:
        """Start empty."""
        self.entries: list[Entry] = []
        self.in_progress: list[Entry] = []

    def open(self, scope: Scope) -> Entry:
        """Note a request that has arrived."""
        client = scope.get("client") or ("", 0)
        query = scope["query_string"].decode("latin-1")
        entry = Entry(
            scope["method"],
            scope["path"],
            query,
            time.monotonic(),
            len(self.in_progress) + 1,
            client[1],
            scope["headers"],
        )
        self.entries.append(entry)
        self.in_progress.append(entry)
        return entry

    def close(self, entry: Entry) -> None:
        """Note that a request is over."""
        entry.seconds = time.monotonic() - entry.time
        self.in_progress.remove(entry)

    def matching(self, path: str) -> list[Entry]:
        """The entries whose path matches a prefix or regular expression."""
        return [entry for entry in self.entries if path_matches(path, entry.path)]

    def report(self, path: str = "", *, headers: bool = False) -> dict[str, Any]:
        """Counts and entries, as the control endpoint sends them."""
        entries = self.matching(path)
        return {
            "count": len(entries),
            "by_path": Counter(entry.path for entry in entries),
            "by_status": Counter(str(entry.status) for entry in entries),
            "most_running": max((entry.running for entry in entries), default=0),
            "requests": [entry.public(headers=headers) for entry in entries],
        }

    def clear(self) -> None:
        """Forget all entries."""
        self.entries.clear()
