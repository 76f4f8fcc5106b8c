"""Bookmarks of incremental streams, compared as instants or integers and never as text."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_core.errors import ApiError
from tap_core.positions import instant, instant_or_none, position, positions
from tap_core.redaction import brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

logger = logging.getLogger(__name__)

_EARLIEST_YEAR = 1900
"""Leaves room to reckon with days before; a bookmark before it stands for all rows."""


class Bookmark:
    """How far an incremental stream was read: the highest value of its replication key.

    The value is kept as the API wrote it. It never passes the moment when the run began, so that a row
    from the future cannot hide those that come before it. A replication key can be an integer too, such as
    an id that grows. Rows whose value is neither a time nor an integer, or not of the bookmark's kind, are
    always wanted, and never move the bookmark.

    Args:
        state: The stream's entry in STATE, which is read and written.
        key: Name of the replication key.
        start_date: The setting, or None.
        end_date: The setting, or None; the bookmark never passes it either.
        lookback: Seconds before the bookmark that are read again, for changes that came late; before the
            run, where the key is an id and `settled` is asked.
        now: When the run began.
        whole: Whether all rows are wanted nevertheless.

    Raises:
        ApiError: The bookmark in STATE has no place.
    """

    def __init__(  # noqa: PLR0913
        self,
        state: dict[str, Any],
        key: str,
        *,
        start_date: str | None,
        end_date: str | None = None,
        lookback: float,
        now: datetime,
        whole: bool = False,
    ) -> None:
        self._state = state
        self._key = key
        self._now = now
        self._lookback = lookback
        self._value, self._highest = self._before = self._last()
        self._unsettled: int | None = None
        self._left: list[Any] = []
        self._found = False
        self.reached: Any = self._highest[0] if isinstance(self._highest, tuple) else self._highest
        """Where the last run ended: a moment with the offset that the API wrote it with, or an integer; None
        on a first run."""
        earliest = instant(start_date) if start_date else None
        self.start: Any = earliest if whole else self._start(earliest)
        """Rows before this moment or integer are not wanted; None for all rows."""
        self._earliest: Any = (earliest, "") if earliest else None
        self.end = instant(end_date) if end_date else None
        """Rows from this moment on are not wanted; None for all rows."""
        self._end: Any = (self.end, "") if self.end else None
        self._now = min(now, self.end) if self.end else now
        self._first: Any = (self.start, "") if isinstance(self.start, datetime) else self.start

    def _last(self) -> tuple[Any, Any]:
        """The bookmark of the last run and its place; one after this run's start counts as that."""
        value = self._state.get("replication_key_value")
        if self._state.get("replication_key") != self._key or value in (None, ""):
            return None, None
        place = position(value)
        if place is None and (moment := instant_or_none(value)):
            place = (moment, "")
        if place is None:
            bookmark = f"state: the bookmark {brief(repr(value), 80)} of `{self._key}`"
            msg = f"{bookmark} is no date and time; correct or remove it"
            raise ApiError(msg)
        if isinstance(place, tuple) and place > (self._now, ""):
            text = "The bookmark %s of `%s` is in the future; this run's start counts"
            logger.warning(text, brief(repr(value), 80), self._key)
            return self._now.isoformat(), (self._now, "")
        return value, place

    def _start(self, earliest: datetime | None) -> Any:
        if not isinstance(self.reached, datetime):
            return earliest if self.reached is None else self.reached
        start = self._earlier(self.reached)
        if start is None or start.year < _EARLIEST_YEAR:
            return earliest
        return max(start, earliest) if earliest else start

    def _earlier(self, moment: datetime) -> datetime | None:
        """The look-back before a moment; None for before all times."""
        try:
            return moment - timedelta(seconds=self._lookback)
        except OverflowError:
            return None

    def cap_at(self, moment: datetime) -> None:
        """Never pass this moment: what changed after it may have been read before it changed."""
        self._now = min(self._now, moment)

    @property
    def is_past_end(self) -> bool:
        """Whether all rows before the end were read before; not known of an id."""
        return self.end is not None and isinstance(self.reached, datetime) and self.reached >= self.end

    def wants(self, values: Sequence[Any]) -> list[bool]:
        """Whether rows of these replication key values are to be written; one without a place always is."""
        self._found = self._found or bool(values)
        places = positions(values)
        has_start_only = self._first is not None and self._end is None
        if has_start_only and {type(self._first)}.issuperset(map(type, places)):
            return list(map(self._first.__le__, places))  # a third of the time
        return list(map(self._wants, places))

    def _wants(self, place: Any) -> bool:
        first, end = self._first, self._end
        if place is None or (type(place) is type(first) and place < first):
            return place is None
        return end is None or not isinstance(place, tuple) or bool(place < end)

    @property
    def is_lost(self) -> bool:
        """Whether nothing came from an id on, not even the row of that id, which is asked for again."""
        return isinstance(self.start, int) and not self._found

    def is_new(self, value: Any) -> bool:
        """Whether a row of this replication key value is new enough; one without a place always is."""
        place = position(value)
        return type(place) is not type(self._first) or place is None or bool(place >= self._first)

    def wants_again(self, values: Sequence[Any]) -> list[bool]:
        """Whether rows are wanted though they may be older than what is read, as they can have changed since.

        Those that are not older come anyway; those without a place may come nowhere else.
        """
        return list(map(self._wants_again, positions(values)))

    def _wants_again(self, place: Any) -> bool:
        if place is None or type(place) is not type(self._first):
            return True
        return bool(place < self._first) and self._is_in_window(place)

    def is_in_window(self, times: Sequence[Any]) -> list[bool]:
        """Whether times are from the start date on, and before the end; what is no time always is."""
        self._found = self._found or bool(times)
        return list(map(self._is_in_window, positions(times)))

    def _is_in_window(self, place: Any) -> bool:
        if not isinstance(place, tuple):
            return True
        since = self._earliest is None or place >= self._earliest
        return bool(since and (self._end is None or place < self._end))

    def is_behind(self, time: Any, *, settled: bool) -> bool:
        """Whether a time lies behind the end: by the look-back at least, where ids have to settle."""
        place, end = position(time), self.end
        if end is None or not isinstance(place, tuple):
            return False
        try:
            return bool(place >= (end + timedelta(seconds=self._lookback if settled else 0), ""))
        except OverflowError:
            return False

    def ids_safe_to_pass(self, ids: Iterable[Any], times: Iterable[Any]) -> list[Any]:
        """The ids below those of all rows that were made within the look-back before the run.

        Ids are given before rows are seen: a row that comes later can have an id between these rows' ids.

        Args:
            ids: Those of some rows.
            times: When each of these rows was made.
        """
        since = self._earlier(self._now)
        dated = zip(ids, positions([*times]), strict=True)
        made = [(name, time) for name, time in dated if type(name) is int and isinstance(time, tuple)]
        young = [name for name, time in made if since is None or time >= (since, "")]
        if young:
            self._unsettled = min(young if self._unsettled is None else [*young, self._unsettled])
            if isinstance(self._highest, int) and self._highest >= self._unsettled:
                self._value, self._highest = self._before
        return [name for name, _ in made if self._unsettled is None or name < self._unsettled]

    def advance(self, values: Iterable[Any]) -> None:
        """Take note of rows that were written."""
        values = [*values]
        now = (self._now, "")
        for value, place in zip(values, positions(values), strict=True):
            highest = self._highest
            if place is None or (highest is not None and type(place) is not type(highest)):
                continue
            if (highest is None or place > highest) and (type(place) is int or place <= now):
                self._highest, self._value = place, value

    def stay_before(self, value: Any) -> None:
        """Never pass a row of this value, as something of it is left for the next run.

        Args:
            value: Its replication key; with one that has no place, such as null, the bookmark stays.
        """
        self._left.append(value)

    def save(self) -> None:
        """Put the highest value seen into STATE: all rows up to it were written, but for what was left."""
        value, place = self._value, self._highest
        for left in self._left:
            at = position(left)
            if at is None or type(at) is not type(place):
                value, _ = self._before
                break
            if at < place:
                value, place = left, at
        if value is not None:
            self._state["replication_key"] = self._key
            self._state["replication_key_value"] = value


def bound_text(bound: Any) -> str | None:
    """A bound as a text: a moment or an integer."""
    if bound is None:
        return None
    return bound.isoformat() if isinstance(bound, datetime) else str(bound)
