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
    pieces = _Pieces(get, paginator)
    todo = [(start + size // 2, start + size), (start, start + size // 2)]
    while todo:
        begin, end = todo.pop()
        try:
            ended = pieces.read(begin, end)
        except PageFailed:
            if end - begin > 1:
                middle = (begin + end) // 2
                todo += [(middle, end), (begin, middle)]
                continue
            pieces.unreadable.append(begin)
            if pieces.unreadable == [start, start + 1]:
                raise failure from None
        else:
            if ended:
                break
    if pieces.page is None:
        raise failure
    return pieces.whole()


class _Pieces:
    """What came so far."""

    def __init__(self, get: Callable[[Query], Page], paginator: Paginator) -> None:
        self.page: Page | None = None
        self.unreadable: list[int] = []
        self._get = get
        self._paginator = paginator
        self._records: list[Any] = []
        self._smallest = 0

    def read(self, begin: int, end: int) -> bool:
        """Read the rows from one place up to another.

        Returns:
            Whether the list has ended before.
        """
        found: dict[int, Any] = {}
        for query, start in self._paginator.cover(begin, end):
            page = self._get(query)
            found |= {start + place: record for place, record in enumerate(page.records)}
            self.page = self.page or page
        rows = [found[place] for place in range(begin, end) if place in found]
        self._records += rows
        self._smallest = min(self._smallest or end - begin, end - begin)
        return len(rows) < end - begin

    def whole(self) -> Page:
        """All of it as one page."""
        assert self.page is not None  # noqa: S101  the caller has looked
        self.page.replace_records(self._records)
        self.page.unreadable = self.unreadable
        self.page.bearable = None if self.unreadable else self._smallest
        return self.page
