"""Which answers mean that too much was asked for, though they are no 429: by words, or as many are 503."""

from __future__ import annotations

import re
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_core.errors import Retriable

_WINDOW, _MANY, _STILL_MANY = 32, 12, 10
"""Of so many requests in a row so many that are answered with 503 are a limiter's; and so many are none of
a limiter's once a pace was found.
"""

_SOME = 6
"""As few are worth a try of a request that has failed too often: it goes alone, before all others."""

_SETTLED = 40
"""Requests after which a pace was found."""


_DOUBTED = 3
"""Words of so many kinds that were in vain; of more, none are believed: each costs a list's waits."""

_NO_LETTERS = re.compile(rb"[^A-Za-z]+")
_LONGEST = 2000


def _words(said: bytes) -> bytes:
    """What an answer says but for its numbers, which each list can have its own of."""
    return _NO_LETTERS.sub(b"", said[:_LONGEST])


class Believed:
    """What is taken for a limit until a request that goes alone is refused after every wait.

    Then it is that request's own failure: an API can pass on what another one said, or speak of what was
    bought. Only where nothing passes behind it all are refused, and the run ends.
    """

    def __init__(self) -> None:
        self._doubted_at: int | None = None
        self._doubted: set[bytes] = set()
        self._recent = deque([False] * _WINDOW, _WINDOW)
        self._busy_is_limit: bool | None = None
        self._since = 0

    def passed(self) -> None:
        """A request has succeeded."""
        self._note(busy=False)

    def words(self, answered: int, said: bytes) -> bool:
        """Whether what an answer says is believed: one list's words can be in vain, and others a limiter's.

        Args:
            answered: Requests that have succeeded.
            said: The answer's body.
        """
        if not self._doubted:
            return True  # as nearly always: this is asked of each answer
        is_new = len(self._doubted) < _DOUBTED and _words(said) not in self._doubted
        return is_new or self.is_doubted(answered)

    def is_doubted(self, answered: int) -> bool:
        """Whether a request was refused for good, and none has passed since."""
        return self._doubted_at == answered

    def is_limit(self, failure: Retriable, answered: int, *, alone: bool = False, last: bool = False) -> bool:
        """Whether a failed request was one too many. With 503 nginx says so, unless it is told otherwise.

        Args:
            failure: The request's.
            answered: Requests that have succeeded.
            alone: Whether no other was let go beside it: it tells nothing of the pace.
            last: Whether its retries are used up: others may have taken each place that a limiter gave.
        """
        if failure.inferred:
            return self.words(answered, failure.said)
        if failure.status == HTTPStatus.SERVICE_UNAVAILABLE and answered:
            if not alone:
                self._note(busy=True)
            is_likely = last and self._busy_is_limit is None and self._recent.count(True) >= _SOME
            return bool(self._busy_is_limit) or is_likely
        return failure.status == HTTPStatus.TOO_MANY_REQUESTS

    def in_vain(self, failure: Retriable, answered: int) -> None:
        """A request that was taken for one too many never passed."""
        if failure.inferred:
            self._doubted_at = answered
            self._doubted.add(_words(failure.said))
        else:
            self._busy_is_limit = False

    def _note(self, *, busy: bool) -> None:
        self._recent.append(busy)
        self._since += 1
        many = self._recent.count(True)
        if self._busy_is_limit is None and many >= _MANY:
            self._busy_is_limit, self._since = True, 0
        elif self._busy_is_limit and self._since > _SETTLED and many >= _STILL_MANY:
            self._busy_is_limit = False  # refused at random, whatever the pace
