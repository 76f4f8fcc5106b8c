"""A page that the server can't send at once, put together from smaller ones, down to single rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_core.errors import PageFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Paginator, Query


def read_in_pieces(
    get: Callable[[Query], Page], paginator: Paginator, query: Query, failure: PageFailed
) -> Page:
    """The page of a query by halves, each asked for once.

    Args:
        get: Fetches the page of a query.
        paginator: Knows how a stretch of the list is asked for.
        query: Of the page that failed.
        failure: How it failed.

    Returns:
        A page that names the rows that can't be had even alone, and the number of rows that can.

    Raises:
        PageFailed: The API takes no page size, or the first two rows fail even alone: so will all others.
    """
    start, size = paginator.stretch(query)
    if size < 2 or not paginator.cover(start, start + 1):  # noqa: PLR2004  nothing to halve
        raise failure
    pieces = _Pieces(get, paginator, failure)
    if not (pieces.has(start) or pieces.has(start + 1)):
        raise failure
    todo = [(start + size // 2, start + size), (start, start + size // 2)]
    while todo:
        begin, end = todo.pop()
        count = pieces.read(begin, end)
        if count is not None and (count == end - begin or end - begin == 1 or pieces.can_be_last(begin)):
            pieces.keep(begin, end)
            if count < end - begin:
                break
        elif end - begin > 1:
            middle = (begin + end) // 2
            todo += [(middle, end), (begin, middle)]
        else:
            pieces.unreadable.append(begin)
    return pieces.whole()


class _Pieces:
    """What came so far."""

    def __init__(self, get: Callable[[Query], Page], paginator: Paginator, failure: PageFailed) -> None:
        self.unreadable: list[int] = []
        self._page: Page | None = None
        self._get = get
        self._paginator = paginator
        self._failure = failure
        self._found: dict[int, Any] = {}
        self._records: list[Any] = []
        self._smallest = 0

    def has(self, place: int) -> bool:
        """Whether a row can be had alone, or the list ends before it."""
        return self.read(place, place + 1) is not None

    def read(self, begin: int, end: int) -> int | None:
        """Ask for the rows from one place up to another.

        Returns:
            How many came; None if they can't be had.

        Raises:
            PageFailed: More came than was asked for, so that nobody knows which.
        """
        self._found = {}
        for query, start in self._paginator.cover(begin, end):
            try:
                page = self._get(query)
            except PageFailed:
                return None
            if len(page.records) > self._paginator.stretch(query)[1]:
                raise self._failure
            self._found |= {start + place: record for place, record in enumerate(page.records)}
            self._page = self._page or page
        return sum(place in self._found for place in range(begin, end))

    def can_be_last(self, begin: int) -> bool:
        """Whether fewer rows than asked for, from this place on, are the end, or all that is given at once.

        A numbered page is elsewhere if the server caps its size; only the first one is where it must be.
        """
        return begin == 0 or self._paginator.counts_rows

    def keep(self, begin: int, end: int) -> None:
        """Take over what came of this stretch."""
        self._records += [self._found[place] for place in range(begin, end) if place in self._found]
        self._smallest = min(self._smallest or end - begin, end - begin)

    def whole(self) -> Page:
        """All of it as one page."""
        if self._page is None:
            raise self._failure
        self._page.replace_records(self._records)
        self._page.unreadable = self.unreadable
        self._page.bearable = None if self.unreadable else self._smallest
        return self._page
