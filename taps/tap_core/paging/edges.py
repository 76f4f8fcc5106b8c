"""What lies about the end of a page, where rows can trade places from one request to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tap_core.paging.endings import Endings
from tap_core.paging.evidence import ALIKE

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Steps
    from tap_core.paging.places import Ask

_MANY, _SHARE = 5, 12
"""Rows that are hardly ever added, deleted and moved between two requests; and of a page one in so many."""


class _Edge(NamedTuple):
    """The end of a page about which rows may have traded places."""

    ask: Ask
    """What lies about it, in one piece."""
    twice: set[Any]
    """Keys of the rows that came twice there."""
    is_wide: bool = False
    """Whether rows trade places over more than that piece."""
    moment: Any = None
    """That of the rows, if it is known."""
    missing: set[Any] | None = None
    """Keys of rows of it that were read and do not stand there; None where they stand in another order."""


class Edges(Endings):
    """Reads what lies about the end of a page once more, in one piece, where rows of it trade places."""

    def _seeming_edge(self, page: Page) -> _Edge | None:
        """What to read once more, as it looks as if rows at a page's edge came in another order; or None.

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
        ask = self._around
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

    @property
    def _around(self) -> Ask:
        return self._places.around(self._end, min(self._size, self._longest))

    def _traded_edge(self, page: Page) -> _Edge | None:
        """What to read once more, as rows of the moment that was read last do not stand as they were read.

        What is added or deleted before a page, not yet narrowed, leaves its rows that were read side by side,
        in their order. An update moves the row that it changes alone.
        """
        moment, again = self._moment, max(0, self._end - self._at.start)
        if not self._order or self._mark or self._places.own_size or moment is None or moment == self._whole:
            return None
        before = self._page_keys[len(self._page_keys) - again :]
        if page.keys[:again] == before and not self._window.knows_any(page.keys[again:]):
            return None  # as nearly always
        if self._at.start + page.span <= self._end and all(map(self._window.knows, page.keys)):
            return None  # as many rows were read as there are places
        back = [rows for _, rows in self._tied_of(moment, page)]
        first, last = max(back, default=0), min(back, default=0)
        if self._is_short(page) or not self._window.knows(page.keys[-1]):
            last = 1  # it would have all that were read last
        if back == list(range(first, last - 1, -1)) or not back or self._holds(moment, page):
            return None
        twice = set(filter(self._window.knows, page.keys))
        is_in_order = back == sorted(back, reverse=True)
        missing = {*self._window.last(first)[: first - last + 1]} - twice if is_in_order else None
        return _Edge(self._around, twice, moment=moment, missing=missing)

    def _tied_of(self, moment: Any, page: Page) -> list[tuple[Any, int]]:
        """The keys of a page's rows of a moment that were read and are as they were, and how far back."""
        places = self._window.places_of_unchanged(page)
        return [(page.keys[at], rows) for at, rows in places if self._moment_of(page.records[at]) == moment]

    def _holds(self, moment: Any, page: Page) -> bool:
        """Whether a page holds all rows of a moment, which stand still in one piece."""
        begins = not self._at.start or self._moment_of(page.records[0]) != moment
        has_all = len(page.records) > self._at.size  # whatever is asked for
        if begins and (has_all or self._is_short(page) or self._moment_of(page.records[-1]) != moment):
            self._whole = moment
        return bool(moment == self._whole)

    def _look_around(self, edge: _Edge) -> Steps:
        """Read what lies about the end of a page in one piece, which holds each row once."""
        here, steady = self._at, self._expects_next
        self._expects_next = False
        page = yield from self._page(edge.ask)
        page.overtaken = max(0, self._end - edge.ask.start - len(page.records))
        is_sure = edge.missing is None or self._shows(edge.moment, edge.missing, page)
        is_taken = is_sure and self._window.joins(page)  # else rows still to be read may lie before it
        if is_taken:
            self._window.take_in(page)
        traded = _stand_together(page, edge.twice)
        self.evidence.steady = 0 if traded else self.evidence.steady + 1
        self._wide_ends += traded and edge.is_wide
        if self._wide_ends > 1 and not self._is_all:  # one can be of rows that others moved, all at once
            self._doubt = "More rows than half a page has trade places from one request to the next"
        self.proofs += not page.fresh
        if edge.moment is not None and is_sure:
            first_known = is_taken and self._window.knows(page.keys[0])
            self._note_order(is_doubtful=not (first_known and self._holds(edge.moment, page)))
        self._at, self._expects_next = here, steady

    def _shows(self, moment: Any, missing: set[Any], page: Page) -> bool:
        """Whether rows of a moment stand otherwise than they were read here too, or missing ones do."""
        tied = self._tied_of(moment, page)
        back = [rows for _, rows in tied]
        return back != sorted(back, reverse=True) or any(key in missing for key, _ in tied)

    @property
    def _is_tied(self) -> bool:
        """Whether the rows of a full page are of one moment, and may be more than it has."""
        return self._full and self._all_tied

    @property
    def _is_all(self) -> bool:
        """Whether as many rows came as the total says."""
        return self.total == self._came and not self.bounded

    def _note_order(self, *, is_doubtful: bool) -> None:
        """Tied rows stand otherwise than they were read, or new ones among them: others may have passed."""
        if is_doubtful:
            self._doubt = (
                f"Rows of one `{self._order}`, more than can be read at once, come in no fixed order"
            )


def _stand_together(page: Page, twice: Collection[Any]) -> bool:
    """Whether new rows stand among those that came twice, as such do that trade places."""
    new = {*page.fresh_keys} if page.fresh_keys else frozenset()
    passed = [at for at, key in enumerate(page.keys) if key in new]
    again = [at for at, key in enumerate(page.keys) if key in twice]
    return any(abs(here - there) <= len(passed) + len(again) for here in passed for there in again)
