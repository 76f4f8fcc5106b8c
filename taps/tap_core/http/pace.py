"""The pace that a server allows, learned from when it refuses (429)."""

from __future__ import annotations

from math import sqrt

_START = 3.0
"""Requests to send in the time of a refusal's wait, once one has passed: a first guess."""

_FEW = 3
"""Fewer requests than this before a refusal: the server lets none through in a burst."""

_SETTLED = 12
"""Requests after which a pace was not all wrong."""

_FASTEST = 300.0
"""Requests a second; a pace above this is none."""


class Pace:
    """How many requests a second to send, and when the next one is due; no limit until a refusal.

    The first guess doubles with every request that passes. Then the pace is between the fastest that
    passed and the one that was refused, and gains a little with every request. A refusal lowers it: by a
    tenth, or, if it comes soon, towards what the server let through since the refusal before.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        """Requests a second, or None for as many as there are."""
        self.due = 0.0
        self.sent_at: float | None = None
        """The pace at which the last request was sent, None for the first one after a refusal."""
        self._searching = False
        self._passed_at = 0.0
        self._ceiling: float | None = None
        self._refused_at: float | None = None
        self._wait = 0.0
        self._passes = 0
        self._paced_passes = 0

    @property
    def gap(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate if self.rate else 0.0

    def send(self, now: float) -> None:
        """Note that a request is sent."""
        if self.rate:
            self.sent_at = self.rate
            self.due = now + 1 / self.rate

    def passed(self, sent_at: float | None) -> None:
        """Note that a request was let through.

        Args:
            sent_at: The pace at which it was sent; None if it says nothing about the pace.
        """
        self._passes += 1
        if self.rate is None or sent_at is None:
            return
        self._paced_passes += 1
        if self._searching:
            self._passed_at = max(self._passed_at, sent_at)
            self.rate = max(self.rate, 2 * sent_at)
        else:
            near = self._ceiling is not None and self.rate >= 0.85 * self._ceiling
            self.rate *= 1.0005 if near else 1.02
        if self.rate > _FASTEST:
            self.rate = None

    def refused(self, now: float, wait: float) -> None:
        """Slow down.

        Args:
            now: The time.
            wait: Seconds until the next request may go.
        """
        seconds = now - self._refused_at if self._refused_at is not None else 0.0
        let_through = self._passes / seconds if seconds > 0 else 0.0
        if self.rate is None:
            self._without_pace(let_through, wait)
        elif self._searching and not self._passed_at:
            self.rate = max(let_through, self.rate / 2)
        elif self._searching:
            self._searching, self._ceiling = False, self.rate
            self.rate = max(let_through, 1.2 * self._passed_at)
        else:
            soon = self._paced_passes < _SETTLED or seconds < 2 * self._wait
            self._ceiling = self.rate
            slower = sqrt(max(let_through, self.rate / 20) * self.rate) if soon else 0.9 * self.rate
            self.rate = max(let_through, slower)
        self._refused_at, self._wait = now, wait
        self._passes = self._paced_passes = 0
        self.sent_at = None

    def _without_pace(self, let_through: float, wait: float) -> None:
        """The first pace: a guess, or, for a server that lets bursts through, what the last one came to."""
        self._passed_at, self._ceiling = 0.0, None
        if self._passes < _FEW:
            self._searching = True
            self.rate = _START / max(wait, 0.01)
        elif let_through:
            self._searching = False
            self.rate = let_through
