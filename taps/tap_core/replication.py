"""`Replicated`: how far a stream was read before, how far it comes now, and in which order."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_core.batches import are_by_list
from tap_core.bookmark_scope import entry_of, forget_later_window, forget_other_account, forget_other_filters
from tap_core.bookmarks import Bookmark, bound_text
from tap_core.checkpoint import Checkpoint, forget_checkpoint, scope_of
from tap_core.followers import go_back
from tap_core.losses import Gap, Losses, Reason
from tap_core.positions import Order, instant
from tap_core.versions import is_whole_due, keep_whole, last_whole, new_version

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_core.stream import ApiStream

RESUMED = Reason("it went on where the last run was interrupted", Gap.RESUMED)
"""Of a read whose first rows came in an earlier run."""

FILTERED = Reason("filtered by the setting `filters`", Gap.FILTERED)
"""Of a read without the rows that `filters` leaves out, and without those of the streams below them."""


class Replicated(Losses):
    """A stream in a run, with what STATE says of it.

    Args:
        stream: What is read.
        began: When the run began, or the reading of the stream's parent did.

    Attributes:
        began: When the reading of its list began: in this run, or in the one that this one goes on with.
        bookmark: Of an incremental stream.
        checkpoint: Where an interrupted read can go on; None for children, and where all must come at once.
        resumed: Whether it went on where the last run was interrupted.
    """

    def __init__(self, stream: ApiStream, *, began: datetime) -> None:
        super().__init__(stream)
        self.began = self._now = began
        self.bookmark: Bookmark | None = None
        self._of_lists: dict[str, Bookmark] = {}
        self._entries: dict[str, dict[str, Any]] = {}
        self.checkpoint: Checkpoint | None = None
        self.resumed = False
        self._order, self._in_order = Order(), True
        self._whole_due = False
        self._saved: dict[str, Any] = {}
        self._batches = are_by_list(stream.config)  # in which rows wait for others
        if stream.replication_key or stream.has_one_list:
            self._open()
        stream.bookmark, stream.bookmark_of = self.bookmark, self.bookmark_of

    def bookmark_of(self, context: Context | None) -> Bookmark | None:
        """The bookmark that a list is read from: the stream's, or where each list has one, the list's own."""
        name = self.stream.bookmark_per
        if self.bookmark is None or name is None or context is None:
            return self.bookmark
        of_list = str(context[name])
        if of_list not in self._of_lists:
            entry = entry_of(self.stream, of_list, self._entries)
            self._of_lists[of_list] = self._bookmark(entry)
        return self._of_lists[of_list]

    def _bookmark(self, state: dict[str, Any]) -> Bookmark:
        stream, lookback = self.stream, self.stream.config.get("lookback")
        return Bookmark(
            state,
            stream.replication_key or "",
            start_date=stream.config.get("start_date"),
            end_date=stream.config.get("end_date"),
            lookback=stream.lookback if lookback is None else lookback,
            now=self._now,
            whole=self._whole_due,
        )

    def _open(self) -> None:
        stream, began, state = self.stream, self.began, self.stream.stream_state
        forget_other_account(stream, state)
        if stream.replication_method == REPLICATION_INCREMENTAL and stream.replication_key:
            forget_other_filters(stream, state)
            go_back(stream, state, stream.followers)
            forget_later_window(stream, state)
            self._whole_due = is_whole_due(stream, state, self._full_read_every, began)
            self.bookmark = self._bookmark({} if stream.bookmark_per else state)
            if self._whole_due and self.bookmark.reached is not None:
                stream.logger.info(
                    "%s: read whole, as it was so last %s (full_read_every)", self.name, last_whole(state)
                )
            if self.is_past_end(None):
                before = "%s: nothing is read, as it was read to %s before"
                stream.logger.info(before, self.name, self.bookmark.reached)
            self._saved = {name: state.get(name) for name in ("replication_key", "replication_key_value")}
        if stream.parent is None:
            self._open_checkpoint()

    def _open_checkpoint(self) -> None:
        stream, began, state = self.stream, self.began, self.stream.stream_state
        if "page_size" in state:  # kept by earlier versions; null, as an absent one would be merged back
            state["page_size"] = None
        if stream.resumable and not (self.bookmark and self.is_sorted) and not self._batches:
            below = any(child.replication_key for child in stream.selected_descendants)
            dated = bool(self.bookmark or below)
            began_at = began.isoformat() if dated or stream.ends_at else None
            question = {
                **scope_of(stream, began),
                "since": self.bookmark and bound_text(self.bookmark.start),
                # A text where there is none: checkpoints of earlier versions do not say it.
                "start_date": str(stream.config.get("start_date") or "") if below else None,
                "until": stream.config.get("end_date") if dated else None,
            }
            self.checkpoint = Checkpoint(state, question, began_at, dated=dated)
            if self.checkpoint.began:
                self.began = instant(self.checkpoint.began)
            if self.bookmark:
                self.bookmark.cap_at(self.began)
        else:
            forget_checkpoint(state)

    @property
    def _full_read_every(self) -> int | None:
        """Days; None for never, and with `start_date` or `end_date`, as no read is whole then."""
        config = self.stream.config
        bounded = config.get("start_date") or config.get("end_date")
        return None if bounded else config.get("full_read_every")

    def _version(self) -> int:
        """The version of the read that goes on here, or a new one."""
        going_on = self.checkpoint.version if self.checkpoint else None
        return going_on or new_version(self.stream.stream_state, self.began)

    def mark_resumed(self) -> None:
        """The read goes on where the last run was interrupted; its rows count if they have this version."""
        self.resumed = True
        if not self.checkpoint or not self.checkpoint.version or not self.stream.sends_versions:
            self.mark_not_whole(RESUMED)

    @property
    def began_at_most(self) -> datetime:
        """When the reading of its list began, by the clock of the server where that is behind."""
        return min(self.began, self._now)

    # What is declared of a stream's order holds for the declared replication key

    @property
    def is_sorted(self) -> bool:
        """Whether the bookmark can move with each page: oldest rows first, and no lists after it."""
        sorted_list = bool(self.stream.is_sorted) and self.stream.parent is None and not self.stream.followers
        unmoved = self._batches or self._whole_due  # it must not tell of a whole read that is not done
        return sorted_list and self._declared_key and not unmoved

    @property
    def newest_first(self) -> bool:
        """Whether reading can stop at the bookmark."""
        return self.stream.newest_first and self._declared_key

    @property
    def _declared_key(self) -> bool:
        return self.stream.replication_key == type(self.stream).replication_key

    @property
    def _made_at(self) -> str | None:
        return self.stream.made_at if self._declared_key else None

    @property
    def bounded(self) -> bool:
        """Whether only rows from a moment or an id on, or before a moment, are asked for."""
        return self._has_bound and not self.stream.is_fetched_whole

    @property
    def from_bookmark(self) -> bool:
        """Whether only rows from a moment or an id on are asked for."""
        return bool(self.bookmark and self.bookmark.start is not None) and not self.stream.is_fetched_whole

    @property
    def _has_bound(self) -> bool:
        return any((bookmark.start, bookmark.end) != (None, None) for bookmark in self._bookmarks)

    def is_past_end(self, context: Context | None) -> bool:
        """Whether a list has nothing to be read, as all rows before `end_date` were read before."""
        bookmark = self.bookmark_of(context)
        return bool(bookmark and bookmark.is_past_end and not self.stream.is_fetched_whole)

    @property
    def _bookmarks(self) -> list[Bookmark]:
        """All that there are: the stream's, and those of its lists."""
        return [*([self.bookmark] if self.bookmark else []), *self._of_lists.values()]

    @property
    @override
    def why_lists_not_whole(self) -> Reason | None:
        """Why rows of the stream's own lists may not have come; None if each did, and so each parent."""
        new_only = Reason("only what is new was asked for") if self.bounded else None
        return super().why_lists_not_whole or new_only or self._filtered

    @property
    def _filtered(self) -> Reason | None:
        return FILTERED if self.stream.filtered_by else None

    @property
    def why_not_whole(self) -> str:
        """Why rows of the stream may not have been written; empty if each was."""
        if super().why_lists_not_whole or not self._has_bound:
            reason = super().why_lists_not_whole or self._filtered
            return reason.text if reason else ""
        starts = [str(bound_text(mark.start)) for mark in self._bookmarks if mark.start is not None]
        since = f"only what is new was asked for, from {min(starts)} on" if starts else ""
        end = self.bookmark.end if self.bookmark else None
        until = f"only rows before {bound_text(end)} were asked for" if end else ""
        return ", and ".join(filter(None, (since, until)))

    @property
    def was_whole(self) -> bool:
        """Whether an incremental stream was read whole, even if a row of it could not be loaded."""
        failed = self.left or self.missing or self._missed
        return self.bookmark is not None and not self._has_bound and not failed

    # While it is read

    def advance(self, records: list[Any], context: Context | None) -> None:
        """Move the bookmark over rows of a list that were written."""
        bookmark, key = self.bookmark_of(context), self.stream.replication_key
        if not bookmark or not key:
            return
        values = self.stream.codec.column(records, key)
        self.stream.note_undated(values)
        if self.is_sorted and self._in_order:
            self._in_order = self._order.holds(values)
            if not self._in_order:
                self.stream.stream_state.update(self._saved)
                self.stream.logger.warning(
                    "%s: the API does not heed the order asked for; the bookmark moves at the end only",
                    self.stream.name,
                )
        if self._made_at:
            values = bookmark.ids_safe_to_pass(values, self.stream.codec.column(records, self._made_at))
        bookmark.advance(values)
        if self.is_sorted and self._in_order and not self._has_gap:
            bookmark.save()

    def cap_at(self, moment: datetime) -> None:
        """What changed after this moment may have been read before: neither bookmark nor STATE passes it."""
        self._now = min(self._now, moment)
        for bookmark in self._bookmarks:
            bookmark.cap_at(moment)
        if self.checkpoint:
            self.checkpoint.cap_at(moment)

    def wanted(self, records: list[Any], context: Context | None, *, late: bool = False) -> list[Any]:
        """The records to be written: those that are new, or `late` ones that may have changed."""
        bookmark, column = self.bookmark_of(context), self.stream.codec.column
        if not bookmark or (bookmark.start, bookmark.end) == (None, None):
            return records
        if self._made_at:
            times = column(records, self._made_at)
            records = list(compress(records, bookmark.is_in_window(times)))
        wants = bookmark.wants_again if late else bookmark.wants
        values = column(records, self.stream.replication_key or "")
        return list(compress(records, wants(values)))

    def has_new(self, records: list[Any]) -> bool:
        """Whether some of these records of a stream without a parent are not older than what is read."""
        values = self.stream.codec.column(records, self.stream.replication_key or "")
        return not self.bookmark or any(map(self.bookmark.is_new, values))

    @property
    def stops_at_end(self) -> bool:
        """Whether reading can stop behind `end_date`: rows come in order, and the API does not."""
        start, end = self.stream.bounds
        by_id = isinstance(start, int)
        return self.is_sorted and end is not None and (by_id or not self.stream.until(end))

    def is_behind_window(self, records: list[Any]) -> bool:
        """Whether all of these records of a stream without a parent come after `end_date`."""
        mark, made_at = self.bookmark, self._made_at
        times = self.stream.codec.column(records, made_at or self.stream.replication_key or "")
        return mark is not None and all(mark.is_behind(time, settled=bool(made_at)) for time in times)

    def save(self) -> None:
        """Put how far was read into STATE: all rows up to there were written."""
        if self.stream.bookmark_per or not self._has_gap:
            for bookmark in self._bookmarks:
                bookmark.save()
        if self.checkpoint:
            self.checkpoint.drop()
        if self.was_whole and (self.stream.sends_versions or self._full_read_every):
            keep_whole(self.stream.stream_state, self.began)
