"""Walks a list in pages that overlap, so that rows moved by others' coming and going are noticed.

Each page after the first must hold a row that was already read and is unchanged, so that it has kept its
place among the others. When it does not, rows were deleted before it and others have moved up past it; the
reader steps back until it finds such a row. Every row that stays in the list during the read is thus read,
whatever is inserted, deleted or updated around it; unless an update moves it from what is still to come to
what was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.positioned import Positioned

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import Ask

_FAR = 2**31 - 1
"""A place behind the end of every list."""

_VOLATILE = 8
"""Rows, all of a page, that must have changed in their places before a change no longer hints at a move."""

_UNCONNECTED = 2
"""Pages that may come without any known row behind a page that is as it was."""

_EMPTY = 6
"""Pages without a row that may come where rows were seen just before: in a busy list they can be deleted."""

_STRANGE = "The API sends rows that don't follow on those before them"
_NOTHING = "The API sends nothing from a place on where rows stand"


class Walk(Positioned):
    """A list read by places in it: from the start, over pages that join one another, to the end."""

    @override
    def walk(self) -> Steps:
        """The whole list."""
        page = yield from self._page(self._places.ask(0, self._size))
        self._places.has_own_size(len(page.records), self._at, 0)
        self._longest = len(page.records)
        if not page.span:
            self._refuse_more_at_end(page)
            return
        page.fresh = page.records
        if self._ends_at_once(page):
            return  # most lists of children do, and cost no look at their keys
        self._window.add(page.keys, page.records, page.keys)
        self._first = page.keys
        self._newest = page.keys[-1] if page.keys else None
        yield from self._rest(self._beyond(page))

    @override
    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from a page in the middle of the list."""
        ask, count = self._places.read(query), len(page.records)
        if not self.counts_rows:  # numbered pages are where they seem only if they have the size asked for
            if count > ask.size or (count < ask.size == self.size and ask.start):
                raise self.loop("The page to go on from has another size than was asked for")
            self._longest = count if ask.size == self.size else ask.size
        self._window.add(done, page.records, done)
        if count > 1:
            self._first = page.keys  # should it come again further on, the place is ignored
        self._begins, self._end = ask.start, ask.start + count
        self._only_first_page = False
        self._start(self._rest(ask))

    # The walk

    def _page(self, ask: Ask) -> Generator[Query, Page, Page]:
        self._at = ask
        page = yield ask.query
        page.fresh = []
        if page.records and not self.probing:
            self._asked_to = max(self._asked_to, ask.start + ask.size)
        if not self._mark or self.probing:
            return page
        self._top = self._top or page.keys
        if ask.start and page.keys == self._top and not self._heeds_places:
            page = yield from self._tell_from_first(ask)
        if self._heeds_places or page.keys != self._first:
            self._mark(page, ask.start)
        return page

    def _tell_from_first(self, ask: Ask) -> Generator[Query, Page, Page]:
        """The page once more, after a look behind the end has told whether places are heeded."""
        far = yield from self._probe(self._places.ask(_FAR, 1))
        self._heeds_places = far is None or not far.records
        self._at = ask
        page = yield ask.query
        page.fresh = []
        if not self._heeds_places:
            page.keys = self._first
        return page

    def _rest(self, ask: Ask) -> Steps:
        """What comes after the first page; and behind all that was asked for, where rows are left out."""
        read = -1
        yield from self._to_the_end(ask)
        while self.careful and self._thinned and self.records_read > read:
            read, behind = self.records_read, self._places.ask(self._asked_to, self.size or 1)
            page = yield from self._probe(behind)
            self.proofs += 1
            # A number says where a page is only if the server does not cut the size.
            if page and len(page.records) > (0 if self.counts_rows else self._longest):
                yield from self._to_the_end(behind)

    def _to_the_end(self, ask: Ask) -> Steps:
        while page := (yield from self._joined(ask)):
            if self._back:
                self._note_step_back(page)
            page.fresh = self._window.fresh(page)
            if page.fresh:
                self._note_more(page)
                if self._is_last(page):
                    return
                ask = self._beyond(page)
            elif self._is_end(page):
                self._confirm_end(page)
                return
            elif self._back or self._heeds_places:
                ask = self._beyond(page)
            else:
                onward = yield from self._check_offset_is_heeded(page)
                if onward is None:
                    return
                ask = onward
        self._confirm_end(None)

    def _joined(self, ask: Ask) -> Generator[Query, Page, Page | None]:
        """The next page, or one before it that nothing can lie between; None where the list has ended."""
        self._back = 0
        while True:
            page = yield from self._page(ask)
            if self._shows_own_size(page):
                self._back = 0
                ask = self._places.ask(self._end, self._size, beyond=self._end)
                if ask.query.get(self._places.param) == self._empty:
                    return None
                continue
            if place := self._place_by_cap(page):
                self._back, self._longest = 0, len(page.records)
                self._at = self._at._replace(start=place, size=self._longest)
                if place + self._longest <= self._end:
                    ask = self._places.ask(max(0, self._end - 1), self._size, beyond=self._end)
                    continue
            if not page.records:
                self._empty = ask.query[self._places.param]
            if not page.records and not self._at.start:
                page = yield from self._top_again()
            if self._joins(page):
                return page
            if not page.records and (self._at.start >= self._end or not self._at.start):
                self._refuse_more_at_end(page)
                return None
            self._note_unconnected(page)
            self._expects_next = False
            self._back = 2 * self._back or self._stride
            # One less than before tells a server that has a page size of its own.
            size = self._size - (not self.counts_rows)
            ask = self._places.ask(max(0, self._at.start - self._back), max(1, size))

    def _top_again(self) -> Generator[Query, Page, Page]:
        """The first page in full, where a smaller one was empty: were all rows deleted, or is it no size?"""
        page = yield from self._page(self._places.ask(0, self._size))
        self._unconnected += bool(page.records)
        if self._unconnected > _EMPTY:
            raise self.loop(_NOTHING)
        return page

    def _joins(self, page: Page) -> bool:
        """Whether nothing can lie between the rows already read and this page."""
        if self._at.start == 0:
            return bool(page.records)
        if not page.records or self._at.start >= self._end:
            return bool(page.records)
        if self._window.joins(page):
            self.evidence.volatile = 0  # rows do come alike
            return True
        return self.evidence.volatile >= _VOLATILE and page.keys[0] == self._expected()

    def _note_step_back(self, page: Page) -> None:
        """Learn from a page that was read before: does it come unlike before, though nothing moved?"""
        asked = self._places.most(self._at, self._longest)
        if self._window.comes_again(page, self._at.start - self._begins, asked):
            if not self._window.joins(page):
                self.evidence.volatile += len(page.records)
        else:
            self._unconnected = 0

    def _note_unconnected(self, page: Page) -> None:
        if self._back or any(self._window.knows(key) for key in page.keys):
            return
        self._unconnected += 1
        if self._unconnected > (_UNCONNECTED if page.records else _EMPTY):
            raise self.loop(_STRANGE if page.records else _NOTHING)

    def _check_offset_is_heeded(self, page: Page) -> Generator[Query, Page, Ask | None]:
        """A page of known rows only: were as many inserted before it, or is the place ignored?

        A page far behind the end tells: who heeds places has nothing there.
        """
        here, count = self._at, len(page.records)
        if count > here.size:
            self._end_whole(page)
            return None
        onward, steady = (
            self._beyond(page),
            self._expects_next,
        )  # the page is let go of before the next one comes
        size = max(1, min(count, self.size or count) // 2)
        far = yield from self._probe(self._places.ask(_FAR, size))
        self._at = here
        if far is None or not far.records:
            self._heeds_places, self._expects_next = True, steady
            return onward
        self.proofs += 2
        if self.total == self.records_read and not self.bounded:
            return None  # what the total says came, and nothing else does
        if len(far.records) > size and not self._places.own_size:
            self._end_whole(page)
            return None
        if far.keys[-1] != self._newest:  # else the place is clamped to the list's end
            self._refuse_repetition(far)
        self._refuse_more(far)
        return None

    def _probe(self, ask: Ask) -> Generator[Query, Page, Page | None]:
        self.probing, self._expects_next = True, False
        try:
            page = yield from self._page(ask)
        except ApiError:
            return None
        finally:
            self.probing = False
        if self._mark and page.keys == self._top[: len(page.keys)]:
            page.keys = self._first[: len(page.keys)]
        return page

    def _note_more(self, page: Page) -> None:
        """There was more behind the first page."""
        self._unconnected = 0
        self._thinned = self._thinned or not self._full
        self._newest = page.keys[-1]
        self._longest = max(self._longest, len(page.records))
        if self._only_first_page:
            self._only_first_page = False
            self.evidence.unpaged = 0

    def _confirm_end(self, page: Page | None) -> None:
        """The list ended with a request that brought nothing new."""
        if page is not None:
            self._refuse_more_at_end(page)
        self.proofs += 1
        if self._full and self.total == self._end:
            self.evidence.confirmed_totals[self._end] += 1

    # Lists that can't be read to the end

    def _refuse_more_at_end(self, page: Page) -> None:
        """As `_refuse_more`, where a further request has shown that nothing follows.

        A flag that knows nothing of the lower bound, as a total may not, accuses nobody.
        """
        if not self.bounded:
            self._refuse_more(page)

    def _refuse_more(self, page: Page) -> None:
        if page.more:
            raise self.loop(f"The API says by `{page.more}` that there is more, and does not send it")

    def _end_whole(self, page: Page) -> None:
        """The whole list came, whatever was asked for; if that can be."""
        self._refuse_more(page)
        if self.total is not None and not self.bounded and self.total > self.records_read:
            raise self.loop(f"The API ignores `{self._places.param}`")
        if len(self._first) == self.size and self.evidence.longest <= len(self._first):
            raise self.loop(
                f"The API ignores `{self._places.param}` and sends just as many rows as a page has: more may "
                "be behind them"
            )
        self.evidence.unpaged += 1
        self.evidence.longest_unpaged = max(self.evidence.longest_unpaged, len(self._first))
        self.proofs += 1

    def _refuse_repetition(self, far: Page) -> None:
        if not set(far.keys) <= set(self._first):
            raise self.loop("The API sends the same pages again and again")
        if not self._only_first_page or len(self._first) >= (self.size or 1):
            raise self.loop(f"The API ignores `{self._places.param}` but not `{self._places.size_param}`")
