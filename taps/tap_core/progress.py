"""What a run tells while it goes on and when it is over: a line per stream, none per request or parent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_core.stream import ApiStream

INTERVAL = 10.0
"""Seconds between two lines about a stream that is being read."""


class Progress:
    """Logs how far the streams of a run are."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()
        self._rows: dict[str, int] = {}

    def tell(self, streams: Iterable[object]) -> None:
        """Say how far the streams are that have moved, if it is time to."""
        seconds = time.monotonic() - self._told_at
        if seconds < INTERVAL:
            return
        self._told_at = time.monotonic()
        for stream in cast("Iterable[ApiStream]", streams):
            rows = stream.totals["rows"]
            if rows > self._rows.get(stream.name, 0):
                speed = (rows - self._rows.get(stream.name, 0)) / seconds
                self._rows[stream.name] = rows
                share = f", {rows / stream.total:.0%}" if stream.total else ""
                stream.logger.info("%s: %d rows so far%s, %.0f rows/s", stream.name, rows, share, speed)


def summarize(streams: Iterable[object]) -> None:
    """Say what each stream that was read came to."""
    for stream in cast("Iterable[ApiStream]", streams):
        traffic = stream.traffic
        if not traffic.requests:
            continue
        stream.logger.info(
            "%s: %d rows, %d requests, %d retries, %.1f s waited, %.1f s in all",
            stream.name,
            stream.totals["rows"],
            traffic.requests,
            traffic.retries,
            traffic.waited,
            stream.seconds,
        )
