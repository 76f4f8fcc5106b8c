"""Pages that join what was read: where one does not, the reader steps back until one does."""

from __future__ import annotations

from math import inf
from operator import ne
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.evidence import ALIKE
from tap_core.paging.guard import Guard
from tap_core.paging.positioned import Positioned

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Hashable, Sequence
    from typing import Any

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.paging.places import Ask

FAR = 2**31 - 1
"""A place behind the end of every list."""

_VOLATILE = 8
"""Rows, all of a page, that must have changed in their places before a change no longer hints at a move."""

_UNCONNECTED = 2
"""Pages that may come without any known row behind a page that is as it was."""

_EMPTY = 6
"""Pages without a row that may come where rows were seen just before: in a busy list they can be deleted."""

_RETURNS = 300
"""Steps back without a page that reaches further than all before."""

_STRANGE = "The API sends rows that don't follow on those before them"
_NOTHING = "The API sends nothing from a place on where rows stand"


class Joining(Positioned):
    """Asks for pages that overlap what was read, and knows whether anything can lie between."""

    def _page(self, ask: Ask) -> Generator[Query, Page, Page]:
        self._at = ask
        if self.probing:
            page = yield ask.query
        elif self._said_more or not ask.start or not self._end:
            page = yield from self._again(ask.query, is_first=not ask.start)
        else:  # rows that were deleted can have left nothing there
            page = yield from self._behind(ask.query, sure=not self._full)
        page.fresh = []
        return page if self.probing else (yield from self._marked(ask, page))

    def _marked(self, ask: Ask, page: Page) -> Generator[Query, Page, Page]:
        """The page, asked for once more if need be, with its rows marked where they are to be."""
        if not self._mark:
            return page
        self._top = self._top or page.keys
        if self._seems_known(page) and not (self._heeds_places or self._clamps_places):
            far = yield from self._probe(self._places.ask(FAR, 1))
            self._heeds_places = far is None or not far.records
            self._clamps_places = bool(far and far.keys and far.keys[0] != self._first[0])
            self._at = ask
            page = yield ask.query
            page.fresh = []
        known = self._seems_known(page)
        if not known or self._heeds_places:
            is_alike = bool(page.keys) and page.keys.count(page.keys[0]) > 1
            self._mark(page, ask.start)
            if is_alike and page.keys[0] == self._newest:  # as it would from a place before it
                self._begins_alike = True
        else:
            page.keys = known
            if self._clamps_places and self._begins_alike:
                self._doubt = "Equal rows come, of which the API does not show how many there are"
        return page

    def _seems_known(self, page: Page) -> list[Any] | None:
        """The marked keys of rows that come again where the server ignores places, or clamps them to the end.

        It may also be of other rows that are equal to these: a look behind the end tells.
        """
        if self._at.start and page.keys == self._top and not self._clamps_places:
            return self._first
        newest = self._newest[0] if self._newest else None
        if self._at.start + len(page.keys) <= self._end or page.keys[-1:] != [newest]:
            return None
        last = self._window.last(len(page.keys))
        return last if [key for key, _ in last] == page.keys else None

    def _probe(self, ask: Ask, refusals: Collection[int] = ()) -> Generator[Query, Page, Page | None]:
        """A page that only tells something; None if it is refused, with one of the statuses if any are."""
        self.probing, self._expects_next = True, False
        self.insists = bool(refusals)
        try:
            page = yield from self._page(ask)
        except ApiError as error:
            if refusals and error.status not in refusals:
                raise
            return None
        finally:
            self.probing = False
        if self._mark and page.keys == self._top[: len(page.keys)]:
            page.keys = self._first[: len(page.keys)]
        return page

    def _joined(self, ask: Ask) -> Generator[Query, Page, Page | None]:
        """The next page, or one before it that nothing can lie between; None where the list has ended."""
        self._back = 0
        while True:
            page = yield from self._page(ask)
            if self._ends_as_usual(page):
                return None
            if self._shows_own_size(page):
                self._back = 0
                ask = self._places.ask(self._end, self._size, beyond=self._end)
                if ask.query.get(self._places.param) == self._empty:
                    self._refuse_more_at_end(page)
                    return None
                continue
            page, is_cut = yield from self._in_place(ask, page)
            if is_cut and self._at.start + self._at.size <= self._end:
                ask = self._places.ask(max(0, self._end - 1), self._size, beyond=self._end)
                continue
            if not page.records and not self._at.start:
                page = yield from self._top_again()
            if self._back and self._comes_again(page):
                page = yield from self._unmoved(page)
            if self._joins(page):
                return page
            if not page.records and (self._at.start >= self._end or not self._at.start):
                self._refuse_more_at_end(page)
                return None
            self._note_unconnected(page)
            self._refuse_to_roam()
            self._expects_next = False
            self._back = 2 * self._back or self._stride
            self._guard = Guard()  # what was read comes again, as it should
            # One less than before tells a server that has a page size of its own.
            size = self._size - (not self.counts_rows)
            ask = self._places.ask(max(0, self._at.start - self._back), max(1, size))

    def _remember_first(self, page: Page) -> None:
        self._window.add(page.keys, page.records, page.keys)
        self._first = self._page_keys = page.keys
        self._newest = page.keys[-1] if page.keys else None

    def _look_at_first(self) -> None:
        """Remember the first page: most lists of children end behind it, and cost no look at their keys."""
        page, self._put_off = self._put_off, None
        if page is not None:
            self._remember_first(page)
            self._guard.has_seen(page)

    @override
    def _is_endless(self, page: Page) -> bool:
        return not self._put_off and super()._is_endless(page)

    def _ends_as_usual(self, page: Page) -> bool:
        """Whether behind the first page its last row comes alone, as in lists before; else look at them."""
        first = self._put_off
        if first is None or not (page.records or self._back):
            return False
        is_usual = (
            self.evidence.proven_ends >= ALIKE
            and len(page.records) == 1 < self._at.size
            and self._at.start == self._end - 1
            and not self._says_more(page)
            and page.records == first.records[-1:]
        )
        if not is_usual:
            self._look_at_first()
        return is_usual

    def _in_place(self, ask: Ask, page: Page) -> Generator[Query, Page, tuple[Page, bool]]:
        """A page as it is when asked for with care, and whether the server has cut its size."""
        if not page.records and self.counts_rows and ask.size < self._size and ask.start < self._end:
            # All of a few rows can be hidden ones.
            return (yield from self._page(self._places.ask(ask.start, self._size))), False
        if not self._can_be_cut(page):
            return page, False
        keys, count = page.keys, len(page.records)
        page = yield from self._page(self._places.ask(ask.start // ask.size * count, count))
        if page.keys == keys or _shift(keys, page.keys) < (ask.start - self._at.start - 1) / 2:
            self._back, self._longest = 0, count
            return page, True
        was_thinned, self._thinned = self._thinned, True  # it is no size that was cut: rows are left out
        page = yield from self._page(ask)
        return (page, False) if was_thinned else (yield from self._in_place(ask, page))

    def _top_again(self) -> Generator[Query, Page, Page]:
        """The first page in full, where a smaller one was empty: were all rows deleted, or is it no size?"""
        page = yield from self._page(self._places.ask(0, self._size))
        self._unconnected += bool(page.records)
        if self._unconnected > _EMPTY:
            raise self._nothing
        return page

    def _joins(self, page: Page) -> bool:
        """Whether nothing can lie between the rows already read and this page."""
        if self._at.start == 0:
            return bool(page.records)
        if not page.records or self._at.start >= self._end:
            return bool(page.records)
        if self._window.joins(page):
            if not self._back:
                self.evidence.volatile = self._unlike = 0  # rows do come alike
            return True
        if page.keys[0] != self._expected():
            return False
        if not self._back:
            self.evidence.volatile += self._unlike
            self._unlike = 0
        return self.evidence.volatile >= _VOLATILE

    def _comes_again(self, page: Page) -> bool:
        """Whether a page has just the rows that were read in its place."""
        asked = self._places.most(self._at, self._longest)
        return self._window.comes_again(page, self._at.start - self._begins, asked)

    def _unmoved(self, page: Page) -> Generator[Query, Page, Page]:
        """A page whose rows stand where they stood, though what came behind them was unlike it.

        Where all of them are unlike before, those of the first page show with the next one whether they are
        so each time; others are asked for once more.
        """
        if self._window.joins(page):
            self._unlike = int(self._window.compares_content)  # what comes behind it is unlike it each time
            self._window.compare_content(page)
        elif not self._at.start:
            self._unlike = len(page.records)
        elif self.evidence.volatile < _VOLATILE:
            before, keys = self._window.prints_of(page), page.keys
            page = yield from self._page(self._at)
            if page.keys == keys and all(map(ne, before, self._window.prints_of(page))):
                self.evidence.volatile += len(keys)
        return page

    def _note_unconnected(self, page: Page) -> None:
        if not page.records:
            self._empty = self._at.query[self._places.param]
        if self._back or any(self._window.knows(key) for key in page.keys):
            return
        self._unconnected += 1
        if self._unconnected > (_UNCONNECTED if page.records else _EMPTY):
            raise self.loop(_STRANGE) if page.records else self._nothing

    def _refuse_to_roam(self) -> None:
        """Fail where the reader steps back ever again, as rows stand elsewhere each time."""
        if self._covered > self._furthest:
            self._returns, self._furthest = 0, self._covered
        self._returns += 1
        if self._returns > _RETURNS:
            raise self.loop(_STRANGE)

    @property
    def _nothing(self) -> ApiError:
        return self._refusal or self.loop(_NOTHING)


def _shift(before: Sequence[Hashable], now: Sequence[Hashable]) -> float:
    """By how many places the rows of a page have moved; without end if none of them is left."""
    places = {key: at for at, key in enumerate(before)}
    return next((abs(places[key] - at) for at, key in enumerate(now) if key in places), inf)
