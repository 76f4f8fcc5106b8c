"""Which failures are tried again, and when: one budget and one Retry-After for all requests of a tap."""

from __future__ import annotations

import random
import re
import threading
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from tap_core.errors import Stopped

RETRIED_STATUSES = frozenset({408, 429})
"""Client errors that are tried again; all server errors (500 and above) are as well."""

_JITTER = 0.25
_MINUTE = 60.1
"""Seconds, with a little to spare for a server that counts a request a moment later."""

_DAY = 86_400.0
"""Seconds; nobody asks to wait longer, so a larger number is a point in time, in seconds since 1970."""


def is_retried(status: int) -> bool:
    """Whether a response of this status is worth asking for again."""
    return status in RETRIED_STATUSES or status >= 500  # noqa: PLR2004


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait; None if it is absent or makes no sense.

    Args:
        value: `120`, or a date such as `Fri, 31 Dec 2026 23:59:59 GMT`, or a Unix time.
    """
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        seconds = float(value)
        return seconds if seconds <= _DAY else max(0.0, seconds - time.time())
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def backoff(factor: float, retry: int) -> float:
    """Seconds before the nth retry: `factor`, twice that, … with a little jitter on top."""
    return factor * 2.0 ** (retry - 1) * random.uniform(1, 1 + _JITTER)  # noqa: S311


class Gate:
    """Lets the requests of a tap through, none before its time.

    A twentieth of the budget may go at once and the rest flows evenly, so that no minute, wherever it
    begins, holds more than the budget.

    Args:
        per_minute: The budget, or None for no limit.
    """

    def __init__(self, per_minute: int | None = None) -> None:
        burst = max(1, per_minute // 20) if per_minute else 1
        self._interval = _MINUTE / (per_minute - burst + 1) if per_minute else 0.0
        self._ahead = (burst - 1) * self._interval
        self._due = 0.0
        self._closed_until = 0.0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def close(self, seconds: float) -> None:
        """Let no request through for so long."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def stop(self) -> None:
        """End all waiting, now and from now on, with `Stopped`."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait for so long.

        Raises:
            Stopped: The run is to end.
        """
        if self._stopped.wait(seconds):
            raise Stopped

    def enter(self) -> None:
        """Wait until the next request may go.

        Raises:
            Stopped: The run is to end.
        """
        while (seconds := self._reserve()) > 0:
            self.sleep(seconds)
        if self._stopped.is_set():
            raise Stopped

    def _reserve(self) -> float:
        """Take the next place if it is free; else the seconds until it may be."""
        with self._lock:
            now = time.monotonic()
            wait = max(self._closed_until, self._due - self._ahead) - now
            if wait <= 0:
                self._due = max(self._due, now) + self._interval
            return wait
