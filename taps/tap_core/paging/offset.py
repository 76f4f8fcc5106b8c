"""Offset paging that overlaps by one row, so that rows moved by others' coming and going are noticed.

Each page after the first must hold a row that was already read and is unchanged, so that it has kept its
place among the others. When it does not, rows were deleted before it and others have moved up past it; the
reader steps back until it finds such a row. Every row that stays in the list during the read is thus read,
whatever is inserted, deleted or updated around it; unless an update moves it from what is still to come to
what was read.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tap_core.paging.paginator import Paginator
from tap_core.paging.window import PAGES
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query

_REPEATS = 2
"""How often the same full page may come twice in a row before the list is called a loop."""

_VOLATILE = 8
"""Unmoved rows, all of a page, that must have changed before a change no longer hints at a move."""

_BEYOND_SECOND = 3
"""Page count of a resumed list, which says nothing about how a list's first page relates to the rest."""


class Offset(Paginator):
    """Pages by the number of records to skip: `?offset=99&limit=100`."""

    def __init__(
        self,
        *,
        size: int,
        param: str = "offset",
        size_param: str = "limit",
        total: str | None = None,
        order: str | None = None,
    ) -> None:
        """Start at offset 0.

        Args:
            size: Records to ask for in a page.
            param: Query parameter that takes the number of records to skip.
            size_param: Query parameter that takes the page size.
            total: JSONPath of the total in a response, where the API gives one.
            order: Field that the list is ordered by, where rows with the same value can trade places
                between two requests: all of the last ones of a page are then read again with the next.
        """
        super().__init__(size=size, total=total)
        self._param = param
        self._size_param = size_param
        self._order = order
        # Where the current page begins, and where the last page that went on ended.
        self._offset = self._end = 0
        self._stride = 1
        self._overlaps = False
        self._back = 0  # rows that the current page is a step back
        # What pages have shown: the first one (or that of a resumed list), the last one, the longest.
        self._pages = 0
        self._first: list[Any] = []
        self._first_offset = 0
        self._last: list[Any] = []
        self._longest = 0
        self._full = False
        # Pages one after another without a new row; those alike; steps back without a new row.
        self._fruitless = self._repeats = self._in_vain = 0
        self._checking = False  # whether the list still begins as it did
        self._value = self._query(0)

    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from a page in the middle of the list."""
        super().resume(query, page, done)
        if len(page.keys) > 1:
            self._first = page.keys  # should it come again further on, the offset is ignored
        self._offset = self._first_offset = self._offset_of(query)
        self._end = self._offset + len(page.keys)
        self._pages = _BEYOND_SECOND
        self._overlaps = True

    def _query(self, offset: int, size: int | None = None) -> Query:
        return {self._param: offset, self._size_param: size or self.size}

    def _offset_of(self, query: Query) -> int:
        offset: int = query[self._param]
        return offset

    @property
    def _asked(self) -> int:
        """Records that were asked for in the current page."""
        asked: int = self._value[self._size_param]
        return asked

    def sample(self) -> Query:
        """The first record alone."""
        return self._query(0, 1)

    def _go(self, offset: int) -> None:
        self._value = self._query(offset)
        self._offset = self._offset_of(self._value)
        self._overlaps = self._offset < self._end

    def _take(self, page: Page) -> list[Any]:
        if self._pages == 0:
            return self._take_first(page)
        if self._checking:
            self._check(page)
            return []
        if self._offset > 0 and not self._joins(page):
            self._miss()
            return []
        changed = self._back > 0 and not self._window.joins(page)
        fresh = self._window.fresh(page)
        if self._back:
            self._stepped_back(in_vain=not fresh)
            if changed and not fresh:
                self.evidence.volatile += len(page.records)
        if fresh:
            self._advance(page)
        else:
            self._nothing_new(page)
        self._last = page.keys
        return fresh

    def _take_first(self, page: Page) -> list[Any]:
        self._pages = 1
        count = len(page.records)
        if self._complete_at_once(count):
            self._finished = True
            return page.records
        self._first = page.keys
        self._advance(page)
        return self._window.fresh(page)

    def _joins(self, page: Page) -> bool:
        """Whether nothing can lie between the rows already read and this page."""
        if not page.records or not self._overlaps:
            return bool(page.records)
        if self._window.joins(page):
            return True
        in_place = self.evidence.volatile >= _VOLATILE or self._in_vain >= _REPEATS
        return in_place and self._window.knows(page.keys[0])

    def _complete_at_once(self, count: int) -> bool:
        if self.total is None:
            return self.evidence.proves_end(count, self.size)
        if count < self.total:
            return False
        return count != self.size or self.evidence.unpaged or bool(self.evidence.totals_right)

    def _advance(self, page: Page) -> None:
        """Go on after a page that brought something new."""
        count = len(page.records)
        self._fruitless = self._repeats = self._in_vain = 0
        if self._pages > 1:
            self._went_on()
            if self._reaches_total(count) and self._total_ends(count):
                self._finished = True
                return
        self._pages += 1
        self._longest = max(self._longest, count)
        self._full = count >= self._asked
        self._go_beyond(page)

    def _go_beyond(self, page: Page) -> None:
        """Ask for what comes after a page, and for the end of the page once more."""
        count = len(page.records)
        self._end = self._offset + count
        self._stride = max(count - self._overlap(page), 1)
        self._go(self._offset + self._stride)

    def _overlap(self, page: Page) -> int:
        """Rows to read again: the last one; or those that may trade places, and the one before them."""
        if not self._order or not page.records:
            return 1
        values = (jsonpath.first(record, f"$.{self._order}") for record in reversed(page.records))
        last = next(values)
        again = 2 + sum(1 for _ in takewhile(lambda value: value == last, values))
        return again if again < len(page.records) else 1

    def _went_on(self) -> None:
        """There was more behind the first page."""
        if self._pages == 2:  # noqa: PLR2004
            self.evidence.cut.add(len(self._first))
            if self.total is not None and len(self._first) >= self.total:
                self.evidence.totals_right = False

    def _total_ends(self, count: int) -> bool:
        return count < self._asked or bool(self.evidence.totals_right)

    def _is_short(self, count: int) -> bool:
        """Whether a page has fewer records than the server is known to send."""
        return count < self._longest

    def _is_one_row_more(self, page: Page) -> bool:
        """Whether a page is the row that all others overlap by, or the only one of the list again."""
        if len(page.records) > 1:
            return False
        return not page.records or self._longest > 1 or page.keys == self._first

    def _nothing_new(self, page: Page) -> None:
        """A page of rows that were all read: the end, or paging that the server ignores."""
        count = len(page.records)
        if count > 1 and self._offset > self._first_offset and self._begins_anew(page):
            self._ignored(page)
        elif self._is_short(count) or self._reaches_total(count) or self._is_one_row_more(page):
            self._ended(count)
        else:
            self._fruitless += 1
            again = not self._in_vain and set(page.keys) == set(self._last)
            self._repeats = self._repeats + 1 if again else 0
            if self._repeats >= _REPEATS or self._fruitless > PAGES:
                raise self._loop("The API sends the same pages again and again")
            self._go_beyond(page)

    def _begins_anew(self, page: Page) -> bool:
        """Whether a page holds what the first one began with, and no more than that."""
        return set(page.keys) == set(self._first)

    def _reaches_total(self, count: int) -> bool:
        return self.total is not None and self._offset + count >= self.total

    def _ended(self, count: int) -> None:
        if self._pages == 2:  # noqa: PLR2004
            self.evidence.complete[len(self._first)] += 1
        if self._reaches_total(count) and self.evidence.totals_right is None:
            self.evidence.totals_right = True
        self._finished = True

    def _ignored(self, page: Page) -> None:
        """The first page came again: is the offset ignored, or were as many rows inserted before it?"""
        count = len(page.records)
        if self.total is not None and count >= self.total:
            self.evidence.unpaged = True
            self._finished = True
            return
        self._checking = True
        self._end = self._offset + count
        self._offset += max(count - self._overlap(page), 1)
        self._value = self._query(0, min(count, self.size or count) // 2)

    def _check(self, page: Page) -> None:
        """See whether the list still begins as it did, when half a page was asked for."""
        self._checking = False
        if set(page.keys) == set(self._first):
            self.evidence.unpaged = True
            self._finished = True
        elif page.records and set(page.keys) <= set(self._first):
            raise self._loop(f"The API ignores `{self._param}` but not `{self._size_param}`")
        else:
            self._go(self._offset)

    def _miss(self) -> None:
        """Rows moved up past this page, if the list has not ended; look for one that was read."""
        if not self._overlaps:
            self._ended(0)
            return
        if self._in_vain > _REPEATS:
            raise self._loop("The API sends rows that don't follow on those before them")
        self._back = 2 * self._back or self._stride
        self._go(max(0, self._offset - self._back))

    def _stepped_back(self, *, in_vain: bool) -> None:
        """Found where to go on; the pages from here to where it was are not held against the list."""
        self._fruitless -= self._back // self._stride
        self._back = 0
        self._in_vain += in_vain

    def upcoming(self) -> list[Query]:
        """The pages that the total says there are; one more where a full page came without a total.

        A first page that is shorter than asked for, and than the total, casts doubt on one of the two.
        """
        if self.finished or self._checking or self._back:
            return []
        doubtful = self._pages == 2 and not self._full  # noqa: PLR2004
        if self.total is None or doubtful:
            return [self.current_value] if self._full else []
        return [self._query(offset) for offset in range(self._offset, self.total - 1, self._stride)]
