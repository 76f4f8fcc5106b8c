"""The limiter on a clock of a test's own, where waiting is no more than a number."""

from __future__ import annotations


def try_enter(limiter, *, again=False):
    """A ticket if a request may go now; else the seconds to wait, infinite until an outcome is known."""
    seconds = limiter._seconds_left(again=again)
    return seconds if seconds > 0 else limiter._send()
