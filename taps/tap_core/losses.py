"""`Losses`: what of a stream could not be read in a run: told, counted, and judged at the end."""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_core.errors import NotFound, PageFailed, Refused, TotalMissed, Unanswered
from tap_core.redaction import brief

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_core.errors import ApiError
    from tap_core.stream import ApiStream

_TOLD = 5
"""Failures, and differences from a total, of one stream that are told one by one; of more, only the number
is kept: as many rows can fail as there are."""

_ALIKE, _ALL_ALIKE = 3, 100
"""Lists in a row that fail alike. After the first number each other is tried but once: it can be that those
of some parents fail, old ones for example. After the second the stream is given up; after the first where
the key has no right to it, or no answer comes.
"""

_PARENTS = 10
"""Parents from which on it is no chance that more than half of them are gone."""


class Gap(Enum):
    """Which rows a stream lacks that was not read whole."""

    MISSED = "missed"
    RESUMED = "resumed"
    """Those that came in an earlier run, which this one goes on with."""
    FILTERED = "filtered"
    """Those that the user leaves out."""
    UNSURE = "unsure"
    """Those that only a total tells of, which can be wrong: nothing waits for them."""


class Reason(NamedTuple):
    """Why rows of a stream may not have come in this run, in words, and of which kind they are."""

    text: str
    gap: Gap = Gap.MISSED


def kind_of(error: ApiError) -> tuple[Any, ...]:
    """What tells failures apart: a server that is down answers with 500 or 502, or breaks off."""
    return (PageFailed, None) if isinstance(error, PageFailed) else (type(error), error.status)


FEWER = Reason("fewer rows came than the API says there are", Gap.UNSURE)


