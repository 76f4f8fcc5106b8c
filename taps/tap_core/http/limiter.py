"""How fast a tap may ask: its own budget, and what the server's refusals (429) demand."""

from __future__ import annotations

import threading
import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from tap_core.errors import Stopped
from tap_core.http.pace import Pace
from tap_core.http.width import Width

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE = 60.1
"""Seconds, with a little to spare for a server that counts a request a moment later."""


class Ticket(NamedTuple):
    """What a request was sent with; to be given back with its outcome."""

    refusals: int
    """How many times the server had refused by then; requests refused together count once."""
    alone: bool
    """Whether no other request was let go beside it, as after a refusal."""
    rate: float | None
    """The pace at which it was sent, in requests a second, if there was one."""
    beside: int
    """Requests under way when it was sent, itself among them."""


class Limiter:
    """Lets the requests of a tap go, none before its time.

    A twentieth of the budget may go at once and the rest flows evenly, so that no minute, wherever it
    begins, holds more than the budget. After a refusal the requests go one by one until one passes, those
    that were refused first; then at a pace that the refusals teach, or as many at once.

    Args:
        per_minute: The budget, or None for no limit.
        clock: Seconds that only grow.
    """

    def __init__(self, per_minute: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        burst = max(1, per_minute // 20) if per_minute else 1
        self._interval = _MINUTE / (per_minute - burst + 1) if per_minute else 0.0
        self._ahead = (burst - 1) * self._interval
        self._due = 0.0
        self._held_until = 0.0
        self._clock = clock
        self._changed = threading.Condition(threading.Lock())
        self._stopped = False
        self._pace = Pace()
        self._width = Width()
        self._out = 0
        self._refusals = 0
        self._in_a_row = 0
        self._one_by_one = False
        self._one_is_out = False
        self._waiting_again = 0
        self.has_recovered = False
        """Whether a request was let through after a refusal was waited out."""

    def stop(self) -> None:
        """End all waiting, now and from now on, with `Stopped`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Wait for so long.

        Raises:
            Stopped: The run is to end.
        """
        end = self._clock() + seconds
        with self._changed:
            while not self._stopped and (left := end - self._clock()) > 0:
                self._changed.wait(left)
            if self._stopped:
                raise Stopped

    def pause(self, seconds: float) -> None:
        """Let no request go for so long."""
        with self._changed:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def enter(self, *, again: bool = False) -> Ticket:
        """Wait until the next request may go.

        Args:
            again: Whether it was refused before.

        Raises:
            Stopped: The run is to end.
        """
        with self._changed:
            self._waiting_again += again
            try:
                while not self._stopped and (seconds := self._seconds_left(again=again)) > 0:
                    self._changed.wait(seconds if seconds < inf else None)
            finally:
                self._waiting_again -= again
            if self._stopped:
                raise Stopped
            return self._send()

    def passed(self, ticket: Ticket) -> None:
        """A request was let through, whatever its answer."""
        with self._changed:
            self._back()
            self._in_a_row = 0
            current = ticket.refusals == self._refusals
            self._pace.passed(ticket.rate if current else None)
            self._width.passed(self._clock())
            if current and self._one_by_one:
                self._one_by_one = self._one_is_out = False
                self.has_recovered = True
                self._pace.resumed(self._clock())
                self._changed.notify_all()

    def lost(self, ticket: Ticket) -> None:
        """A request's outcome says nothing: there was no answer, or a fault."""
        with self._changed:
            self._back()
            if ticket.alone and ticket.refusals == self._refusals:
                self._one_is_out = False
                self._changed.notify_all()

    def refused(self, ticket: Ticket, wait: Callable[[int], float], *, counts: bool = False) -> float | None:
        """A request was refused.

        Args:
            ticket: The request's.
            wait: Seconds to wait after so many refusals in a row before this one; may raise.
            counts: Whether it was probably one too many at once, and no pace too fast.

        Returns:
            The seconds that no request goes; None for a request that lost to others sent beside it.
        """
        with self._changed:
            self._back()
            if ticket.refusals != self._refusals:
                self._width.refused_too(ticket.beside)
                return None
            now = self._clock()
            before, self._in_a_row = self._in_a_row, self._in_a_row + 1
            self._refusals += 1
            self._one_by_one, self._one_is_out = True, False
            self._changed.notify_all()
            seconds = wait(before)
            if not before and not (counts and self._width.refused(now, seconds, ticket.beside)):
                seconds = max(seconds, self._pace.gap)
                self._pace.refused(now, seconds)
            self._held_until = max(self._held_until, now + seconds)
            return seconds

    def _seconds_left(self, *, again: bool) -> float:
        due = max(self._held_until, self._due - self._ahead, 0.0 if self._one_by_one else self._pace.due)
        left = due - self._clock()
        if left <= 0 and self._one_by_one and (self._one_is_out or (self._waiting_again and not again)):
            return inf
        return inf if left <= 0 and self._out >= (self._width.most or inf) else left

    def _back(self) -> None:
        """A request is no longer under way."""
        self._out -= 1
        if self._width.most:
            self._changed.notify_all()

    def _send(self) -> Ticket:
        now = self._clock()
        self._due = max(self._due, now) + self._interval
        self._out += 1
        rate = None if self._one_by_one else self._pace.sent_at
        ticket = Ticket(self._refusals, self._one_by_one, rate, self._out)
        self._one_is_out = self._one_by_one
        self._pace.send(now)
        return ticket
