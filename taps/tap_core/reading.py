"""`Reading`: one stream in one run: how far it came, what its lists have shown, whether it was whole."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_core.errors import NotFound, Refused
from tap_core.http.client import Traffic
from tap_core.paging.evidence import Evidence
from tap_core.replication import Replicated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_core.errors import ApiError
    from tap_core.stream import ApiStream

_TOLD = 5
"""Failures, and differences from a total, of one stream that are told one by one."""

_ALIKE = 3
"""Lists in a row that fail alike, after which the stream is given up."""

_PARENTS = 10
"""Parents from which on it is no chance that more than half of them are gone."""


class Reading(Replicated):
    """One stream in one run.

    Attributes:
        traffic: What the reading cost.
        evidence: What the stream's lists have shown of how the server pages.
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
            began: When the run began, or the reading of its parent did.
        """
        super().__init__(stream, began=began)
        self.traffic = Traffic(stream.measure_answer)
        self.evidence = Evidence()
        self.total: int | None = None
        self.rows = self.lists = self.ends = self.proofs = self.missing = 0
        self.failures: list[str] = []
        self.given_up = self.done = False
        self.seconds = 0.0
        self._incomplete = False
        self.rejected = 0
        self._gone = self._cut_off = self._alike = 0
        self._last_failure: tuple[Any, ...] = ()
        self._differences = 0
        self._told_lacking = False
        self.has_failed = False
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
        return self.done and self.whole_list and not self._has_bound

    @property
    def whole_list(self) -> bool:
        """Whether every row of the stream's own lists came, so that every child's list was asked for."""
        return not (self.failures or self.missing or self._gone or self._incomplete or self.bounded)

    def list_name(self, context: Context | None) -> str:
        """What a list is called: `events`, or `attendees 17` after its parent's ids."""
        return " ".join((self.name, *(str(value)[:40] for value in (context or {}).values())))

    # While it is read

    def written(self, records: list[Any], context: Context | None) -> None:
        """Take note of rows of a list that were written."""
        self.rows += len(records)
        self.stream.state_changed()
        self.see(records, context)

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

    def is_missing(self, context: Context | None, error: ApiError) -> bool:
        """Whether a failure of a list's first page says that the account has no such list."""
        stream = self.stream
        if not stream.lacks(error):
            return False
        self.missing += 1
        if self.missing == 1:
            first = f" (first of {self.list_name(context)})" if context else ""
            stream.logger.warning("%s: %s%s", self.name, self._why_missing(error), first)
        return True

    def _why_missing(self, error: ApiError) -> str:
        if error.status is None:
            return str(error)
        hint = f": {self.stream.missing_hint}" if self.stream.missing_hint else ""
        return f"this account or server has no such list ({error.status}){hint}"

    def names_no_lists(self, field: str, children: Iterable[Reading]) -> None:
        """A record lacks the id of the lists below it: they are not asked for, and nothing is called gone.

        Args:
            field: The field that is null.
            children: The readings of these lists' streams.
        """
        names = []
        for child in children:
            child.incomplete()
            below = (child.stream, *child.stream.selected_descendants)
            names += [stream.name for stream in below if stream.selected]
        level, self._told_lacking = (logging.DEBUG if self._told_lacking else logging.WARNING), True
        self.stream.logger.log(
            level, "%s: `%s` is null, so that there are no lists of %s", self.name, field, ", ".join(names)
        )

    def gone(self, context: Context, error: NotFound) -> None:
        """A parent has no such list any more, as it was deleted while it was read."""
        self._gone += 1
        level = logging.WARNING if self._gone <= _TOLD else logging.DEBUG
        self.stream.logger.log(level, "%s: passed over: %s", self.list_name(context), error)

    def cut_off(self, context: Context | None) -> None:
        """The API sends no more of a list than its first rows: they are read, and nothing is called gone."""
        self._cut_off += 1
        self._incomplete = True
        level = logging.WARNING if self._cut_off <= _TOLD else logging.DEBUG
        self.stream.logger.log(
            level, "%s: the API sends the first rows of this list only", self.list_name(context)
        )

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
        if self._cut_off > _TOLD:
            text = "%s: of %d lists, the API sends the first rows only"
            self.stream.logger.warning(text, self.name, self._cut_off)
        if self.stream.parent is not None:  # then one bookmark can stand for all of its lists
            bookmark = bookmark and not (self.has_failed or self._incomplete)
        if bookmark and not self.missing:
            if not self._has_gap:
                self.save()
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
