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

from tap_core.paging.edges import Edges
from tap_core.paging.joining import FAR
from tap_core.paging.paginator import NO_PLACE
from tap_core.paging.window import Window

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import Ask

ADDED = 2
"""Rows that may have been added to a list between two of its requests."""


class Walk(Edges):
    """A list read by places in it: from the start, over pages that join one another, to the end."""

    @override
    def walk(self) -> Steps:
        """The whole list."""
        page = yield from self._page(self._places.ask(0, self._size))
        self._places.has_own_size(len(page.records), self._at, 0)
        self._longest = len(page.records)
        self._cover(page)
        if not page.span:
            self._refuse_more_at_end(page)
            return
        page.fresh = page.records
        if self._ends_at_once(page):
            return  # most lists of children do, and cost no look at their keys
        self._short = self._shortness(page)
        if self.lone or self.careful or self._mark or page.span > self._at.size:
            self._remember_first(page)
        else:  # huge pages are not put off, so that no two of them are held at once
            self._put_off = page.kept()
        yield from self._rest(self._beyond(page))

    @override
    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from a page in the middle of the list."""
        ask, count = self._places.read(query), len(page.records)
        if not self.counts_rows:  # numbered pages are where they seem only if they have the size asked for
            full = ask.size >= (self.size or 0)  # pages that join others are a little smaller
            if count > ask.size or (count < ask.size and full and ask.start):
                raise self.loop("The page to go on from has another size than was asked for")
            self._longest = count if full or not ask.start else ask.size
        self._window.add(done, page.records, done)
        if count > 1:
            self._first = page.keys  # should it come again further on, the place is ignored
        self._begins, self._end = ask.start, ask.start + count
        self._page_keys, self._page_at = page.keys, ask
        self._only_first_page = False
        self._resumed = self._full = True
        self._start(self._rest(ask))

    # The walk

    def _rest(self, ask: Ask) -> Steps:
        """What comes after the first page; and behind all that was asked for, where rows are left out.

        Raises:
            ApiError: Some rows may not have come.
        """
        yield from self._to_the_end(ask)
        yield from self._behind_the_end()
        if self._doubt and not (self._is_all and self._window.is_whole and not self.total_moved):
            raise self.loop(self._doubt)
        self.evidence.short_ends.add(self._short)

    def _behind_the_end(self) -> Steps:
        seen: set[tuple[int, int]] = set()
        while self._may_lack_rows:
            behind = {(self._covered, self._size), (self._asked_to, self.size or 1)} - seen
            if not behind:
                return
            seen |= behind
            for start, size in sorted(behind):
                ask = self._places.ask(start, size)
                page = yield from self._probe(ask, refusals=NO_PLACE)
                self.proofs += 1
                if page and self._is_news(page, size):
                    yield from self._to_the_end(ask)

    def _to_the_end(self, ask: Ask) -> Steps:
        while page := (yield from self._joined(ask)):
            self._cover(page)
            if self._back and not self._comes_again(page):
                self._unconnected = 0
            if self._begins and not self._at.start:  # behind this, places are known from here on
                self._begins, self._window = 0, Window()
            traded = self._traded_edge(page)
            is_mixed, was_tied = self._window.narrow(page) > 0, self._is_tied
            edge = traded or self._seeming_edge(page)
            onward = yield from self._onward(page, is_mixed=is_mixed, was_tied=was_tied)
            if edge:
                yield from self._look_around(edge)
            if onward is None:
                return
            ask = onward
        self._confirm_end(None)

    def _onward(self, page: Page, *, is_mixed: bool, was_tied: bool) -> Generator[Query, Page, Ask | None]:
        """What comes after a page that joins what was read; None where the list has ended.

        Args:
            page: The page, with what is new in it.
            is_mixed: Whether rows that were read stand behind new ones in it.
            was_tied: Whether the page before had rows of one moment alone.
        """
        if page.fresh:
            self._note_more(page)
            ask = self._beyond(page)
            self._note_order(is_doubtful=is_mixed and (was_tied or self._is_tied))
            has_ended = self._is_last(page) or (yield from self._only_grows(page))
            return None if has_ended else ask
        if self._is_end(page):
            onward = yield from self._behind_known(page)
            if onward is None:
                self._confirm_end(page)
            return onward
        if self._back or self._heeds_places:
            return self._beyond(page)
        onward = yield from self._check_offset_is_heeded(page)
        if onward is None:
            self._thinned = self._resumed = False  # all of it came, wherever it was asked for
        return onward

    def _cover(self, page: Page) -> None:
        """Note up to where rows were asked for: by pages that join, as others can stand elsewhere."""
        if page.records:  # the server may send no more than it ever did
            size = min(self._at.size, max(self._longest, len(page.records)))
            self._covered = max(self._covered, self._at.start + size)
            self._asked_to = max(self._asked_to, self._at.start + self._at.size)

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
        far = yield from self._probe(self._places.ask(FAR, size))
        self._at = here
        if far is None or not far.records:
            self._heeds_places, self._expects_next = True, steady
            return onward
        self.proofs += 2
        if self._is_all:
            return None  # what the total says came, and nothing else does
        is_read = all(self._window.knows(key) or self._knows(key) for key in far.keys)
        if len(far.records) > size and not self._places.own_size and is_read:
            self._end_whole(page)
            return None
        newest = {self._newest, self._newest[0]} if self._mark else {self._newest}
        if far.keys[-1] not in newest:  # else the place is clamped to the list's end
            self._refuse_repetition(far)
        self._refuse_more(far)
        return None

    def _note_more(self, page: Page) -> None:
        """There was more behind the last page."""
        self._unconnected = 0
        if self.evidence.is_unproved(self._short) and len(page.fresh) > ADDED:
            self._doubt = f"More came behind {self._short} rows, with which other lists were taken to end"
        if self.total is not None and self.total <= self._end:
            self.evidence.refuted_totals.add(self.total)
        self._newest, self._short = page.keys[-1], self._shortness(page)
        self._longest = max(self._longest, len(page.records))
        # The first page can be cut by a limit of the server's; the length of all others is known from it.
        is_short = not (self._full or self._only_first_page)
        self._thinned = self._thinned or is_short or len(self._first) < self._longest
        if self._only_first_page:
            self._only_first_page = False
            self.evidence.unpaged = 0

    # Lists that can't be read to the end

    def _end_whole(self, page: Page) -> None:
        """The whole list came, whatever was asked for; if that can be."""
        self._refuse_more(page)
        if self.total is not None and not self.bounded and self.total > self.records_read:
            raise self.loop(f"The API ignores `{self._places.param}`")
        if len(self._first) == self.size and self.evidence.longest <= len(self._first) and not self._is_all:
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
