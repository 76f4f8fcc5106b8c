"""Walks a list in pages that overlap, so that rows moved by others' coming and going are noticed.

Each page after the first must hold a row that was already read and is unchanged, so that it has kept its
place among the others. When it does not, rows were deleted before it and others have moved up past it; the
reader steps back until it finds such a row. Every row that stays in the list during the read is thus read,
whatever is inserted, deleted or updated around it; unless an update moves it from what is still to come to
what was read.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_core.paging.evidence import ALIKE
from tap_core.paging.joining import FAR, Joining
from tap_core.paging.window import Window

if TYPE_CHECKING:
    from collections.abc import Generator

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import Ask

_TRICKLES = 100
"""Pages in a row with a few new rows, after which a list is asked whether it only grows."""

_FEW = 10
"""Times as many as come: the rows that are asked for."""

_NO_PLACE = (400, 404, 416, 422)
"""How some servers answer where a list has no rows any more."""


class Walk(Joining):
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
        yield from self._rest(self._behind_first(page))

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
        self._page_keys, self._page_at = page.keys, ask
        self._only_first_page = False
        self._resumed = self._full = True
        self._start(self._rest(ask))

    # The walk

    def _behind_first(self, page: Page) -> Ask:
        """What comes after the first page, which is remembered."""
        self._window.add(page.keys, page.records, page.keys)
        self._first = page.keys
        self._newest = page.keys[-1] if page.keys else None
        return self._beyond(page)

    def _rest(self, ask: Ask) -> Steps:
        """What comes after the first page; and behind all that was asked for, where rows are left out.

        Raises:
            ApiError: Some rows may not have come.
        """
        yield from self._to_the_end(ask)
        yield from self._behind_the_end()
        if self._doubt:
            raise self.loop(self._doubt)

    def _behind_the_end(self) -> Steps:
        seen: set[tuple[int, int]] = set()
        while self._may_lack_rows:
            behind = {(self._covered, self._size), (self._asked_to, self.size or 1)} - seen
            if not behind:
                return
            seen |= behind
            for start, size in sorted(behind):
                ask = self._places.ask(start, size)
                page = yield from self._probe(ask, refusals=_NO_PLACE)
                self.proofs += 1
                if page and self._is_news(page, size):
                    yield from self._to_the_end(ask)

    def _is_news(self, page: Page, size: int) -> bool:
        """Whether a page behind the end has rows; a numbered one that was cut may stand before it."""
        is_cut = not self.counts_rows and size > self._longest >= len(page.records)
        return not is_cut and not all(map(self._window.knows, page.keys))

    @property
    def _may_lack_rows(self) -> bool:
        """Whether rows can stand behind the end.

        What the last run saw of the pages is forgotten, and of a lone numbered page the proof reaches little
        further.
        """
        if self._trickles > _TRICKLES:
            return False
        lone = self.careful and self._only_first_page and not self.counts_rows
        size = self.size or 1
        return self._thinned or self._resumed or (lone and size < 2 * len(self._first) < 2 * size)

    def _to_the_end(self, ask: Ask) -> Steps:
        while page := (yield from self._joined(ask)):
            if self._back and not self._comes_again(page):
                self._unconnected = 0
            if self._begins and not self._at.start:  # behind this, places are known from here on
                self._begins, self._window = 0, Window()
            is_mixed, was_tied = self._window.narrow(page) > 0, self._is_tied
            if page.fresh:
                self._note_more(page)
                ask = self._beyond(page)
                self._note_order(is_mixed=is_mixed and (was_tied or self._is_tied))
                if self._is_last(page) or (yield from self._only_grows(page)):
                    return
            elif self._is_end(page):
                onward = yield from self._behind_known(page)
                if onward is None:
                    self._confirm_end(page)
                    return
                ask = onward
            elif self._back or self._heeds_places:
                ask = self._beyond(page)
            else:
                onward = yield from self._check_offset_is_heeded(page)
                if onward is None:
                    self._thinned = self._resumed = False  # all of it came, wherever it was asked for
                    return
                ask = onward
        self._confirm_end(None)

    @property
    def _is_tied(self) -> bool:
        """Whether the rows of a full page are of one moment, and may be more than it has."""
        return self._full and self._all_tied

    def _note_order(self, *, is_mixed: bool) -> None:
        """Tied rows were read, and new ones stood among them: others may have passed the reader."""
        if is_mixed:
            self._doubt = f"Rows of one `{self._order}`, more than a page has, come in no fixed order"

    def _behind_known(self, page: Page) -> Generator[Query, Page, Ask | None]:
        """Where to go on behind a short page of known rows; None where the list ends with it.

        A page can be short for other reasons: a server that cuts pages by their weight sends the last known
        row alone where a heavy one comes next, and one that is busy sends fewer rows at times.
        """
        is_usual = self.evidence.proven_ends >= ALIKE and not self._back and page.keys[-1] == self._newest
        is_proved_later = self._resumed and not self.counts_rows
        if self._at.start >= self._end or self._reaches_total(page) or is_usual or is_proved_later:
            return None
        here, reaches = self._at, page.keys[-1] == self._newest
        known, top = set(map(page.key_of, page.records)), self._top or self._first
        onward, steady = self._beyond(page), self._expects_next
        ask = self._places.begin_at(self._end, self._size)
        behind = yield from self._probe(ask, refusals=(*_NO_PLACE, HTTPStatus.INTERNAL_SERVER_ERROR))
        self._at = here
        self.proofs += 1
        keys = [behind.key_of(record) for record in behind.records] if behind else []
        is_clamped = not keys or keys[:1] == top[:1] or known.issuperset(keys)
        if is_clamped or ((reaches or not self.counts_rows) and self._knows(keys[-1])):
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
        return ask

    def _knows(self, key: Any) -> bool:
        """Whether a row of this key, before it was marked, was read."""
        return self._window.knows((key, 1) if self._mark else key)

    def _only_grows(self, page: Page) -> Generator[Query, Page, bool]:
        """Whether all that is left of a list is what is added while it is read: the next run takes it."""
        few = _FEW * len(page.fresh) <= self._size and self._is_short(page)
        self._trickles = self._trickles + 1 if few else 0
        if self._trickles <= _TRICKLES:
            return False
        behind = yield from self._probe(self._places.ask(self._asked_to, self._size), refusals=_NO_PLACE)
        self.proofs += 1
        if behind and behind.records:
            self._trickles = 0
        return bool(self._trickles)

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
        if self.total == self.records_read and not self.bounded:
            return None  # what the total says came, and nothing else does
        if len(far.records) > size and not self._places.own_size:
            self._end_whole(page)
            return None
        if far.keys[-1] != self._newest:  # else the place is clamped to the list's end
            self._refuse_repetition(far)
        self._refuse_more(far)
        return None

    def _note_more(self, page: Page) -> None:
        """There was more behind the first page."""
        self._unconnected = 0
        self._newest = page.keys[-1]
        self._longest = max(self._longest, len(page.records))
        # The first page can be cut by a limit of the server's; the length of all others is known from it.
        is_short = not (self._full or self._only_first_page)
        self._thinned = self._thinned or is_short or len(self._first) < self._longest
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
