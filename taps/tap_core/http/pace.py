"""The pace that a server allows, learned from when it refuses (429)."""

from __future__ import annotations

from collections import deque
from itertools import islice
from math import sqrt
from typing import NamedTuple

_START = 3.0
"""Requests to send in the time of a refusal's wait, once one has passed: a first guess."""

_LONGEST_HINT = 10.0
"""Seconds; a longer wait is a block, or caution, and tells nothing of the pace."""

_FEW = 3
"""Fewer requests than this before a refusal: the server lets none through in a burst."""

_SETTLED = 12
"""Requests after which a pace was not all wrong."""

_FASTEST = 300.0
"""Requests a second; a pace above this is none."""

_GAINED, _GAINED_NEAR = 0.5, 0.01
"""What a pace gains in the time of a refusal's wait, in shares of itself: a refusal that costs much is
seldom risked. The second is for a pace near one that was refused."""

_MOST, _MOST_NEAR = 0.05, 0.002
"""What a pace gains with one request at most, in shares of itself."""

_NEAR = 0.75
_LOWERED = 0.9

_SPAN, _SPANS = 4, 64
"""Stretches from refusal to refusal that are judged together, and how many are remembered."""

_WORSE = 0.7
"""Going slower has not helped where less than this share of the best is let through."""


class _Stretch(NamedTuple):
    """From a refusal to the next, or several of them together."""

    passes: int
    seconds: float
    rate: float
    """The pace at its beginning."""

    @property
    def let_through(self) -> float:
        """Requests a second, the wait counted."""
        return self.passes / self.seconds


class Pace:
    """How many requests a second to send, and when the next one is due; no limit until a refusal.

    The first guess doubles with every request that passes. Then the pace is between the fastest that
    passed and the one that was refused, and gains a little with time. A refusal lowers it: by a tenth near
    a pace that was refused before, else by up to a half. It is never lower than what the server let
    through from refusal to refusal, and goes back to where that was most if it has become less: a server
    that refuses at random, whatever the pace, would slow a run down without end.
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
        self._cost = 0.0
        self._passes = 0
        self._paced_passes = 0
        self._stretches: deque[_Stretch] = deque(maxlen=_SPANS)

    @property
    def gap(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate if self.rate else 0.0

    @property
    def _is_near(self) -> bool:
        """Whether this is nearly the pace that was refused."""
        return bool(self.rate and self._ceiling and self.rate >= _NEAR * self._ceiling)

    def send(self, now: float) -> None:
        """Note that a request is sent."""
        if self.rate:
            self.sent_at = self.rate
            self.due = now + 1 / self.rate

    def resumed(self, now: float) -> None:
        """Note that the first request after a refusal was let through: only now is it over."""
        if self._refused_at is not None:
            self._cost = max(self._cost, now - self._refused_at)

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
            gained, most = (_GAINED_NEAR, _MOST_NEAR) if self._is_near else (_GAINED, _MOST)
            self.rate *= 1 + min(gained / (sent_at * self._cost), most)
        if self.rate > _FASTEST:
            self.rate = None

    def refused(self, now: float, wait: float) -> None:
        """Slow down.

        Args:
            now: The time.
            wait: Seconds until the next request may go.
        """
        wait = max(wait, 0.01)
        if self._refused_at is not None:
            seconds = max(now - self._refused_at, 0.001)
            self._stretches.append(_Stretch(self._passes, seconds, self.rate or _FASTEST))
        if self.rate is None:
            self._without_pace(wait)
        elif self._searching:
            self._searching = not self._passed_at
            self._lower(self._passed_at or self.rate / 2)
        elif self._paced_passes < _SETTLED or not self._is_near:
            self._lower(max(sqrt(self._stretches[-1].let_through * self.rate), self.rate / 2))
        else:
            self._lower(_LOWERED * self.rate)
        self._refused_at, self._cost = now, wait
        self._passes = self._paced_passes = 0
        self.sent_at = None

    def _without_pace(self, wait: float) -> None:
        """The first pace: a guess, or, for a server that lets bursts through, what the last one came to."""
        self._passed_at, self._ceiling = 0.0, None
        if self._passes < _FEW:
            self._searching = True
            self.rate = _START / min(wait, _LONGEST_HINT)
        elif self._stretches:
            self._searching = False
            self.rate = self._stretches[-1].let_through

    def _lower(self, rate: float) -> None:
        """Go on at this pace, or at a better one that earlier stretches show."""
        self._ceiling = self.rate
        if spans := self._spans():
            best = max(spans, key=lambda span: span.let_through)
            slower_is_worse = spans[-1].let_through < _WORSE * best.let_through
            rate = max(rate, best.let_through, best.rate if slower_is_worse else 0.0)
        self.rate = rate

    def _spans(self) -> list[_Stretch]:
        """Every so many stretches in a row as one; the newest last."""
        together = (list(islice(self._stretches, start, start + _SPAN)) for start in range(_SPANS))
        return [
            _Stretch(sum(one.passes for one in some), sum(one.seconds for one in some), some[0].rate)
            for some in together
            if len(some) == _SPAN
        ]
