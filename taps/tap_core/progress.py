"""What a run tells while it goes on and when it is over: a line per stream, none per request or parent."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, cast

from tap_core.progress_bar import LiveLines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_core.stream import ApiStream

INTERVAL = 10.0
"""Seconds between two lines about a stream that is being read."""


class Progress:
    """Tells how far the streams of a run are: in live lines on a terminal, else in the log."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()
        self._rows: dict[str, int] = {}
        self._live: LiveLines | None = None

    def start(self) -> None:
        """The run begins."""
        if LiveLines.wanted():
            with contextlib.suppress(ImportError):
                self._live = LiveLines()

    def close(self) -> None:
        """The run is over."""
        if self._live:
            self._live.close()

    def tell(self, streams: Iterable[object]) -> None:
        """Say how far the streams are that have moved, if it is time to."""
        if self._live:
            self._live.show(cast("Iterable[ApiStream]", streams))
            return
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
