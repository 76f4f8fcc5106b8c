"""Bookmarks of incremental streams, compared as instants and never as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def instant(value: Any) -> datetime:
    """The moment that a timestamp names; UTC if it names no zone.

    Raises:
        ValueError: It is no timestamp.
    """
    import pendulum  # noqa: PLC0415  loaded only where something is incremental

    moment = pendulum.parse(str(value))
    if not isinstance(moment, pendulum.DateTime):
        msg = f"{value!r} is no date and time"
        raise ValueError(msg)  # noqa: TRY004
    return moment


class Bookmark:
    """How far an incremental stream was read: the highest value of its replication key.

    The value is kept as the API wrote it. It never passes the moment when the run began, so that a row
    from the future cannot hide those that come before it.

    Args:
        state: The stream's entry in STATE, which is read and written.
        key: Name of the replication key.
        start_date: The setting, or None.
        lookback: Seconds before the bookmark that are read again, for changes that came late.
        now: When the run began.
    """

    def __init__(
        self,
        state: dict[str, Any],
        key: str,
        *,
        start_date: str | None,
        lookback: float,
        now: datetime,
    ) -> None:
        self._state = state
        self._key = key
        self._now = now
        self._value: str | None = None
        self._last: datetime | None = None
        self._highest: datetime | None = None
        earliest = instant(start_date) if start_date else None
        if state.get("replication_key") == key and state.get("replication_key_value"):
            self._value = state["replication_key_value"]
            self._highest = self._read(self._value)
        self.reached = self._highest
        """Where the last run ended, with the offset that the API wrote it with; None on a first run."""
        self.start = self._start(earliest, lookback)
        """Rows older than this are not wanted; None for all rows."""

    def _read(self, value: Any) -> datetime:
        try:
            return instant(value)
        except ValueError:
            msg = f"state: the bookmark {value!r} of `{self._key}` is no date and time; mend or remove it"
            raise ApiError(msg) from None

    def _start(self, earliest: datetime | None, lookback: float) -> datetime | None:
        from datetime import timedelta  # noqa: PLC0415

        if self._highest is None:
            return earliest
        start = self._highest - timedelta(seconds=lookback)
        return max(start, earliest) if earliest else start

    def hold(self, moment: datetime) -> None:
        """Never pass this moment: what changed after it may have been read before it changed."""
        self._now = min(self._now, moment)

    def wants(self, value: Any) -> bool:
        """Whether a row of this replication key value is new enough; a row without one always is."""
        return self.start is None or value is None or instant(value) >= self.start

    def in_order(self, values: Iterable[Any], *, descending: bool = False) -> bool:
        """Whether these values follow on those of the last call, and on one another, in order."""
        for value in values:
            if value is None:
                continue
            moment = instant(value)
            last, self._last = self._last, moment
            if last is not None and (moment > last if descending else moment < last):
                return False
        return True

    def see(self, values: Iterable[Any]) -> None:
        """Take note of rows that were written."""
        for value in values:
            if value is None or value == self._value:
                continue
            moment = instant(value)
            if (self._highest is None or moment > self._highest) and moment <= self._now:
                self._highest, self._value = moment, value

    def save(self) -> None:
        """Put the highest value seen into STATE: all rows up to it were written."""
        if self._value is not None:
            self._state["replication_key"] = self._key
            self._state["replication_key_value"] = self._value
