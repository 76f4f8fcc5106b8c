"""Where in a list a reader is, how it asks for what comes next, and what a page says of the list's end."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.paging.paginator import Paginator
from tap_core.paging.window import Window
from tap_core.records import jsonpath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.paging.places import Ask, ByNumber, ByOffset

_PAIR = 2
"""Rows of a page that come again whatever their moments are."""


class Positioned(Paginator):
    """A list read by places in it; `Walk` goes through it."""

    def __init__(
        self,
        places: ByOffset | ByNumber,
        *,
        size: int,
        total: str | None = None,
        order: str | None = None,
        mark: Callable[[Page, int], None] | None = None,
    ) -> None:
        """Start at the first page.

        Args:
            places: How pages are asked for.
            size: Records to ask for in a page.
            total: JSONPath of the total in a response, where the API gives one.
            order: Field that the list is ordered by, where rows with the same value can trade places
                between two requests: all of the last ones of a page are then read again with the next.
            mark: Is given each page and its place before it is looked at; makes of its `keys`, where a record
                alone does not say which one it is, pairs of the key and a number from 1 on.
        """
        super().__init__(size=size, total=total)
        self._places = places
        self._mark = mark
        self._order = order
        self._window = Window()
        self._at = places.ask(0, size)
        self._put_off: Page | None = None  # the first page, until a page with rows comes behind it
        self._first: list[Any] = []  # keys of the first page
        self._top: list[Any] = []  # the same before they were marked
        self._page_keys: list[Any] = []  # those of the page before, which was asked for by
        self._page_at = self._at
        self._begins = self._end = 0  # of what was read
        self._asked_to = 0  # the end of what was asked for
        self._covered = 0  # the same, if no page is longer than those that came
        self._stride = 1
        self._longest = 0
        self._newest: Any = None  # key of the last new row
        self._short = 0  # length of the last page with new rows, if it was shorter than asked for
        self._only_first_page = True  # only the first page has brought anything
        self._full = False  # the page before was as long as they come
        self._said_more = False  # it said itself that more follows
        self._thinned = False  # the server leaves rows out of its pages
        self._all_tied = False  # rows of one moment fill a page
        self._cut: list[Any] = []  # keys of a short numbered page behind which rows stood
        self._moment: Any = None  # of the last row of the page before
        self._whole: Any = None  # one whose rows were read in one piece
        self._trickles = 0  # pages in a row that brought a few new rows each, as at the end of a busy list
        self._renewals = 0  # how often such rows were found to be ever others
        self._resumed = False  # it goes on where another run was interrupted
        self._expects_next = False  # the next page is just the next one
        self._back = 0  # rows that the current page is a step back
        self._unconnected = 0
        self._furthest = 0  # how far pages reached when the reader last stepped back
        self._returns = 0  # steps back since then that began no further on
        self._wide_ends = 0  # ends of pages over which rows trade places, more than are read once more
        self._looked_at_end = False  # the last look was about the end of the list
        self._unlike = 0  # rows of the first page, all unlike before
        self._empty = 0  # number or offset of a page without rows
        self._heeds_places = False  # the server has shown that it does
        self._clamps_places = False  # it has shown that places behind the end are taken for the last page
        self._begins_alike = False  # a page of marked rows began with one of several that are equal

    @override
    def sample(self) -> Query:
        """The first record alone."""
        return self._places.ask(0, 1).query

    @override
    def upcoming(self) -> Iterator[Query]:
        """The pages that the total says there are; one or two more where a full page came without a total.

        A first page that is shorter than asked for, and than the total, casts doubt on one of the two.
        """
        if self._at_end or self._failure or not self._expects_next:
            return
        by_total = self.total is not None and not self.bounded and (self._full or not self._only_first_page)
        count, ask, most = 0, self._at, self._places.lookahead_pages
        while (ask.start < (self.total or 0) - 1) if by_total else (self._full and count < most):
            yield ask.query
            count, ask = count + 1, self._places.following(ask, self._stride, self._size)

    @override
    def piece(self, start: int, size: int) -> tuple[Query, int, int] | None:
        """A page of no more rows, from one place on or from a little before it; None if there is no such.

        Where the API takes no page size, it is the page from that place on, as long as pages are.
        """
        ask = self._places.ask(start, self._can_have(size))
        return None if self._places.own_size else (ask.query, ask.start, ask.size)

    @property
    @override
    def is_divisible(self) -> bool:
        """Whether a part of a page can be asked for."""
        return self._places.is_divisible

    @property
    @override
    def counts_rows(self) -> bool:
        """Whether pages are asked for by rows."""
        return self._places.counts_rows

    @override
    def stretch(self, query: Query) -> tuple[int, int]:
        """The place where a page begins, and the number of records that are asked for."""
        ask = self._places.read(query)
        return ask.start, self._can_have(ask.size)

    def _can_have(self, size: int) -> int:
        """How many rows a page has that is asked for with a size: as many as ever where it can't be told."""
        return size if self.is_divisible else self._longest or self.size or size

    # Where to

    @property
    def _size(self) -> int:
        return self._places.fits(self.size or 1, self._longest)

    def _beyond(self, page: Page) -> Ask:
        """What comes after a page, and its last row once more; fewer rows if the first can be the last."""
        self._page_keys, self._page_at = [] if self._put_off else page.keys, self._at
        span = self._places.own_size or page.span  # the server may have left rows out
        self._end = self._at.start + span
        self._stride = max(span - self._overlap(page), 1)
        self._full = not self._is_short(page)
        self._said_more = self._expects_next = bool(page.more) or self._total_says_more(page)
        if self._full and not self._reaches_total(page):
            self._expects_next = True
        few = max(self._places.few(self._size, len(page.records)), page.span - self._stride + 1)
        whole = self._expects_next or self.careful or not self._only_first_page
        size = self._size if whole else min(few, self._size)
        ask = self._places.ask(self._at.start + self._stride, size, beyond=self._end)
        if ask.start >= self._end and span > 1:  # no numbered page holds so many rows again and goes beyond
            ask = self._places.ask(self._end - 1, size, beyond=self._end)
        return ask

    def _overlap(self, page: Page) -> int:
        """Rows to read again: the last one; or those that may trade places, and the one before them."""
        if self._places.own_size:
            return 0
        places = (at for at in reversed(range(self._at.start, self._end)) if at not in page.unreadable)
        rows = zip(places, reversed(page.records), strict=False)
        whole = (at for at, record in rows if at > self._at.start and jsonpath.is_object(record))
        last = next(whole, self._end - 1)
        again = self._end - last
        if not self._order or not page.records:
            return again
        moments = map(self._moment_of, reversed(page.records))
        self._moment = next(moments)
        tied = again + 1 + sum(1 for _ in takewhile(lambda other: other == self._moment, moments))
        self._all_tied = _PAIR < len(page.records) <= tied
        return again if tied >= len(page.records) else tied

    def _moment_of(self, record: Any) -> Any:
        return jsonpath.first(record, f"$.{self._order}")

    def _expected(self) -> Any:
        """Key of the row that was read at the place where the current page begins."""
        at = self._at.start - self._page_at.start
        return self._page_keys[at] if 0 <= at < len(self._page_keys) else None

    # What pages say

    def _ends_at_once(self, page: Page) -> bool:
        if self._says_more(page):
            return False
        self._end = page.span
        if self._reaches_total(page):
            return page.span != self._at.size or self.evidence.confirms(page.span)
        return self._believe(page)

    def _believe(self, page: Page) -> bool:
        """Take a short page for the last one without proof, if it may be."""
        if self.careful or self.lone or not self.evidence.ends_short(page, self._at.size):
            return False
        self.evidence.believed.add(page.span)
        self._short = 0  # of which nothing was proved
        return True

    def _says_more(self, page: Page) -> bool:
        """Whether a page says itself that more follows."""
        return bool(page.more) or page.is_cut or self._total_says_more(page)

    def _is_last(self, page: Page) -> bool:
        """Whether a page with new rows is known to be the last one."""
        if self._says_more(page):
            return False
        short = self._is_short(page)
        if self._reaches_total(page):
            return short or self.evidence.confirms(self._at.start + page.span)
        if self._thinned or not short or self.counts_rows:
            return False
        if self.evidence.longest < (self.size or 1):  # no page was ever full: all can lack rows
            return False
        return self._believe(page)

    def _is_end(self, page: Page) -> bool:
        """Whether a page has only rows of the page before, in their places, and had room for more."""
        if not page.records:
            return True
        alone = len(page.records) == 1 < self._at.size
        short = alone or len(page.records) < self._places.most(self._at, self._longest)
        same = set(page.keys) <= set(self._page_keys)
        if short and not same:
            self._newest = page.keys[-1]
        if short and self._at == self._page_at and len(page.records) == len(self._page_keys):
            return not page.is_cut  # as many as before, and all are known: those of one moment trade places
        # Rows in other places than they were: some came before them, or pages are thinned out once cut.
        there = self._page_keys[max(0, self._at.start - self._page_at.start) :]
        alike = page.keys == self._page_keys
        shifted = not alike and not set(page.keys) <= set(there)
        further = not self.counts_rows and not self._only_first_page and self._at.start > self._page_at.start
        self._thinned = self._thinned or shifted or (alike and further)
        return short and same and not shifted and not page.is_cut

    def _is_short(self, page: Page) -> bool:
        """Whether a page has fewer records than the server is known to send."""
        return page.span < (
            self._at.size if self._only_first_page else self._places.most(self._at, self._longest)
        )

    def _shortness(self, page: Page) -> int:
        return page.span if page.span < self._at.size else 0

    def _reaches_total(self, page: Page) -> bool:
        return self.total is not None and self._at.start + page.span == self.total

    def _total_says_more(self, page: Page) -> bool:
        return self.total is not None and not self.bounded and self._at.start + page.span < self.total

    def _is_first_page_again(self, page: Page) -> bool:
        """Whether a page holds what the first one did, or as much of it as was asked for now."""
        return bool(page.records) and set(page.keys) in (set(self._first), set(self._first[: self._at.size]))

    def _can_be_cut(self, page: Page) -> bool:
        """Whether a numbered page seems to be one of those that are as long as it came.

        It then stands before the place that it was asked for, with rows that were read from there on.
        """
        count, start = len(page.records), self._at.start
        if self.counts_rows or self._places.own_size or not 0 < count < self._at.size:
            return False
        place = (start // self._at.size) * count
        if self._thinned:  # each page is shorter then: it must stand before the page that it is to join
            is_apart = set(page.keys).isdisjoint(self._page_keys)
            return place < start and is_apart and all(map(self._window.knows, page.keys))
        stands_there = self._window.stands_at(page, place - self._begins, start - self._begins)
        return place < start and stands_there and self._window.joins(page)

    def _shows_own_size(self, page: Page) -> bool:
        if self._only_first_page and self._at.start and self._is_first_page_again(page):
            return False
        if (
            page.keys
            and page.keys == self._page_keys
            and self._places.heeds_number_only(self._at, self._page_at)
        ):
            return True
        return self._places.has_own_size(len(page.records), self._at, self._longest)

    def _refuse_more_at_end(self, page: Page) -> None:
        """As `_refuse_more`, where a further request has shown that nothing follows.

        A flag that knows nothing of the lower bound, as a total may not, accuses nobody.
        """
        if not self.bounded:
            self._refuse_more(page)

    def _refuse_more(self, page: Page) -> None:
        if page.more:
            raise self.loop(f"The API says by `{page.more}` that there is more, and does not send it")
