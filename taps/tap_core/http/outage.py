"""Outages: whether the server is down, which a request that passed before shows, and the wait for the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tap_core.http.retry import backoff, outage_patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_core.errors import Retriable
    from tap_core.http.retry import Limits


class Outage:
    """A redeploy, say: all requests fail for some time, and their retries are used up before it is over.

    The requests then wait for one that finds out. A single one that fails for good is not waited for: what
    passed before passes still.

    Args:
        limits: The client's.
        clock: Seconds that only grow.

    Attributes:
        passed: Answers that a server which is down does not give.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.passed = 0
        self._limits = limits
        self._patience = outage_patience(limits)
        self._clock = clock
        self._since: float | None = None
        self._was_one = False
        self._one_finds_out = threading.Lock()

    def answered(self) -> None:
        """Note an answer that a server which is down does not give."""
        self.passed += 1
        self._since = None

    def failed(self, began: float) -> None:
        """Note that a request failed that was sent at this time."""
        if self._since is None:
            self._since = began

    def is_over(
        self, failure: Retriable, passed: int, passes: Callable[[], bool], sleep: Callable[[float], None]
    ) -> bool:
        """Whether a request whose retries are used up failed in an outage that has ended; waits for the end.

        Args:
            failure: The request's last one.
            passed: What `passed` was before it waited for the last time.
            passes: Sends again what passed before, and says whether it does.
            sleep: Waits for so many seconds; may raise.
        """
        if self.passed != passed or not (failure.unanswered or failure.is_down):
            return False
        with self._one_finds_out:
            if self.passed == passed:
                self._was_one = False
            left = self._left()
            while self.passed == passed and left > 0 and not passes():
                self._was_one = True
                left = self._left()  # of before the wait: its end is tried too
                sleep(max(min(backoff(self._limits, 1), left), 0))
            return self._was_one and self.passed != passed

    def _left(self) -> float:
        """Seconds for which an end is waited for; none where one was in vain and nothing has passed since."""
        return 0.0 if self._since is None else self._since + self._patience - self._clock()
