"""Limiters: of servers, and the client's on a clock of a test's own, where waiting is only a number."""

from __future__ import annotations


def try_enter(limiter, *, again=False):
    """A ticket if a request may go now; else the seconds to wait, infinite until an outcome is known."""
    seconds = limiter._seconds_left(again=again)
    return seconds if seconds > 0 else limiter._send()


class Bucket:
    """Fills with so many tokens a second, up to as many as may go at once."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def allows(self, now):
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
