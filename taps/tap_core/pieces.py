"""The page of a query, fetched in halves, down to single rows: the server can't send it at once.

Each piece starts with the last row of the one before, to notice rows that moved. Where the API takes no page
size, it is cut out of a page that begins with its rows, or of one that ends with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.errors import PageFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Paginator, Query

_ALONE = 5
"""Rows that must have come alone, and no two at once, before it is expected of all others."""

_FEW = 10
"""Rows that are asked for at least, where a page is too large by their weight and not by their number."""


def read_in_pieces(
    get: Callable[[Query], Page], paginator: Paginator, query: Query, failure: PageFailed
) -> Page:
    """The page of a query by halves, each asked for once, and each with the last row before it.

    Args:
        get: Fetches the page of a query.
        paginator: Knows how a stretch of the list is asked for.
        query: Of the page that failed.
        failure: How it failed.

    Returns:
        A page that names the rows that can't be had even alone, and the number of rows that can. It is cut
        where rows were moved while the pieces were read.

    Raises:
        PageFailed: No other page can be asked for, or some rows fail even alone: so will all others.
    """
    start, size = paginator.stretch(query)
    if size < 2 or not paginator.piece(start, 1):  # noqa: PLR2004  nothing to halve
        raise failure
    pieces = _Pieces(get, paginator, failure, (start, size))
    if not pieces.has_any():
        raise failure
    todo = [(start + size // 2, start + size), (start, start + size // 2)]
    while todo and not pieces.is_cut:
        begin, end = todo.pop()
        reach = pieces.read(begin, end)
        if reach is not None:
            if pieces.ended:
                break
            todo += [(reach, end)] if reach < end else []
        elif end - begin > 1:
            middle = (begin + end) // 2
            todo += [(middle, end), (begin, middle)]
        else:
            pieces.unreadable.append(begin)
            if end == start + size:  # the next page begins with the last row that came: not before this one
                todo.append((end, end + 1))
    return pieces.whole()


class _Pieces:
    """What came so far.

    Attributes:
        unreadable: Places of the rows that can't be had even alone.
        moved: Whether a piece did not begin with the row that was the last one before it.
        ended: Whether a piece was shorter than asked for: the list's end, or all that is given at once.
    """

    def __init__(
        self,
        get: Callable[[Query], Page],
        paginator: Paginator,
        failure: PageFailed,
        stretch: tuple[int, int],
    ) -> None:
        self._start, self._size = stretch
        self._too_large = self._size  # rows of the smallest page that failed
        self._longest = 0  # rows of the longest one that came
        self.unreadable: list[int] = []
        self.moved = self.ended = False
        self._page: Page | None = None
        self._get = get
        self._paginator = paginator
        self._failure = failure
        self._records: dict[int, Any] = {}

    def has_any(self) -> bool:
        """Whether one of a few rows can be had alone, or the list ends before the second one.

        A page of the only size there is also fails for any bad row up to the next page.
        """
        divisible = self._paginator.is_divisible
        if any(self._has(self._start + further) for further in (0, 1 if divisible else self._size)):
            return True
        further = self._size if divisible else 0
        while (further := further // 2) > 1:  # an answer without rows tells nothing of those that there are
            came = self._ask(self._start + further, self._start + further + 1)
            if came is None or came[0]:
                return came is not None
        return False

    def _has(self, place: int) -> bool:
        return self._ask(place, place + 1) is not None

    @property
    def is_cut(self) -> bool:
        """Whether the page ends here: rows have moved, or each is to be asked for alone."""
        return self.moved or (self._longest == 1 and len(self._records) >= _ALONE)

    def read(self, begin: int, end: int) -> int | None:
        """Take over the rows from one place up to another, or as many of them as one page holds.

        Returns:
            The place up to which they came; None if they can't be had together.
        """
        came = self._ask(begin, end)
        if came is None:
            return None
        found, reach = came
        rows = {place: found[place] for place in range(begin, reach) if place in found}
        short = len(rows) < reach - begin
        # A numbered page is elsewhere if the server caps its size; only the first one is where it must be.
        if short and reach - begin > 1 and begin and not self._paginator.counts_rows:
            return None
        self.moved = not self._follows(found)
        if not self.moved:
            self._records |= rows
            self.ended = short
        return reach

    def _ask(self, begin: int, end: int) -> tuple[dict[int, Any], int] | None:
        """The rows of a page by their places, and where it ends; None if it can't be had.

        Raises:
            PageFailed: More came than was asked for, so that nobody knows which.
        """
        for first in (begin - 1, begin) if begin - 1 in self._records else (begin,):
            query, start, size = self._paginator.piece(first, end - first) or ({}, 0, 0)
            if start + size > begin:
                break
        found, before = self._rows(query, start, size), max(0, end - size)
        if found is None and not self._paginator.is_divisible and before < self._start:
            query, start, size = self._paginator.piece(before, size) or ({}, 0, 0)
            found = self._rows(query, start, size)  # a page that ends with them
            found = found if found and begin in found else None
        elif found is None and start < begin and end - begin == 1:  # both can be too much
            query, start, size = self._paginator.piece(begin, 1) or ({}, 0, 0)
            found = self._rows(query, start, size)
        return None if found is None else (found, min(end, start + size))

    def _rows(self, query: Query, start: int, size: int) -> dict[int, Any] | None:
        """The rows of a page by their places; None if it can't be had."""
        try:
            page = self._get(query)
        except PageFailed:
            self._too_large = min(self._too_large, size)
            return None
        if len(page.records) > size and self._paginator.is_divisible:
            raise self._failure
        self._page = self._page or page
        self._longest = max(self._longest, len(page.records))
        return {start + place: record for place, record in enumerate(page.records)}

    def _follows(self, found: dict[int, Any]) -> bool:
        """Whether the last row that was taken over still stands where it stood."""
        if not self._records:
            return True
        last = max(self._records)
        if last not in found:  # rows that can't be had lie between
            found, _ = self._ask(last, last + 1) or ({}, 0)
        key_of = self._page.key_of if self._page else repr
        return last in found and key_of(found[last]) == key_of(self._records[last])

    def whole(self) -> Page:
        """All of it as one page."""
        if self._page is None:
            raise self._failure
        self._page.replace_records([self._records[place] for place in sorted(self._records)])
        self._page.unreadable = self.unreadable
        self._page.is_cut = self.is_cut
        if self._paginator.is_divisible and not self.unreadable:
            by_number = self._longest < self._too_large
            self._page.safe_size = self._longest if by_number else max(self._longest, _FEW)
        return self._page
