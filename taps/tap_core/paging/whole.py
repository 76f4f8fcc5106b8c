"""Lists that are documented to come whole in one response, on servers that page them all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.evidence import ALIKE, LIGHT
from tap_core.paging.page import Page
from tap_core.paging.paginator import NO_PLACE
from tap_core.paging.places import Ask
from tap_core.paging.walk import ADDED, Walk

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import ByNumber, ByOffset


_NO_STATUS = (0,)
"""With it a probe is tried as often as any request, and its failure is raised, whatever its status."""

_TRIES = 5
"""Times that a list is read again as rows were deleted from it in the meantime."""


class WholeList(Walk):
    """One request without any place; and a look behind an answer that is long enough to be a page.

    That look is spared where a longer list of the same endpoint was seen to be whole, and one that weighs as
    much, for the first list of each length: a second one can be cut to a limit. An API that knows no places
    sends the list again, or refuses the request.
    """

    def __init__(self, places: ByOffset | ByNumber, total: str | None = None) -> None:
        """Start at the first page.

        Args:
            places: How the API asks for pages of its other lists.
            total: JSONPath of the total in a response, where the API gives one.
        """
        super().__init__(places, size=1, total=total)
        self.size = None

    @override
    def walk(self) -> Steps:
        """The list; and its other pages, if there are any."""
        page = yield from self._again({}, is_first=True)
        count, weight = len(page.records), page.weight
        self.evidence.heaviest_row = max(self.evidence.heaviest_row, max(page.weights, default=0))
        self._at = self._places.ask(0, count)
        is_whole = self.evidence.is_whole(count, weight) or self.evidence.placeless >= ALIKE
        if not count or (is_whole and not self._says_more(page)):
            self._refuse_more(page)
            if count:  # no rows tell nothing of the length of a page
                self.evidence.believed.add(count)
            return
        self.size = self._longest = count
        self._short = self._shortness(page)
        self._remember_first(page)
        following = yield from self._further(page, is_light=weight <= LIGHT)
        if following:
            self._short = count
            yield from self._rest(following)
            return
        self._refuse_more(page)
        self.evidence.note_whole(count, weight)

    def _further(self, page: Page, *, is_light: bool) -> Generator[Query, Page, Ask | None]:
        """Where the list goes on behind its first page; None if that is all of it.

        Where the page's last row has moved, as rows before it were deleted, the page is read again: others
        can have moved up into it.
        """
        for _ in range(_TRIES):
            following, count = self._beyond(page), len(page.records)
            behind = yield from self._from_last(count)
            self.proofs += 1
            if behind is None:
                return None
            if self._is_all_again(behind, page):
                self._window.narrow(behind)  # what was added to it is new
                return None
            has_last = self._has_last(behind, page)
            if has_last and len(behind.keys) == 1 and not is_light:
                # A server that cuts pages by their weight sends one row alone before a heavy one.
                behind = yield from self._behind_last(count)
            is_full = len(behind.keys) >= self._at.size
            if self._is_news(behind, len(self._first)):
                self.evidence.cuts |= sum(not self._window.knows(key) for key in behind.keys) > ADDED
                return following
            if has_last and not is_full:
                return None
            before = page.keys
            page = yield from self._again({}, is_first=False)
            self._at = self._places.ask(0, len(page.records))
            self._window.narrow(page)
            if page.keys == before or not page.records:
                if self._refusal and self.counts_rows:
                    raise self._refusal  # in the place of a row
                # It stood still: more known rows were moved there, or the place is none of its rows.
                return self._beyond(page) if has_last and is_full else None
            self._newest = page.keys[-1]
        return self._beyond(page)

    def _from_last(self, count: int) -> Generator[Query, Page, Page | None]:
        """The list from the last of so many rows on; None if the API knows no places.

        Raises:
            ApiError: It can't be had, though the top of the list can; or nothing can.
        """
        self._refusal = None
        behind, failure = yield from self._tried(self._places.ask(count - 1, max(1, count - 1)))
        if failure is None:
            return behind
        if not (yield from self._knows_places(count, failure)):
            self.evidence.placeless += 1
            return None
        if failure.status not in NO_PLACE:
            raise failure
        return (yield from self._behind_last(count))  # some know places of whole pages alone

    def _behind_last(self, count: int) -> Generator[Query, Page, Page]:
        """What stands behind so many rows; no row where the place is refused."""
        behind, self._refusal = yield from self._tried(self._places.ask(count, count))
        if self._refusal and self._refusal.status not in NO_PLACE:
            raise self._refusal
        return behind or Page(None, "$[*]", repr)

    def _knows_places(self, count: int, failure: ApiError) -> Generator[Query, Page, bool]:
        """Whether the list's top can be had by its place, where another place failed."""
        if (yield from self._probe(self._places.ask(0, count))):
            return True
        if not (yield from self._probe(Ask({}, 0, count))):
            raise failure  # nothing passes
        return bool((yield from self._probe(self._places.ask(0, count))))

    def _tried(self, ask: Ask) -> Generator[Query, Page, tuple[Page | None, ApiError | None]]:
        """A page that only tells something, or why it can't be had."""
        try:
            return (yield from self._probe(ask, refusals=_NO_STATUS)), None
        except ApiError as failure:
            return None, failure

    def _is_all_again(self, behind: Page, page: Page) -> bool:
        """Whether the whole list came again, whatever was asked for, but for what moved meanwhile.

        It is more than was asked for: a page can have the same rows once others were put before them.
        """
        known = sum(map(self._window.knows, behind.keys))
        moved = ADDED if len(page.keys) > 3 * ADDED else 0
        is_more = len(behind.keys) > self._at.size
        return is_more and known >= max(len(page.keys) - moved, 2) and len(behind.keys) - known <= moved

    def _has_last(self, behind: Page, page: Page) -> bool:
        """Whether the page's last row is there as it was."""
        places = self._window.places_of_unchanged(behind)
        return any(behind.keys[at] == page.keys[-1] for at, _ in places)

    @override
    def _end_whole(self, page: Page) -> None:
        size, self.size = self.size, None  # none was asked for first: its rows are no page's
        super()._end_whole(page)
        self.size = size

    @override
    def sample(self) -> Query:
        """The list."""
        return {}

    @override
    def piece(self, start: int, size: int) -> tuple[Query, int, int] | None:
        """No part of the list."""
        return None

    @override
    def stretch(self, query: Query) -> tuple[int, int]:
        """The place where a page begins, and the number of records that are asked for, if any is."""
        return super().stretch(query) if query else (0, 0)

    @override
    def resume(self, query: Query, page: Page, done: list[Any]) -> None:
        """Go on from the middle of the list, or of its only page."""
        if query:
            self.size = max(self._places.read(query).size, len(page.records))
            super().resume(query, page, done)
        else:
            self._begin()
