"""How many requests a server lets run at once, learned from when it refuses (429)."""

from __future__ import annotations

_PATIENCE = 10
"""Times as long as a refusal was waited for: when one request more at once is tried. Each time that it was in
vain, twice as long."""


class Width:
    """As many requests at once as there are, until an API that counts those refuses one.

    It counts also those of others who use the same account. A slower pace would help little, and nothing is
    refused with a request less at once.
    """

    def __init__(self) -> None:
        self.most: int | None = None
        """Requests that may be under way at once; None for any number."""
        self._patience = self._grows_at = 0.0
        self._has_grown = False

    def passed(self, now: float) -> None:
        """Note that a request was let through."""
        if self.most and now >= self._grows_at:
            self.most, self._has_grown = self.most + 1, True
            self._grows_at = now + self._patience

    def refused(self, now: float, wait: float, beside: int) -> bool:
        """Note that a request was refused, as the first one since one passed.

        Args:
            now: The time.
            wait: Seconds until the next request may go.
            beside: Requests under way when it was sent, itself among them.

        Returns:
            Whether that says nothing of the pace.
        """
        is_news = beside > 1 and (self.most is None or self._has_grown)
        self._patience = max(_PATIENCE * wait, 2 * self._patience if self._has_grown else self._patience)
        self._grows_at, self._has_grown = now + wait + self._patience, False
        self.most = self.most or beside
        self.refused_too(beside)
        return is_news

    def refused_too(self, beside: int) -> None:
        """Note that another one was refused together with it."""
        if self.most:
            self.most = max(1, min(self.most, beside - 1))
