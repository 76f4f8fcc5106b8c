"""Paging by cursors: each page names the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_core.paging.failures import is_nothing
from tap_core.paging.paginator import Paginator

if TYPE_CHECKING:
    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query, Steps

_EMPTY = 100
"""Empty pages in a row after which a list is called endless."""


_LOOKED_AT = 4
"""One of so many pages is looked at row by row."""

_NOTHING = "The API has nothing at a cursor that it gave"


class Cursor(Paginator):
    """Pages that name the next one: `{"items": […], "paging": {"next_cursor": 284117}}`.

    The end is a page whose cursor is null, absent, empty, false, 0 or -1, or an empty page that names itself.
    A page can be empty before the end.
    """

    def __init__(
        self, *, param: str, path: str, size_param: str | None = None, size: int | None = None
    ) -> None:
        """Start at the first page, which needs no cursor.

        Args:
            param: Query parameter that takes the cursor.
            path: JSONPath of the next cursor in a response.
            size_param: Query parameter that takes the page size, where there is one.
            size: Records to ask for in a page.
        """
        super().__init__(size=size)
        self._param = param
        self._path = path
        self._size_param = size_param
        self._current: str | None = None

    @override
    def walk(self) -> Steps:
        """From the first page, or the one that was resumed, along the cursors."""
        used: set[str] = set()
        empty = number = 0
        query = self._with({})
        place, beside, stood = "", self._path.rpartition(".")[0].removeprefix("$"), False
        while True:
            page = yield from self._again(query, is_first=self._current is None)
            if not page.records and self._current is not None and is_nothing(page.find(self._path)):
                page = yield query  # a cursor was given for more: it may be a failure of the moment
                self.proofs += 1
                # A bare list, or one without what stood beside the others, where those say more.
                if not page.records and (page.document is None or (stood and page.find(beside) is None)):
                    raise self.loop(_NOTHING)
            count, cursor, number = len(page.records), page.find(self._path), number + 1
            if number % _LOOKED_AT == 0:
                page.fresh_keys = page.keys  # by which rows are known that come round again
            if is_nothing(cursor):
                self._check_last(page, place)
                return
            place, stood = page.records_path, stood or page.find(beside) is not None
            if str(cursor) == self._current and not count:
                return
            if str(cursor) in used:
                raise self.loop("The API's cursors go round in a circle")
            empty = 0 if count else empty + 1
            if empty > _EMPTY:
                raise self.loop("The API sends empty pages without end")
            used.add(str(cursor))
            self._current = str(cursor)
            query = self._with({self._param: cursor})

    def _check_last(self, page: Page, place: str) -> None:
        """See that a page that names no next one can be the last, behind others with records in a place.

        Raises:
            ApiError: It is of another kind, or says itself that there is more.
        """
        if place not in {"", page.records_path}:
            raise self.loop("The API sends another kind of page than before" if page.records else _NOTHING)
        if page.more:
            raise self.loop(f"The API names no next page, and says by `{page.more}` that there is one")

    @override
    def resume(self, query: Query, page: object, done: object) -> None:
        """Go on from a page in the middle of the list."""
        self._begin()
        self._query = query
        self._current = str(query[self._param]) if self._param in query else None

    def _with(self, query: Query) -> Query:
        return {self._size_param: self.size, **query} if self._size_param else query
