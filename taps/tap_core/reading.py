"""`Reading`: one stream in one run: how far it came, what its lists have shown, whether it was whole."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.bookmark_scope import HAD_ROWS, forget_other_lists
from tap_core.followers import keep
from tap_core.http.client import Traffic
from tap_core.losses import Gap, Reason
from tap_core.paging.evidence import Evidence
from tap_core.parents import Parents
from tap_core.replication import Replicated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_core.errors import ApiError
    from tap_core.paging.paginator import Paginator
    from tap_core.stream import ApiStream


class Reading(Replicated):
    """One stream in one run.

    Attributes:
        traffic: What the reading cost.
        evidence: What the stream's lists have shown of how the server pages.
        total: Records of the whole stream, where the API says so.
        rows: Records written.
        proofs: Requests sent only to see that a list had ended.
        done: Whether all of it was read, apart from what failed.
        seconds: Time spent on the stream, its children included.
        ended: When all of it was tried; None until then.
        parents: Which parents its lists are read for, where those can end.
        bookmark_before: The bookmark that the run began with, as STATE has it.
    """

    def __init__(self, stream: ApiStream, *, began: datetime) -> None:
        """Begin to read a stream; nothing is requested.

        Args:
            stream: What is read.
            began: When the run began, or the reading of its parent did.
        """
        super().__init__(stream, began=began)
        self.traffic = Traffic(stream.measure_answer)
        self.evidence = Evidence()
        self.total: int | None = None
        self.rows = self.proofs = self._rejected_before = 0
        self.needless = 0  # requests that were sent ahead for nothing
        self.doubted: set[int] = set()  # lengths of lists that were looked behind ahead of their turn
        self.lists = int(stream.parent is None)
        self.done = False
        self.seconds = 0.0
        self.ended: datetime | None = None
        self.bookmark_before = self.bookmark_kept
        parent = stream.parent
        is_known = self.bookmark_before is not None or stream.stream_state.get(HAD_ROWS) is not None
        self.came_before = is_known and stream.has_one_list
        self.parents = Parents(stream, began) if parent is not None and parent.ends_at else None
        if self.parents and self.parents.is_due:
            stream.logger.info("%s: read for all %s, %s", self.name, parent.name, self.parents.is_due)
        stream.on_reject = self.reject
        if stream.sends_versions:
            stream.begin_version(stream.parent.version if stream.parent else self._version())

    @property
    def careful(self) -> bool:
        """Whether a wrongly believed end would lose rows for good.

        A bookmark would pass them, or deletes be reported.
        """
        return self.bookmark is not None or self.stream.sends_versions

    def has_list(self, parent: ApiStream, record: Any, context: Context) -> bool:
        """Whether a record of the parent has a list that is to be read."""
        if not self.stream.has_list(parent, record) or self.is_past_end(context):
            return False
        return not self.parents or self.parents.has(record)

    @property
    def whole(self) -> bool:
        """Whether every row of the stream was read, so that others can be called gone."""
        return self.done and not self.why_not_whole

    @property
    @override
    def why_not_whole(self) -> str:
        """Why rows of the stream may not have been written; empty if each was."""
        return super().why_not_whole or (self.parents.why_not_whole if self.parents else "")

    @property
    def bookmark_kept(self) -> Any:
        """The bookmark in STATE, as the API wrote it; None if there is none."""
        return self.stream.stream_state.get("replication_key_value") if self.bookmark else None

    def rows_came(self) -> None:
        """Records came, written or not: from now on a refusal does not mean that there is no such list."""
        if self.stream.may_be_missing and self.stream.has_one_list:
            self.stream.stream_state[HAD_ROWS] = True

    def written(self, records: list[Any], context: Context | None, *, rows: int) -> None:
        """Take note of records of a list: all are done with, and so many `rows` of them were written."""
        self.rows += rows
        self.stream.state_changed()
        if self.rejected > self._rejected_before:
            self._rejected_before = self.rejected
            self.stay_before(context, None)
        self.advance(records, context)

    def stay_before(self, context: Context | None, value: Any) -> None:
        """Something of a row, or of a whole list, is left for the next run: the bookmark stays before it.

        Args:
            context: Of the row's list.
            value: The row's replication key; None where that does not tell when it is read again.
        """
        if bookmark := self.bookmark_of(context):
            bookmark.stay_before(value)

    @override
    def fail(self, context: Context | None, error: ApiError) -> None:
        super().fail(context, error)
        self._leave_list(context)
        if self.checkpoint:
            self.checkpoint.failed(error)

    @override
    def lose(self, context: Context | None, error: ApiError | None) -> None:
        super().lose(context, error)
        if error is not None and error.had_begun:
            self._leave_list(context)  # of a parent that seems to be gone, too: the bookmark may have moved

    @override
    def unreadable(self, context: Context | None, row: int) -> None:
        super().unreadable(context, row)
        self._leave_list(context)

    def _leave_list(self, context: Context | None) -> None:
        if self.stream.bookmark_per and context:  # else the one bookmark stays, as `close` sees to
            self.stay_before(context, None)

    def close(self, *, bookmark: bool = True) -> None:
        """All lists were tried: the bookmark moves if nothing was missed before it.

        Args:
            bookmark: Whether all of the stream's own list came.
        """
        self.done, self.ended = True, datetime.now(timezone.utc)
        self.tell_losses()
        stream, mark = self.stream, self.bookmark
        if mark and mark.is_lost and not (self.failed or self.missing):
            text = "%s: nothing came, not even the row of the bookmark (%s): after a reset, run without STATE"
            stream.logger.warning(text, self.name, mark.reached)
        if self.parents and self.parents.why_not_whole:
            self.mark_not_whole(Reason(self.parents.why_not_whole))
        if not stream.bookmark_per:  # else those of lists that failed, or are missing, stay
            bookmark = bookmark and not self.missing
            if stream.parent is not None:  # then one bookmark can stand for all of its lists
                missed = self._missed is not None and self._missed.gap in {Gap.MISSED, Gap.FILTERED}
                bookmark = bookmark and not self.may_come_yet and not missed
        if bookmark:
            self.save()
            if self.bookmark:
                keep(stream, stream.stream_state, stream.followers)
        if stream.sends_versions and stream.selected:
            if self.whole:
                if stream.bookmark_per:  # of lists that are not there rows are called gone: back, all are new
                    forget_other_lists(stream.stream_state, self._of_lists)
                stream.activate_version()
            else:
                stream.logger.info("%s: no row is called gone: %s", self.name, self.why_not_whole)

    def late_changes(self) -> Iterable[Paginator]:
        """What walks the lists of late changes: those since the last run, if there was one."""
        bookmark = self.bookmark
        if bookmark is None or not self._declared_key or bookmark.reached is None:
            return ()
        return self.stream.late_changes(bookmark.start) if isinstance(bookmark.start, datetime) else ()
