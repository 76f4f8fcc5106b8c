"""`Reading`: one stream in one run: how far it came, what its lists have shown, whether it was whole."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from tap_core.bookmarks import Bookmark, instant
from tap_core.checkpoint import Checkpoint
from tap_core.errors import NotFound, Refused
from tap_core.http.client import Traffic
from tap_core.paging.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_core.errors import ApiError
    from tap_core.paging.paginator import Paginator
    from tap_core.stream import ApiStream

_TOLD = 5
"""Failures, and differences from a total, of one stream that are told one by one."""

_ALIKE = 3
"""Lists in a row that fail alike, after which the stream is given up."""

_PARENTS = 10
"""Parents from which on it is no chance that more than half of them are gone."""


class Reading:
    """One stream in one run.

    Attributes:
        traffic: What the reading cost.
        evidence: What the stream's lists have shown of how the server pages.
        bookmark: Of an incremental stream.
        checkpoint: Where an interrupted read can go on; None for children, and where all must come at once.
        total: Records of the whole stream, where the API says so.
        rows: Records written.
        lists: Lists tried, one for each parent.
        ends: Lists that were read to their end.
        proofs: Requests sent only to see that a list had ended.
        missing: Lists that this account or server does not have.
        failures: What could not be read, in words.
        done: Whether all of it was read, apart from what failed.
        has_failed: Whether something is left for the next run: a list, or a row that the server can't send.
        seconds: Time spent on the stream, its children included.
    """

    def __init__(self, stream: ApiStream, *, began: datetime) -> None:
        """Begin to read a stream; nothing is requested.

        Args:
            stream: What is read.
            began: When the run began.
        """
        self.stream = stream
        self.traffic = Traffic(stream.measure_answer)
        self.evidence = Evidence()
        self.bookmark: Bookmark | None = None
        self.checkpoint: Checkpoint | None = None
        self.total: int | None = None
        self.rows = self.lists = self.ends = self.proofs = self.missing = 0
        self.failures: list[str] = []
        self.given_up = self.done = False
        self.seconds = 0.0
        self._incomplete = False
        self.rejected = 0
        self._gone = self._alike = 0
        self._last_failure: tuple[Any, ...] = ()
        self._differences = 0
        self._in_order = True
        self._has_gap = False
        self.has_failed = False
        self._saved: dict[str, Any] = {}
        self._batches = bool(stream.config.get("batch_config"))  # in which rows wait for others
        if stream.parent is None:
            self._open(began)
        stream.bookmark = self.bookmark
        stream.on_reject = self.reject
        if stream.claims_deletes and stream.selected:
            stream.begin_version()

    @property
    def name(self) -> str:
        """The stream's."""
        return self.stream.name

    @property
    def careful(self) -> bool:
        """Whether more depends on the end of a list than the rows behind it."""
        return self.bookmark is not None or self.stream.claims_deletes

    @property
    def whole(self) -> bool:
        """Whether every row of the stream was read, so that others can be called gone."""
        return self.done and self.whole_list

    @property
    def whole_list(self) -> bool:
        """Whether every row of the stream's own lists came, so that every child's list was asked for."""
        limited = self.bookmark is not None and self.bookmark.start is not None
        if 2 * self._gone > self.lists:  # by chance or not: that is too little to call rows gone by
            return False
        return not self.failures and not self.missing and not self._incomplete and not limited

    def list_name(self, context: Context | None) -> str:
        """What a list is called: `events`, or `attendees 17` after its parent's ids."""
        return " ".join((self.name, *(str(value)[:40] for value in (context or {}).values())))

    def _open(self, began: datetime) -> None:
        stream = self.stream
        state = stream.stream_state
        if stream.replication_method == REPLICATION_INCREMENTAL and stream.replication_key:
            lookback = stream.config.get("lookback")
            self.bookmark = Bookmark(
                state,
                stream.replication_key,
                start_date=stream.config.get("start_date"),
                lookback=stream.lookback if lookback is None else lookback,
                now=began,
            )
            self._saved = {name: state.get(name) for name in ("replication_key", "replication_key_value")}
        if "page_size" in state:  # kept by earlier versions; null, as an absent one would be merged back
            state["page_size"] = None
        # A target that drops the rows of earlier versions needs all rows in one run.
        whole = stream.claims_deletes or self._batches
        if stream.resumable and not (self.bookmark and self.is_sorted) and not whole:
            streams = [stream.name, *(child.name for child in stream.selected_descendants)]
            start = self.bookmark.start if self.bookmark else None
            since = None if start is None else str(getattr(start, "isoformat", start.__str__)())
            self.checkpoint = Checkpoint(state, streams, since, began.isoformat() if self.bookmark else None)
            if self.bookmark and self.checkpoint.began:
                self.bookmark.hold(instant(self.checkpoint.began))

    # What is declared of a stream's order holds for the declared replication key

    @property
    def is_sorted(self) -> bool:
        """Whether the rows come oldest first, so that the bookmark can move with each page."""
        return bool(self.stream.is_sorted) and self._declared_key and not self._batches

    @property
    def newest_first(self) -> bool:
        """Whether reading can stop at the bookmark."""
        return self.stream.newest_first and self._declared_key

    @property
    def _declared_key(self) -> bool:
        return self.stream.replication_key == type(self.stream).replication_key

    # While it is read

    def written(self, records: list[Any]) -> None:
        """Take note of rows that were written."""
        self.rows += len(records)
        self.stream.state_changed()
        bookmark, key = self.bookmark, self.stream.replication_key
        if not bookmark or not key:
            return
        values = self.stream.codec.column(records, key)
        if self.is_sorted and self._in_order:
            self._in_order = bookmark.in_order(values)
            if not self._in_order:
                self.stream.stream_state.update(self._saved)
                self.stream.logger.warning(
                    "%s: the API does not heed the order asked for; the bookmark moves at the end only",
                    self.name,
                )
        bookmark.see(values)
        if self.is_sorted and self._in_order and not self._has_gap:
            bookmark.save()

    def hold(self, moment: datetime) -> None:
        """What changed after this moment may have been read before: neither bookmark nor STATE passes it."""
        if self.bookmark:
            self.bookmark.hold(moment)
        if self.checkpoint:
            self.checkpoint.hold(moment)

    def wanted(self, records: list[Any], *, late: bool = False) -> list[Any]:
        """The records that are not older than what is read; or that are, where they come for late changes."""
        bookmark, key = self.bookmark, self.stream.replication_key
        if not bookmark or bookmark.start is None:
            return records
        wants = bookmark.wants_again if late else bookmark.wants
        values = self.stream.codec.column(records, key or "")
        return [record for record, value in zip(records, values, strict=True) if wants(value)]

    def late_changes(self) -> Iterable[Paginator]:
        """What walks the lists of late changes: those since the last run, if there was one."""
        bookmark = self.bookmark
        if bookmark is None or not self._declared_key or bookmark.reached is None:
            return ()
        return self.stream.late_changes(bookmark.start) if isinstance(bookmark.start, datetime) else ()

    def list_read(self) -> None:
        """A list was read to its end."""
        self.ends += 1
        self._last_failure, self._alike = (), 0

    def differs(self, context: Context | None, read_count: int, total: int) -> None:
        """Say that a list did not hold as many records as the API said; for many lists, of the first few."""
        self._differences += 1
        self.stream.logger.log(
            logging.WARNING if self._differences <= _TOLD else logging.DEBUG,
            "%s: read %d records where the API says there are %d",
            self.list_name(context),
            read_count,
            total,
        )

    def is_missing(self, error: ApiError) -> bool:
        """Whether a refusal of a list's first page says that the account has no such list."""
        stream = self.stream
        if not stream.may_be_missing or error.status not in stream.missing_statuses:
            return False
        self.missing += 1
        if self.missing == 1:
            hint = f": {stream.missing_hint}" if stream.missing_hint else ""
            stream.logger.warning(
                "%s: this account or server has no such list (%d)%s", self.name, error.status, hint
            )
        return True

    def gone(self, context: Context, error: NotFound) -> None:
        """A parent has no such list any more, as it was deleted while it was read."""
        self._gone += 1
        self.stream.logger.debug("%s: %s", self.list_name(context), error)

    def fail(self, context: Context | None, error: ApiError) -> None:
        """A list, or the rest of it, can't be read; everything else is."""
        self.has_failed = True
        message = str(error)
        if not message.startswith(self.name):
            message = f"{self.list_name(context)}: {message}"
        self.failures.append(message)
        level = logging.ERROR if len(self.failures) <= _TOLD else logging.DEBUG
        self.stream.logger.log(level, "%s", message)
        alike = (type(error), error.status)
        self._alike = self._alike + 1 if alike == self._last_failure else 1
        self._last_failure = alike
        excused = isinstance(error, Refused) and self.stream.rights_by_parent
        if context is not None and self._alike >= _ALIKE and not excused and not self.given_up:
            self.given_up = True
            self.stream.logger.error(
                "%s: given up, as %d lists in a row failed alike", self.name, self._alike
            )

    def unreadable(self, context: Context | None, row: int) -> None:
        """A row can't be had from the server; the others are read, but the bookmark may not pass it.

        Args:
            context: The parent's ids, or None.
            row: Its place in the list, counted from 0.
        """
        self._has_gap = self.has_failed = True
        self.failures.append(
            f"{self.list_name(context)}: the server can't send row {row + 1} of the list; all others are "
            "read. Report it to the API's vendor"
        )
        level = logging.ERROR if len(self.failures) <= _TOLD else logging.DEBUG
        self.stream.logger.log(level, "%s", self.failures[-1])

    def reject(self, reason: str) -> None:
        """A row can't be loaded; the others are."""
        self._incomplete = True
        self.rejected += 1
        self.failures.append(f"{self.name}: the API sent {reason}; it can't be loaded")
        level = logging.ERROR if self.rejected <= _TOLD else logging.DEBUG
        self.stream.logger.log(level, "%s", self.failures[-1])

    # At its end

    def close(self, *, bookmark: bool = True) -> None:
        """All lists were tried: the bookmark moves if nothing was missed before it.

        Args:
            bookmark: Whether all of the stream's own list came.
        """
        self.done = True
        if self._gone and not self.missing:
            self._judge_gone()
        if bookmark and not self.missing:
            if self.bookmark and not self._has_gap:
                self.bookmark.save()
            if self.checkpoint:
                self.checkpoint.drop()
        if self.whole and self.stream.claims_deletes and self.stream.selected:
            self.stream.activate_version()

    def incomplete(self) -> None:
        """Some of its lists were never asked for, as their parents were not all read."""
        self._incomplete = True

    def _judge_gone(self) -> None:
        part = f"{self._gone} of {self.lists} parents were gone, or have no such list (404)"
        if self.lists >= _PARENTS and 2 * self._gone > self.lists:
            self.fail(None, NotFound(f"{part}: check api_url", status=404))
        else:
            self.stream.logger.warning("%s: %s", self.name, part)
