"""`Listing`: one list of a stream, page by page: from its first page or a checkpoint to a trusted end."""

from __future__ import annotations

from copy import copy, deepcopy
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_core.checkpoint import name_of
from tap_core.errors import ApiError, NotFound, RunEnds, TotalMissed
from tap_core.paging.page import Rows
from tap_core.positions import Order
from tap_core.replication import RESUMED

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from singer_sdk.helpers.types import Context

    from tap_core.fetcher import Fetcher
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Paginator, Query
    from tap_core.reading import Reading

_TOLERATED = 0.1
"""Share of a total that may be missing: counts are caches at times."""

_TOLERATED_ELSEWHERE = 0.5
"""The same of a total that stands where the API documents none: it may be of other rows as well."""


class Listing:
    """One list of a stream in one run.

    Args:
        reading: The stream's.
        context: The parent's ids, or None.
        fetcher: Where pages come from.
        late: Walks the list instead of the stream's own paginator, where it is one of late changes.
    """

    def __init__(
        self, reading: Reading, context: Context | None, fetcher: Fetcher, late: Paginator | None = None
    ) -> None:
        self._reading = reading
        self._stream = reading.stream
        self._context = context
        self._fetcher = fetcher
        self.is_late = late is not None
        """Whether rows come again here that may be older than what is read."""
        self._paginator = self._prepared(late or self._stream.get_new_paginator())
        self._expected: set[Hashable] = set()
        self._unreadable: set[int] = set()
        self._before: int | None = 0  # records that were read in earlier runs
        self._order, self._in_order = Order(descending=reading.newest_first), True

    def _prepared(self, paginator: Paginator) -> Paginator:
        reading, most = self._reading, self._stream.config.get("page_size")
        if paginator.size and most:
            paginator.size = min(paginator.size, most)
        paginator.evidence = reading.evidence
        paginator.careful, paginator.lone = reading.careful, self._stream.parent is None
        paginator.bounded = reading.bounded or bool(self._stream.filter_params)
        paginator.name = reading.list_name(self._context)
        return paginator

    def want_next(self, *, next_up: bool = True) -> Hashable | None:
        """Send the next request ahead; returns what it is called, None if there is no room.

        Args:
            next_up: Whether its turn comes before that of most others that were asked for.
        """
        query = self._paginator.current_value
        return self._fetcher.want(self._reading, self._context, query, self._paginator, next_up=next_up)

    def skip_past(self, page: Page) -> bool:
        """Go on behind a page that came before its turn, as it will probably be done in its turn.

        Only a listing that reads nothing does this; the one that will read begins at the start.

        Returns:
            Whether there is more to ask for; not if the list looks as if it ended.
        """
        paginator, evidence = self._paginator, self._reading.evidence
        asked = paginator.size
        if self.stops_early or (asked and len(page.records) > asked):
            return False
        is_first = not paginator.records_read
        if asked and is_first and not paginator.careful:
            if evidence.ends_short(page, asked):
                return False  # as most lists do: known at once
            if evidence.is_unproved(page.span):
                if page.span in self._reading.doubted:
                    return False  # it will be known when its turn comes
                self._reading.doubted.add(page.span)
        paginator.evidence = deepcopy(evidence)
        twin = copy(page)
        paginator.take(twin)
        if "keys" in vars(twin):
            vars(page)["keys"] = twin.keys  # read once
        return not paginator.finished

    def pages(self) -> Iterator[Rows]:
        """The pages in order, each with its records that are new.

        Raises:
            ApiError: The list, or the rest of it, can't be read.
        """
        return self._stream.transform_pages(self._pages())

    def _pages(self) -> Iterator[Rows]:
        try:
            page, done = self._resumed()
            paginator = self._paginator
            first = page is None
            while not paginator.finished:
                query = paginator.current_value
                if page is None:
                    page = self._take(query, first=first)
                if page is None:
                    continue
                first = False
                yield self._read(query, page, done)
                page = None
            self._compare_with_total()
            if self._paginator.cut_off:
                self._reading.lack_rows(self._context, "the API sends the first rows of this list only")
            self._reading.list_read()
        finally:
            self._fetcher.forget(self._expected)
            self._reading.proofs += self._paginator.proofs

    def _read(self, query: Query, page: Page, done: list[Any]) -> Rows:
        paginator, reading = self._paginator, self._reading
        if page.safe_size and paginator.size:
            paginator.size = min(paginator.size, page.safe_size)
        fresh = paginator.take(page)
        before = max(0, (self._before or 0) + paginator.records_read - len(page.records) - page.overtaken)
        if page.why_incomplete:
            reading.lack_rows(self._context, page.why_incomplete)
        self._name_unreadable(page)
        if page.records:
            reading.rows_came()
        if self._context is None and not self.is_late:
            reading.total = paginator.total
        if done:
            fresh = [record for record in fresh if self._stream.key_of(record) not in done]
        reach = 1 if self._stream.has_selected_descendents else self._fetcher.depth
        if self.stops_early:
            reach = 0  # the bookmark, or the window's end, may be on the next page
        if paginator.size and len(page.records) > paginator.size:
            reach = 0  # the server sends more than is asked for, and two huge pages at once may be too much
        for upcoming in islice(() if paginator.probing else paginator.upcoming(), reach):
            request = self._fetcher.want(reading, self._context, upcoming, paginator)
            if request is not None:
                self._expected.add(request)
        return Rows(query, page, fresh, before)

    def _name_unreadable(self, page: Page) -> None:
        """Name the rows that the server can't send, once each: the next page can begin before them."""
        for row in page.unreadable:
            if row not in self._unreadable:
                self._reading.unreadable(self._context, row)
        self._unreadable.update(page.unreadable)

    def _take(self, query: Query, *, first: bool) -> Page | None:
        """A page; None for one that can't be had, where the paginator goes on without it."""
        paginator, reading = self._paginator, self._reading
        try:
            page = self._fetcher.take(reading, self._context, query, paginator)
        except RunEnds:
            raise
        except ApiError as error:
            if not first and isinstance(error, NotFound):  # it was there a page ago, and has failed
                error = ApiError(str(error), status=error.status)
            paginator.fail(error)
            return None
        if self._fetcher.server_began:
            reading.cap_at(self._fetcher.server_began)
        return page

    def _resumed(self) -> tuple[Page | None, list[Any]]:
        """Take the paginator to where the last run was interrupted.

        Returns:
            The page to go on from, and the keys of its records that were dealt with; None and no key if the
            read begins at the start.
        """
        checkpoint = self._reading.checkpoint if self._context is None and not self.is_late else None
        if not checkpoint or not checkpoint.given:
            return None, []
        logger, paginator = self._stream.logger, self._paginator
        if checkpoint.query is not None:
            try:
                paginator.stretch(checkpoint.query)  # which refuses what is no query of this list
                page = self._fetcher.take(self._reading, None, checkpoint.query, paginator)
                names = [name_of(key) for key in page.keys]
                done = page.keys[: names.index(checkpoint.key) + 1]
                paginator.resume(checkpoint.query, page, done)
            except RunEnds:
                raise
            except (ApiError, ValueError):
                self._paginator = self._prepared(self._stream.get_new_paginator())
            else:
                self._reading.mark_resumed()
                self._before = None if checkpoint.before is None else checkpoint.before + len(done)
                logger.info("%s: going on where the last run was interrupted", self._stream.name)
                return page, done
        logger.info("%s: the last run's checkpoint no longer fits; reading from the start", self._stream.name)
        return None, []

    # Lists that come in order

    @property
    def stops_early(self) -> bool:
        """Whether reading can stop at the bookmark, as rows come newest first, or behind `end_date`."""
        reading = self._reading
        at_bookmark = reading.newest_first and reading.from_bookmark
        return (at_bookmark or reading.stops_at_end) and self._in_order and not self.is_late

    def is_past(self, records: list[Any]) -> bool:
        """Whether all that follows is older than what is read, or comes after `end_date`.

        Half of the page must be: one row at its end can be older than those behind it, if entered late.
        """
        if not self.stops_early or not records:
            return False
        newest_first = self._reading.newest_first
        values = self._stream.codec.column(records, self._stream.replication_key or "")
        if not self._order.holds(values):
            self._in_order = False
            order = "newest first" if newest_first else "in order"
            text = "%s: the list does not come %s, so that it is read to its end"
            self._stream.logger.warning(text, self._stream.name, order)
            return False
        half = records[len(records) // 2 :]
        if newest_first:
            return self._order.is_shown and not self._reading.has_new(half)
        return values[0] != values[-1] and self._reading.is_behind_window(half)

    def _compare_with_total(self) -> None:
        """Say, or fail, if fewer records came than the API says there are.

        Counters that it documents nowhere may count other rows as well.
        """
        if self._before is None:
            self._reading.mark_not_whole(RESUMED)  # how many rows came in earlier runs is not known
            return
        paginator = self._paginator
        total, most = paginator.first_claimed, paginator.most_claimed
        read = self._before + paginator.records_read
        documented = paginator.total is not None or total > 0
        if not documented:
            total, most = paginator.least_total, read
        if paginator.bounded or total <= read <= most or (self._before and read > most):
            return  # rows that were read in earlier runs can be gone by now
        needed = 1 - (_TOLERATED if documented else _TOLERATED_ELSEWHERE)
        if read < needed * total and not self._stream.total_counts_hidden:
            again = self._total_again(documented=documented)
            if again is not None and read < needed * again:
                msg = f"{paginator.name}: read {read} records where the API says there are {again}"
                raise TotalMissed(f"{msg}; run again, and report it to the API's vendor if it stays so")
        at_end = paginator.total or total  # without what was deleted meanwhile
        if at_end <= read <= most:
            return
        lacks = read < at_end and not self._stream.total_counts_hidden
        self._reading.differs(self._context, read, total, lacks=lacks)

    def _total_again(self, *, documented: bool) -> int | None:
        """What the first page says once more of the total."""
        paginator = self._prepared(self._stream.get_new_paginator())
        page = self._fetcher.again(self._reading, self._context, paginator)
        return page.total(paginator.total_path) if documented else page.least_total
