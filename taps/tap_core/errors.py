"""The failures that a user of a tap can meet, each with one line that says what to do."""

from __future__ import annotations


class ApiError(Exception):
    """The read cannot go on; the message is one line for the user and holds no secret."""


class Hopeless(ApiError):
    """No request can succeed with these settings: the key, the host or its certificate is wrong."""


class Refused(ApiError):
    """This endpoint can't be read with this key (403) or account; the tap's other streams still are."""


class Gone(ApiError):
    """There is nothing at this path (404), as when a parent was deleted while it was read."""


class Retriable(Exception):
    """An answer worth asking for again.

    Args:
        reason: What was wrong, for the log: `503 Service Unavailable`, `malformed JSON`.
        wait: Seconds that the server asks to wait, or None when it names none.
        everyone: Whether the wait holds for all requests of the tap (a rate limit).
        unreachable: Whether there was no answer at all.
    """

    def __init__(
        self,
        reason: str,
        *,
        wait: float | None = None,
        everyone: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.everyone = everyone
        self.unreachable = unreachable


class Stopped(BaseException):
    """The run was asked to end; raised at the next point where STATE is whole."""
