"""Paging by number that overlaps as offset paging does, by page sizes that vary a little.

Page `n` of size `s` begins after `(n - 1) * s` rows. Where all pages are of one size they can only stand
side by side, and a row deleted before a page's edge pulls another past the reader. But page 2 of size 199
begins with the last row of page 1 of size 200, and near any row there begins a page of some size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.paging.offset import Offset

if TYPE_CHECKING:
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query


class PageNumber(Offset):
    """Pages by number: `?page=1&per_page=200`, then `?page=2&per_page=199`.

    A server that pays no heed to the size is noticed, and read page by page; such pages cannot overlap.
    """

    def __init__(
        self,
        *,
        size: int,
        param: str = "page",
        size_param: str = "per_page",
        total: str | None = None,
    ) -> None:
        """Start at page 1.

        Args:
            size: Records to ask for in a page.
            param: Query parameter that takes the page number.
            size_param: Query parameter that takes the page size.
            total: JSONPath of the total in a response, where the API gives one.
        """
        self._own_size = 0  # the server's, once it has shown that it pays no heed to ours
        self._empty = 0  # number of a page that had no records
        super().__init__(size=size, param=param, size_param=size_param, total=total)

    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from a page in the middle of the list.

        Raises:
            ApiError: The page may be one of a server with its own size, and then is no one knows where.
        """
        count, asked = len(page.records), query[self._size_param]
        if count > asked or (query[self._param] > 1 and asked == self.size and count < asked):
            raise self._loop("The page to go on from has another size than was asked for")
        super().resume(query, page, done)
        self._longest = count if asked == self.size else asked

    def _query(self, offset: int, size: int | None = None) -> Query:
        """The page that holds the row at an offset and reaches furthest beyond it."""
        most = size or self.size or 1
        if self._own_size:
            return {self._param: offset // self._own_size + 1, self._size_param: most}
        if self._longest:  # one less when stepping back, to tell a server that has its own size
            most = max(1, min(most, self._longest - bool(self._back)))
        number, asked = max(
            ((offset // asked + 1, asked) for asked in range(1, most + 1)),
            key=lambda page: (page[0] * page[1], page[1]),
        )
        if number * asked <= self._end and not self._back:  # so small pages that none reaches further
            number, asked = self._end // most + 1, most
        return {self._param: number, self._size_param: asked}

    def _offset_of(self, query: Query) -> int:
        offset: int = (query[self._param] - 1) * (self._own_size or query[self._size_param])
        return offset

    def _take(self, page: Page) -> list[Any]:
        if self._has_own_size(page):
            self._own_size = max(self._longest, len(page.records))
            self._back = 0
            if self._pages:
                self._go(self._end)
                self._finished = self._empty == self._value[self._param]
                return []
        if not page.records:
            self._empty = self._value[self._param]
        if self._is_last(page):
            return self._take_last(page)
        return super()._take(page)

    def _has_own_size(self, page: Page) -> bool:
        """Whether a page shows that the server pays no heed to the size asked for."""
        if self._own_size or self._checking or len(page.records) <= self._asked:
            return False
        number_ignored_too = self._pages == 2 and self._offset > 0 and self._begins_anew(page)  # noqa: PLR2004
        return not number_ignored_too

    def _is_last(self, page: Page) -> bool:
        """Whether a page is shorter than those that the server is known to send."""
        if not self._pages or self._checking or not self._is_short(len(page.records)):
            return False
        return not self._overlaps or self._joins(page)

    def _take_last(self, page: Page) -> list[Any]:
        fresh = self._window.fresh(page)
        if fresh:
            self._went_on()
        self._ended(len(page.records))
        return fresh

    def _is_short(self, count: int) -> bool:
        return count < (self._own_size or min(self._asked, self._longest))

    def _begins_anew(self, page: Page) -> bool:
        return set(self._first[:1]) <= set(page.keys) <= set(self._first)

    def _overlap(self, page: Page) -> int:
        return 0 if self._own_size else super()._overlap(page)

    def upcoming(self) -> list[Query]:
        """The next two pages, once a full one has shown that there may be more."""
        if self.finished or self._checking or self._back or not self._full:
            return []
        end = self._offset + (self._own_size or self._asked)
        return [self.current_value, self._query(end if self._own_size else end - 1)]
