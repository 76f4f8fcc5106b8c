"""`BoundedStream`: between which bounds rows of a stream are asked for, and which are asked for again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_core.relations import RelatedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from singer_sdk.helpers.types import Context

    from tap_core.bookmarks import Bookmark
    from tap_core.paging.paginator import Paginator


class BoundedStream(RelatedStream):
    """A stream that can be incremental."""

    replication_key: str | None = None

    since_param: str | None = None
    """Query parameter that takes the lower bound of an incremental read."""

    until_param: str | None = None
    """Query parameter that takes the upper bound of a window, which may leave in rows from it on."""

    newest_first = False
    """Whether the list comes newest first by its replication key, so that reading can stop early.

    The order is checked. No page of an incremental read is asked for before its turn."""

    lookback = 0
    """Seconds before the bookmark, or before the run where that is an id, that are read again by default."""

    bookmark_per: str | None = None
    """Name of the parent's key by which each list of a child has its own bookmark; for few parents only.

    A list that is new is then read whole. None for one bookmark of all lists, so that STATE stays small."""

    bookmark: Bookmark | None = None
    """Where the read in progress begins and how far it came; set by the reading."""

    bookmark_of: Callable[[Context | None], Bookmark | None] | None = None
    """The same of a list; set by the reading."""

    _told_undated = False

    @property
    def bounds(self) -> tuple[Any, datetime | None]:
        """Moment or id from which on, and moment before which, rows are asked for; None for no bound.

        The API filters by the declared replication key. By another one, of a catalog, rows are filtered here.
        """
        return self._bounds(self.bookmark)

    def _bounds(self, bookmark: Bookmark | None) -> tuple[Any, datetime | None]:
        asked = bookmark if self._asks_by_key else None
        return (asked.start, asked.end) if asked else (None, None)

    @property
    def _asks_by_key(self) -> bool:
        return self.replication_key == type(self).replication_key and not self.is_fetched_whole

    def since(self, start: Any) -> dict[str, Any]:
        """Query parameters that ask for rows from this moment or id on."""
        bound = start.isoformat() if isinstance(start, datetime) else start
        return {self.since_param: bound} if self.since_param else {}

    def until(self, end: datetime) -> dict[str, Any]:
        """Query parameters that ask for no rows from this moment on; later ones may come all the same."""
        return {self.until_param: end.isoformat()} if self.until_param else {}

    def note_undated(self, values: Collection[Any]) -> None:
        """Say once that rows lack the replication key by which the API is asked for what is new.

        Args:
            values: Those of the replication key, of rows that are written.
        """
        if self._told_undated or None not in values:
            return
        if self._asks_by_key and not self.config.get("full_read_every"):
            self._told_undated = True
            self.logger.warning(
                "%s: rows lack a `%s` that can be read, by which changes are asked for: theirs may be seen "
                "only when all are read; set full_read_every",
                *(self.name, self.replication_key),
            )

    def late_changes(self, start: datetime) -> Iterable[Paginator]:
        """Lists to be read after an incremental one: of rows that changed and kept their replication key.

        What their paginators ask for is put on top of the stream's own query; None takes a part of it away.

        Args:
            start: Where the incremental read began, look-back included.
        """
        return ()
