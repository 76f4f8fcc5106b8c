"""Paginators whose token is the next query, and which neither lose rows nor loop.

A paginator is given each page in turn and says which of its records are new. It advances by what came
back, not by what was asked for, and ends a list only on evidence: a total that was reached, an
explicit end, or a page that brings nothing new. A short page alone is an end only where the endpoint
has returned longer ones.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singer_sdk.pagination import BaseAPIPaginator

from tap_core.errors import ApiError
from tap_core.paging.window import Window

if TYPE_CHECKING:
    import requests

    from tap_core.paging.page import Page

Query = dict[str, Any]

ENDS_NEEDED = 10
"""How many lists of one length must prove complete before that length is taken for an end."""


@dataclass
class Evidence:
    """What the answers of one endpoint have shown so far; shared by all lists of a stream."""

    largest: int = 0
    """Records in the largest page: a shorter first page is a last page."""

    complete: Counter[int] = field(default_factory=Counter)
    """How many lists proved complete after one page of this many records."""

    cut: set[int] = field(default_factory=set)
    """Sizes of first pages that turned out to have more behind them."""

    unpaged: bool = False
    """Whether the endpoint ignores paging and always sends everything."""

    volatile: int = 0
    """Rows of pages that had changed throughout when they were read again, and not moved."""

    totals_right: bool | None = None
    """Whether totals were borne out by a page past them; None until one was tried."""

    def proves_end(self, count: int, size: int | None) -> bool:
        """Whether a list that begins with a page of `count` records ends there."""
        if self.unpaged or count == 0 or count < self.largest:
            return True
        whole = size is None or count < size
        return whole and count not in self.cut and self.complete[count] >= ENDS_NEEDED


class Paginator(BaseAPIPaginator[Query]):
    """Walks one list of an endpoint.

    Attributes:
        current_value: The query of the page to fetch next.
        finished: Whether the whole list was read.
        evidence: What other lists of the endpoint have shown.
        name: What the list is called in errors.
        records_read: Records of the list read so far.
        total: Records that the API says the list has, or None.
    """

    def __init__(self, *, size: int | None = None, total: str | None = None) -> None:
        """Start at the first page.

        Args:
            size: Records to ask for in a page.
            total: JSONPath of the total in a response, where the API gives one.
        """
        super().__init__({})
        self.evidence = Evidence()
        self.name = "a list"
        self.size = size
        self.records_read = 0
        self.total: int | None = None
        self._total_path = total
        self._window = Window()

    def take(self, page: Page) -> list[Any]:
        """The records of the page that are new; moves on to the next query, or finishes."""
        if self._total_path:
            self.total = page.total(self._total_path)
        fresh = self._take(page)
        self.evidence.largest = max(self.evidence.largest, len(page.records))
        self.records_read += len(fresh)
        return fresh

    def sample(self) -> Query:
        """The query of as small a first page as the API gives."""
        return self.current_value

    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from a page in the middle of the list.

        Args:
            query: Query of that page.
            page: The page, which is fetched again.
            done: Keys of its records that were read before.
        """
        self._value = query
        self._window.add(done, page.records)

    def get_next(self, response: requests.Response) -> Query:
        """The query that `take` has moved on to."""
        return self.current_value

    def upcoming(self) -> list[Query]:
        """The queries that will follow the current one if all goes as it looks, nearest first."""
        return []

    @abstractmethod
    def _take(self, page: Page) -> list[Any]: ...

    def _loop(self, why: str) -> ApiError:
        whole = "a list" if self.total is None else self.total
        return ApiError(
            f"{self.name}: {why}: only {self.records_read} records of {whole} can be read. "
            "Report this to the API's vendor; deselect the stream to go on without it",
        )


class SinglePage(Paginator):
    """A list that comes whole in one response."""

    def _take(self, page: Page) -> list[Any]:
        self._finished = True
        return page.records


class Cursor(Paginator):
    """Pages that name the next one: `{"items": […], "paging": {"next_cursor": 284117}}`."""

    def __init__(
        self, *, param: str, path: str, size_param: str | None = None, size: int | None = None
    ) -> None:
        """Start at the first page, which needs no cursor.

        Args:
            param: Query parameter that takes the cursor.
            path: JSONPath of the next cursor in a response; null, absent or empty at the end.
            size_param: Query parameter that takes the page size, where there is one.
            size: Records to ask for in a page.
        """
        super().__init__(size=size)
        self._param = param
        self._path = path
        self._fixed: Query = {size_param: size} if size_param else {}
        self._used: set[str] = set()
        self._value = dict(self._fixed)

    def _take(self, page: Page) -> list[Any]:
        cursor = page.find(self._path)
        if cursor in (None, ""):
            self._finished = True
        elif str(cursor) in self._used:
            raise self._loop("The API's cursors go round in a circle")
        else:
            self._used.add(str(cursor))
            self._value = {**self._fixed, self._param: cursor}
        return page.records
