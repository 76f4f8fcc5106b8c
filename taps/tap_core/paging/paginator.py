"""What all paginators share: a walk over a list, and a token that is the next query."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from singer_sdk.pagination import BaseAPIPaginator
from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.evidence import Evidence
from tap_core.paging.guard import Guard
from tap_core.paging.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

Query = dict[str, Any]

Steps = Generator[Query, "Page", None]
"""A walk: it yields the query of a page, is sent the page, and returns when the list has ended."""

NO_PLACE = (204, 400, 404, 416, 422)
"""How some servers answer where a list has no rows any more."""

_NOTHING_THERE = (204, 404, 416)
"""Those of them that say nothing else."""

_FRUITLESS = 250
"""Pages in a row without a new row, after which a list is called endless."""


class Paginator(BaseAPIPaginator[Query]):
    """Walks one list of an endpoint.

    A paginator of one's own says in `walk` how the list goes on. For `{"items": […], "next_page": 3}`:

        class NextPage(Paginator):
            def walk(self):
                query = {"page": 1}
                while query:
                    page = yield query
                    number = page.find("$.next_page")
                    query = {"page": number} if number else None

    Attributes:
        evidence: What other lists of the endpoint have shown in this run.
        name: What the list is called in errors.
        careful: Whether a bookmark or deletes depend on the end of the list.
        lone: Whether it is the only list of its stream, whose end costs little to prove.
        bounded: Whether only a part of the list is asked for, which a total may not know of.
        records_read: New records so far.
        total: Records that the API says the list has, or None.
        probing: Whether the current page is asked for only to see what the server does.
        insists: Whether it is to be asked for as often as others are, where it fails.
        cut_off: Whether the API sends no more than the first rows of the list, as far as they tell.
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
        self.careful = self.lone = False
        self.bounded = False
        self.size = size
        self.records_read = 0
        self.total: int | None = None
        self.first_claimed = self.most_claimed = 0
        """The first total of any page, and the highest: the last one may give none, or 0."""
        self.total_moved = False
        """Whether a page gave another total than the first."""
        self.least_total = 0
        """Of a lone list that has none: what other counters beside it come to, that no API documents."""
        self.probing = self.insists = self.cut_off = False
        self.proofs = 0
        """Requests that were sent only to see that the list ends there."""
        self.total_path = total
        """JSONPath of the total, or None."""
        self._steps: Steps | None = None
        self._query: Query = {}
        self._at_end = False
        self._failure: ApiError | None = None
        self._refusal: ApiError | None = None  # of a place that may be behind the end
        self._fruitless = 0
        self._guard = Guard()
        self._doubt = ""  # why some rows may have passed the reader
        self._in_hand: Page | None = None  # the page that is taken, whose records count once it is

    def _behind(self, query: Query, *, sure: bool = True) -> Generator[Query, Page, Page]:
        """A page behind all that came: an empty one where the server refuses the place, and does so twice.

        Args:
            query: What asks for it.
            sure: Whether nothing hints at more: a place can also be refused as it is too deep in a list.
        """
        for _ in range(2):
            try:
                return (yield query)
            except ApiError as error:  # noqa: PERF203  twice at most
                if error.status not in (NO_PLACE if sure else _NOTHING_THERE):
                    raise
                self.proofs, self._refusal = self.proofs + 1, error
        return Page(None, "$[*]", repr)

    def _again(self, query: Query, *, is_first: bool) -> Generator[Query, Page, Page]:
        """A page that has to be there: where the server sends nothing (204), it is asked for once more.

        So it is where it refuses another one than the first (404), as the list is there; and a list's first
        one without rows beside a total, which may be a failure of the moment.
        """
        try:
            page = yield query
        except ApiError as error:
            if error.status not in (_NOTHING_THERE[:1] if is_first else _NOTHING_THERE):
                raise
            page = yield query
        if not is_first or self.records_read or page.span or not self.total or self.bounded:
            return page
        self.proofs += 1
        return (yield query)

    @abstractmethod
    def walk(self) -> Steps:
        """Yield the query of each page in turn; the page is what the `yield` returns."""

    @property
    @override
    def current_value(self) -> Query:
        """The query of the page to fetch next."""
        self._begin()
        return self._query

    @property
    @override
    def finished(self) -> bool:
        """Whether the whole list was read.

        Raises:
            ApiError: The pages do not add up to a list; what came was handed on.
        """
        self._begin()
        if self._failure:
            raise self._failure
        return self._at_end

    def take(self, page: Page) -> list[Any]:
        """The records of the page that are new; moves on to the next query, or finishes."""
        self._begin()
        self.total = page.total(self.total_path)
        self.first_claimed = self.first_claimed or self.total or 0
        self.total_moved = self.total_moved or (self.total or 0) != self.first_claimed
        self.most_claimed = max(self.most_claimed, self.total or 0)
        if self.lone and self.total is None and not self.records_read:
            self.least_total = page.least_total
        self._in_hand = page
        self._move(page)
        self._in_hand = None
        self.evidence.longest = max(self.evidence.longest, len(page.records))
        if not self.records_read:
            self.evidence.heaviest = max(self.evidence.heaviest, page.weight)
        self.records_read += len(page.fresh)
        self._fruitless = 0 if page.fresh else self._fruitless + 1
        if not self._at_end and not self._failure and self._is_endless(page):
            self._failure = self.loop(self._doubt or "The API sends the same rows again and again")
        return page.fresh

    def fail(self, error: ApiError) -> None:
        """The current page can't be had: goes on without it, or raises the error."""
        self._begin()
        if self._steps is None:
            raise error
        try:
            self._query = self._steps.throw(error)
        except StopIteration:
            self._at_end = True

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
        self._begin()
        self._query = query

    def upcoming(self) -> Iterator[Query]:
        """The queries that will follow if all goes as it looks, nearest first."""
        return iter(())

    def piece(self, start: int, size: int) -> tuple[Query, int, int] | None:
        """A page of no more rows, from one place on or from a little before it.

        Returns:
            Its query, where it begins, and the rows asked for. None where no place can be asked for.
        """
        return None

    @property
    def is_divisible(self) -> bool:
        """Whether a part of a page can be asked for; else only pages that begin elsewhere."""
        return True

    @property
    def counts_rows(self) -> bool:
        """Whether a page begins where it was asked for, however many rows the server gives at once."""
        return True

    def stretch(self, query: Query) -> tuple[int, int]:
        """The place where a page begins, and the number of records that are asked for."""
        return 0, self.size or 0

    @override
    def get_next(self, response: requests.Response) -> Query:
        """The query that `take` has moved on to."""
        return self.current_value

    def loop(self, why: str) -> ApiError:
        """A failure of a list that has no end, or none that can be trusted."""
        whole = self.total if self.total and self.total >= self._came else "a list"
        return ApiError(
            f"{self.name}: {why}: only {self._came} records of {whole} can be read. "
            "Report this to the API's vendor; deselect the stream to go on without it",
        )

    @property
    def _came(self) -> int:
        """Records that came, those of the page in hand included."""
        return self.records_read + len(self._in_hand.fresh if self._in_hand else ())

    def _begin(self) -> None:
        if self._steps is None:
            self._start(self.walk())

    def _start(self, steps: Steps) -> None:
        self._steps = steps
        self._query = next(steps)

    def _move(self, page: Page) -> None:
        if self._steps is None:
            return
        try:
            self._query = self._steps.send(page)
        except StopIteration:
            self._at_end = True
        except ApiError as failure:
            self._failure = failure  # once what came was handed on

    def _is_endless(self, page: Page) -> bool:
        if not page.fresh:
            return self._fruitless > _FRUITLESS
        return self._guard.has_seen(page)


class SinglePage(Paginator):
    """A list that comes whole in one response: `{"members": […]}`."""

    @override
    def walk(self) -> Steps:
        """One page; if it says that there is more, the list can't be read."""
        page = yield {}
        if page.more:
            raise self.loop(f"The API says by `{page.more}` that there is more than one page")