class Losses:
    """What of a stream could not be read in one run.

    Attributes:
        stream: What is read.
        lists: Lists tried: one, or one for each parent.
        ends: Lists that were read to their end.
        missing: Lists that this account or server does not have.
        failures: What could not be read, in words: the first few times.
        failed: How often something could not be read.
        given_up: Whether no other list is tried for now, as they fail alike.
        came_before: Whether an earlier run has read rows of the stream's one list, as STATE shows.
        is_hurried: Whether the first page of the list that is read now is asked for but once.
        last_failure: Of which kind the failure of the last list was.
        left: How much is left for the next run: lists, and rows that the server can't send.
    """

    def __init__(self, stream: ApiStream) -> None:
        self.stream = stream
        self.lists = self.ends = self.missing = self.rejected = self.failed = 0
        self.failures: list[str] = []
        self.left = 0
        self.given_up = self.is_hurried = self.came_before = self._has_gap = self._has_vanished = False
        self._missed: Reason | None = None
        self._gone = self._lacking = self._alike = self._differences = 0
        self.last_failure: tuple[Any, ...] = ()
        self._told_null_key = self._told_given_up = False

    @property
    def name(self) -> str:
        """The stream's."""
        return self.stream.name

    @property
    def is_failing(self) -> bool:
        """Whether the list is asked for but once, as it is hurried, or the last few have all failed alike."""
        return self.is_hurried or self._alike >= _ALIKE

    @property
    def has_leftovers(self) -> bool:
        """Whether something is left for the next run: rows that can't be loaded may be mended by then."""
        return self.left + self.rejected > 0

    @property
    def may_come_yet(self) -> int:
        """How much the next run may have of this one: what is left, and lists that only seemed to be gone."""
        return self.left + self.rejected + self._gone

    @property
    def why_lists_not_whole(self) -> Reason | None:
        """Why rows of the stream's own lists may not have come; None if each did, and so each parent."""
        if self.failures:
            more = self.failed - 1
            return Reason(self.failures[0] + f"; and {more} more" * (more > 0))
        if self.missing or self._gone:
            return Reason(self._told_none)
        return Reason("a stream map filters its rows") if self.stream.is_filtered_by_maps else self._missed

    def list_name(self, context: Context | None) -> str:
        """What a list is called: `events`, or `attendees 17` after its parent's ids."""
        return " ".join((self.name, *(brief(value) for value in (context or {}).values())))

    def _log_first(self, count: int, level: int, text: str, *args: Any) -> None:
        """Tell of a kind's first few losses, of which this is the `count`th; of more where debugging."""
        self.stream.logger.log(level if count <= _TOLD else logging.DEBUG, text, *args)

    def list_read(self) -> None:
        """A list was read to its end."""
        self.ends += 1
        self.last_failure, self._alike, self.given_up = (), 0, False

    def differs(self, context: Context | None, read_count: int, total: int, *, lacks: bool) -> None:
        """Say that a list did not hold as many records as the API said; for many lists, of the first few.

        Args:
            context: Of the list.
            read_count: Its records.
            total: What the API said at first.
            lacks: Whether records are missing at the list's end: none is called gone then.
        """
        self._differences += 1
        if lacks and self._missed is None:
            self._missed = FEWER
        text = "%s: read %d records where the API says there are %d"
        self._log_first(self._differences, logging.WARNING, text, self.list_name(context), read_count, total)

    def _is_missing(self, context: Context | None, error: ApiError) -> bool:
        """Whether a failure says that the account has no such list; counts it."""
        stream = self.stream
        if self.came_before or not self.says_missing(error):
            return False
        self.missing += 1
        if self.missing == 1:
            first = f" (first of {self.list_name(context)})" if context else ""
            stream.logger.warning("%s: %s%s", self.name, self._why_missing(error), first)
        return True

    def says_missing(self, error: ApiError) -> bool:
        """Whether it came in place of a list of which no row has come, and as of one that is not there."""
        return error.at_start and not error.had_begun and self.stream.means_no_such_list(error)

    def _why_missing(self, error: ApiError) -> str:
        if error.status is None:
            return str(error)
        hint = f": {self.stream.missing_hint}" if self.stream.missing_hint else ""
        return f"this account or server has no such list ({error.status}){hint}"

    def warn_null_child_key(self, field: str, children: Iterable[Losses]) -> None:
        """A record lacks the id of the lists below it: they are not asked for, and nothing is called gone.

        Args:
            field: The field that is null.
            children: The readings of these lists' streams.
        """
        names = []
        for child in children:
            child.mark_not_whole(Reason(f"`{field}` of {self.name} is null"))
            below = (child.stream, *child.stream.selected_descendants)
            names += [stream.name for stream in below if stream.selected]
        level, self._told_null_key = (logging.DEBUG if self._told_null_key else logging.WARNING), True
        self.stream.logger.log(
            level, "%s: `%s` is null, so that there are no lists of %s", self.name, field, ", ".join(names)
        )

    def _is_gone(self, context: Context, error: ApiError) -> None:
        """A parent has no such list any more, as it was deleted while it was read."""
        self._gone += 1
        self._has_vanished = self._has_vanished or error.had_begun
        self._log_first(self._gone, logging.WARNING, "%s: passed over: %s", self.list_name(context), error)

    def lack_rows(self, context: Context | None, why: str) -> None:
        """Not all rows of a list, or of a page, are sent: the others are read, and nothing is called gone."""
        self._lacking += 1
        self.mark_not_whole(Reason(why))
        self._log_first(self._lacking, logging.WARNING, "%s: %s", self.list_name(context), why)

    def fail(self, context: Context | None, error: ApiError) -> None:
        """A list, or the rest of it, can't be read; everything else is."""
        self.left += 1
        message = str(error)
        if not message.startswith(self.name):
            message = f"{self.list_name(context)}: {message}"
        if self.came_before and self.says_missing(error):
            message += "; earlier runs have read it: deselect it if the account has it no more"
        self._failed(message)

    def lists_fail(self, error: ApiError) -> None:
        """Take note of how one list of many failed: where they fail alike, no other is tried for now."""
        alike = kind_of(error)
        by_parent = isinstance(error, Refused) and self.stream.rights_by_parent
        if by_parent or isinstance(error, TotalMissed):  # its rows came
            self._alike = 0  # it tells nothing of other lists
        else:
            self._alike = self._alike + 1 if alike == self.last_failure else 1
        self.last_failure = alike
        most = _ALIKE if isinstance(error, (Refused, Unanswered)) else _ALL_ALIKE
        self.given_up = self.given_up or self._alike >= most

    def lose(self, context: Context | None, error: ApiError | None) -> None:
        """A list, or the rest of it, can't be read.

        Args:
            context: The parent's ids, or None.
            error: Why; None if it was not tried, as others failed alike.
        """
        if error is None:
            self._leave_untried()
        elif not self._is_missing(context, error):
            may_be_gone = isinstance(error, NotFound) and not (error.passes or self.came_before)
            if context is not None and may_be_gone:
                self._is_gone(context, error)
            else:
                self.fail(context, error)

    def _leave_untried(self) -> None:
        self.left += 1
        if not self._told_given_up:
            self._told_given_up = True
            text = "%s: given up, as %d lists in a row failed alike"
            self.stream.logger.error(text, self.name, self._alike)

    def unreadable(self, context: Context | None, row: int) -> None:
        """A row can't be had from the server; the others are read, but the bookmark may not pass it.

        Args:
            context: The parent's ids, or None.
            row: Its place in the list, counted from 0.
        """
        self._has_gap = True
        self.left += 1
        self._failed(
            f"{self.list_name(context)}: the server can't send row {row + 1} of the list; all others are "
            "read. Report it to the API's vendor"
        )

    def reject(self, reason: str) -> None:
        """A row can't be loaded; the others are."""
        self.rejected += 1
        self._failed(f"{self.name}: {reason}; it can't be loaded", self.rejected)

    def _failed(self, message: str, count: int | None = None) -> None:
        """Count a failure, keep what is said of the first few, and tell of it.

        Args:
            message: What is said.
            count: How many of its kind there were with this one, if kinds are told apart.
        """
        self.failed += 1
        if self.failed <= _TOLD and message not in self.failures:
            self.failures.append(message)
        self._log_first(count or self.failed, logging.ERROR, "%s", message)

    def mark_not_whole(self, why: Reason) -> None:
        """Some of its rows were not asked for, do not come, or came in an earlier run."""
        self._missed = why

    @property
    def is_mostly_gone(self) -> bool:
        """Whether more parents are gone than can be by chance: of a few all, some in the midst of a read."""
        most = self.lists / 2 if self.lists >= _PARENTS else self.lists - self._has_vanished
        return not self.missing and self._gone > most

    @property
    def _told_none(self) -> str:
        if self.missing:
            some = f"{self.missing} of {self.lists} parents have no list of them"
            return some if self.ends else "this account or server has no such list"
        return f"{self._gone} of {self.lists} parents were gone, or have no such list"

    def tell_losses(self) -> None:
        """Say, at the end, how many lists lack rows or are none. Too many for chance are a failure."""
        if self._lacking > _TOLD:
            text = "%s: %d lists or pages came without all of their rows"
            self.stream.logger.warning(text, self.name, self._lacking)
        if self.is_mostly_gone:
            self.fail(None, NotFound(f"{self._told_none}: check api_url", status=404))
        elif self.ends if self.missing else self._gone:
            self.stream.logger.warning("%s: %s", self.name, self._told_none)
