"""What a run tells while it goes on and when it is over: a line per stream, none per request or parent."""

from __future__ import annotations

import contextlib
import time
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import metrics
from singer_sdk.metrics import Status, Tag

from tap_core.progress_bar import ProgressBars

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

    from tap_core.reading import Reading

INTERVAL = 10.0
"""Seconds between two lines about a stream that is being read."""

_FIRST = 3
"""Failures of a stream that are told again at the end."""


class _Metric(str, Enum):
    """Metrics that the SDK has no name for."""

    PARTLY_READ = "partly_read"


class Progress:
    """Tells how far the streams of a run are: in live lines on a terminal, else in the log."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()
        self._rows: dict[str, int] = {}
        self._bars: ProgressBars | None = None

    def start(self) -> None:
        """The run begins."""
        if ProgressBars.wanted():
            with contextlib.suppress(ImportError):
                self._bars = ProgressBars()

    def close(self) -> None:
        """The run is over."""
        if self._bars:
            self._bars.close()

    def tell(self, readings: Iterable[Reading]) -> None:
        """Say how far the streams are that have moved, if it is time to."""
        if self._bars:
            self._bars.show(readings)
            return
        seconds = time.monotonic() - self._told_at
        if seconds < INTERVAL:
            return
        self._told_at = time.monotonic()
        for reading in readings:
            rows = reading.rows
            if rows > self._rows.get(reading.name, 0):
                speed = (rows - self._rows.get(reading.name, 0)) / seconds
                self._rows[reading.name] = rows
                share = f", {rows / reading.total:.0%}" if reading.total else ""
                reading.stream.logger.info(
                    "%s: %d rows so far%s, %.0f rows/s", reading.name, rows, share, speed
                )


def summarize(readings: Iterable[Reading], logger: logging.Logger) -> None:
    """Say what each stream that was read came to, and what of it failed, in words and as metrics."""
    tried = [reading for reading in readings if reading.traffic.requests or reading.failures]
    for reading in tried:
        measure(reading)
    for reading in tried:
        traffic = reading.traffic
        failed = f"; failed: {'; '.join(reading.failures[:_FIRST])}" if reading.failures else ""
        logger.info(
            "%s: %d rows, %d requests, %d retries, %.1f s waited, %.1f s in all%s",
            reading.name,
            reading.rows,
            traffic.requests,
            traffic.retries,
            traffic.waited,
            reading.seconds,
            failed,
        )
    if proofs := sum(reading.proofs for reading in tried):
        logger.info("%d requests proved that a list had ended", proofs)


def measure(reading: Reading) -> None:
    """Log the SDK's metrics of a stream, once for all of its lists."""
    stream = reading.stream
    records, requests, timer = (
        stream.get_record_counter(),
        stream.get_http_request_counter(),
        stream.get_sync_timer(),
    )
    for meter in (records, timer):
        meter.with_context({})  # as of a stream without partitions
    if reading.failures:
        timer.tags[Tag.STATUS] = Status.FAILED
    with records, requests, timer:  # each logs itself at its end
        records.value, requests.value = reading.rows, reading.traffic.requests
        timer.start_time -= reading.seconds


def measure_partly_read(streams: list[str], logger: logging.Logger) -> None:
    """Log which streams were not, or not wholly, read."""
    point = metrics.Point("gauge", cast("Any", _Metric.PARTLY_READ), len(streams), {"streams": streams})
    metrics.log(logger, point)
