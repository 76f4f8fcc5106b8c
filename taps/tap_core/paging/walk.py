"""Walks a list in pages that overlap, so that rows moved by others' coming and going are noticed.

Each page after the first must hold a row that was already read and is unchanged, so that it has kept its
place among the others. When it does not, rows were deleted before it and others have moved up past it; the
reader steps back until it finds such a row. Every row that stays in the list during the read is thus read,
whatever is inserted, deleted or updated around it; unless an update moves it from what is still to come to
what was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from typing_extensions import override

from tap_core.paging.endings import Endings
from tap_core.paging.evidence import ALIKE
from tap_core.paging.joining import FAR
from tap_core.paging.paginator import NO_PLACE
from tap_core.paging.window import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import Ask

ADDED = 2
"""Rows that may have been added to a list between two of its requests."""

_MANY, _SHARE = 5, 12
"""Rows that are hardly ever added, deleted and moved between two requests; and of a page one in so many."""


class _Edge(NamedTuple):
    """The end of a page about which rows may have traded places."""

    ask: Ask
    """What lies about it, in one piece."""
    twice: set[Any]
    """Keys of the rows that came twice there."""
    is_wide: bool
    """Whether rows trade places over more than that piece."""


class Walk(Endings):
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
        if self._doubt:
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
            is_mixed, was_tied = self._window.narrow(page) > 0, self._is_tied
            edge = self._look_at_edge(page)
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
            self._note_order(is_mixed=is_mixed and (was_tied or self._is_tied))
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

    def _look_at_edge(self, page: Page) -> _Edge | None:
        """What to read once more, as rows at a page's edge come in another order each time; None if none do.

        For each that has passed the reader so, another one came twice. Ties that are read again whole do no
        harm. What looks as if rows were inserted before them is taken for that once some looks have shown
        nothing else.
        """
        again = self._end - self._at.start
        if self._mark or self._is_tied or self._places.own_size or again < 1:
            return None
        new = page.fresh_keys or []
        if not self._full and new[-1:] != page.keys[-1:]:  # it has ended before, or its place is ignored
            return None
        if len(page.keys) - len(new) <= again or (not new and len(page.keys) >= self._longest):
            return None
        ask = self._places.around(self._end, min(self._size, self._longest))
        beside = min(self._end - ask.start, ask.start + ask.size - self._end)
        twice = {*page.keys}.difference(new)
        is_many = len(twice) - again >= max(_MANY, len(page.keys) // _SHARE)
        is_wide = is_many and self._window.reaches_over(page, again, beside)
        is_steady = self.evidence.steady >= ALIKE or self._at.start < self._furthest
        if is_steady and self._window.follows_on(page):
            return None
        looked, self._looked_at_end = self._looked_at_end, self._is_short(page)
        if looked and self._looked_at_end:
            return None  # while it is looked, more rows are inserted
        return _Edge(ask, twice, is_wide)

    def _look_around(self, edge: _Edge) -> Steps:
        """Read what lies about the end of a page in one piece, which holds each row once."""
        here, steady = self._at, self._expects_next
        self._expects_next = False
        page = yield from self._page(edge.ask)
        page.overtaken = max(0, self._end - edge.ask.start - len(page.records))
        if self._window.joins(page):  # else rows that are still to be read may lie before it
            self._window.take_in(page)
        traded = _stand_together(page, edge.twice)
        self.evidence.steady = 0 if traded else self.evidence.steady + 1
        self._wide_ends += traded and edge.is_wide
        if self._wide_ends > 1 and not self._is_all:  # one can be of rows that others moved, all at once
            self._doubt = "More rows than half a page has trade places from one request to the next"
        self.proofs += not page.fresh
        self._at, self._expects_next = here, steady

    def _cover(self, page: Page) -> None:
        """Note up to where rows were asked for: by pages that join, as others can stand elsewhere."""
        if page.records:  # the server may send no more than it ever did
            size = min(self._at.size, max(self._longest, len(page.records)))
            self._covered = max(self._covered, self._at.start + size)
            self._asked_to = max(self._asked_to, self._at.start + self._at.size)

    @property
    def _is_tied(self) -> bool:
        """Whether the rows of a full page are of one moment, and may be more than it has."""
        return self._full and self._all_tied

    def _note_order(self, *, is_mixed: bool) -> None:
        """Tied rows were read, and new ones stood among them: others may have passed the reader."""
        if is_mixed:
            self._doubt = f"Rows of one `{self._order}`, more than a page has, come in no fixed order"

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
        if len(far.records) > size and not self._places.own_size:
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

    @property
    def _is_all(self) -> bool:
        """Whether as many rows came as the total says."""
        return self.total == self.records_read and not self.bounded

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


def _stand_together(page: Page, twice: Collection[Any]) -> bool:
    """Whether new rows stand among those that came twice, as such do that trade places."""
    new = {*page.fresh_keys} if page.fresh_keys else frozenset()
    passed = [at for at, key in enumerate(page.keys) if key in new]
    again = [at for at, key in enumerate(page.keys) if key in twice]
    return any(abs(here - there) <= len(passed) + len(again) for here in passed for there in again)
