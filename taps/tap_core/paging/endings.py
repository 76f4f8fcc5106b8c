"""Whether a list has ended: what a page of known rows says of it, and a look at what may stand behind."""

from __future__ import annotations

from http import HTTPStatus
from operator import lt
from typing import TYPE_CHECKING, Any

from tap_core.paging.evidence import ALIKE
from tap_core.paging.joining import Joining
from tap_core.paging.paginator import NO_PLACE

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.paging.places import Ask

_TRICKLES = 100
"""Pages in a row with a few new rows, after which a list is asked whether it only grows."""

_GROWTHS = 4
"""How often it is then asked for the same rows: of them more come each time."""

_RENEWALS = 3
"""Times that such pages, most of them known, are found to be no list that grows: its rows are ever others."""

_FEW = 10
"""Times as many as come: the rows that are asked for."""

_ALIKE_WITH_CARE = 50
"""Lists that must have ended alike before it is expected of one that a bookmark or deletes depend on."""

_SHOWN_AGAIN = 2
"""Places behind a page that show rows of it alone, where a list has ended."""


class Endings(Joining):
    """Proves that nothing stands behind what was read."""

    def _behind_known(self, page: Page) -> Generator[Query, Page, Ask | None]:
        """Where to go on behind a short page of known rows; None where the list ends with it.

        A page can be short for other reasons: a server that cuts pages by their weight sends the last known
        row alone where a heavy one comes next, and one that is busy sends fewer rows at times.
        """
        is_known = self.evidence.proven_ends >= (_ALIKE_WITH_CARE if self.careful else ALIKE)
        is_usual = is_known and not self._back and page.keys[-1] == self._newest
        is_proved_later = self._resumed and not self.counts_rows
        if self._at.start >= self._end or self._reaches_total(page) or is_usual or is_proved_later:
            return None
        here = self._at
        onward, steady = self._beyond(page), self._expects_next
        more = yield from self._rows_behind(page)
        if more is None and self._can_stand_elsewhere(page):
            more = yield from self._row_behind(page, here.start)
        self._at = here
        if more is None:
            self.evidence.proven_ends += 1
            return None
        self.evidence.proven_ends = 0
        self._thinned, self._expects_next = True, steady
        if self.counts_rows:
            return onward
        if page.keys != self._cut:  # rows can have been added just now
            self._cut = page.keys
            return here
        self._doubt = "The API sends numbered pages that lack rows of theirs, in no way that can be known"
        return more

    def _rows_behind(self, page: Page) -> Generator[Query, Page, Ask | None]:
        """Where unknown rows stand behind a page of known ones; None where the list ends with known ones.

        The end shows no row, or the top of the list, or at two places what stands before them: so do numbers
        of a page that lacks rows of its own. A page that ends before what was read can have a new limit for
        its length: larger ones stand elsewhere then.
        """
        place, size, top, again = self._end, self._size, self._top or self._first, 0
        if not self.counts_rows and page.keys[-1] != self._newest:
            size = min(size, len(page.records))
        before = set(map(page.key_of, page.records))
        while again < _SHOWN_AGAIN:  # once, rows can have been added before it
            ask = self._places.begin_at(place, size)
            behind = yield from self._probe(ask, refusals=(*NO_PLACE, HTTPStatus.INTERNAL_SERVER_ERROR))
            self.proofs += 1
            keys = [behind.key_of(record) for record in behind.records] if behind else []
            if not keys or keys[:1] == top[:1]:
                break
            if not all(map(self._knows, keys)):
                return ask
            again = again + 1 if before.issuperset(keys) else 0
            if again and not self.counts_rows:
                self._thinned = True
                break
            before, place = set(keys), place + len(keys)
        return None

    def _can_stand_elsewhere(self, page: Page) -> bool:
        """Whether a page that lacks rows may have another place, as it has none of the rows read last."""
        is_fixed = self.counts_rows or bool(self._places.own_size)
        return self._thinned and not is_fixed and not self._window.ends_with_any(page)

    def _row_behind(self, page: Page, at: int) -> Generator[Query, Page, Ask | None]:
        """Where unknown rows begin behind all known ones; None if none are found.

        Each is asked for alone: a page of one row stands where it was asked for, whatever the limit for a
        page has become. So the page's first row shows whether that does; if not, the rows that were read may
        be followed by others from the place on that has their number. One among known rows was added.
        """
        found = yield from self._alone(self._places.begin_at(at, 1))
        if found and found.keys == page.keys[:1]:
            return None
        start, step, first = self._begins + self.records_read, 1, None
        while start + step <= max(self._end, self._asked_to):
            ask = self._places.begin_at(start + step - 1, 1)
            found = yield from self._alone(ask)
            if found and found.records:
                first = None if all(map(self._knows, found.keys)) else first or ask
            step *= 2
        return first

    def _alone(self, ask: Ask) -> Generator[Query, Page, Page | None]:
        self.proofs += 1
        return (yield from self._probe(ask, refusals=(*NO_PLACE, HTTPStatus.INTERNAL_SERVER_ERROR)))

    def _knows(self, key: Any) -> bool:
        """Whether a row of this key, before it was marked, was read."""
        return self._window.knows((key, 1) if self._mark else key)

    def _only_grows(self, page: Page) -> Generator[Query, Page, bool]:
        """Whether all that is left of a list is what is added while it is read: the next run takes it."""
        is_known = 2 * len(page.fresh) < len(page.records)
        few = _FEW * len(page.fresh) <= self._size and (is_known or self._is_short(page))
        self._trickles = self._trickles + 1 if few else 0
        if self._trickles <= _TRICKLES:
            return False
        lengths = []
        for _ in range(_GROWTHS):
            behind = yield from self._probe(self._places.ask(self._end, self._size), refusals=NO_PLACE)
            lengths.append(len(behind.records) if behind else 0)
        self.proofs += _GROWTHS
        if not all(map(lt, lengths, lengths[1:])):
            self._trickles = 0
            self._renewals += is_known
            if self._renewals > _RENEWALS:
                raise self.loop("The API sends other rows with each request, beside those that were read")
        return bool(self._trickles)

    @property
    def _may_lack_rows(self) -> bool:
        """Whether rows can stand behind the end.

        What the last run saw of the pages is forgotten, and of a lone numbered page the proof reaches little
        further.
        """
        if self._trickles > _TRICKLES:
            return False
        one_page = self.careful and self._only_first_page and not self.counts_rows
        size = self.size or 1
        return self._thinned or self._resumed or (one_page and size < 2 * len(self._first) < 2 * size)

    def _is_news(self, page: Page, size: int) -> bool:
        """Whether a page behind the end has rows; a numbered one that was cut may stand before it."""
        is_cut = not self.counts_rows and size > self._longest >= len(page.records)
        return not is_cut and not all(map(self._window.knows, page.keys))

    def _confirm_end(self, page: Page | None) -> None:
        """The list ended with a request that brought nothing new."""
        if page is not None:
            self._refuse_more_at_end(page)
        self.proofs += 1
        if self._full and self.total == self._end:
            self.evidence.confirmed_totals[self._end] += 1
