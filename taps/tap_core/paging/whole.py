"""Lists that are documented to come whole in one response, on servers that page them all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.evidence import LIGHT
from tap_core.paging.page import Page
from tap_core.paging.paginator import NO_PLACE
from tap_core.paging.places import Ask
from tap_core.paging.walk import ADDED, Walk

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from tap_core.paging.paginator import Query, Steps
    from tap_core.paging.places import ByNumber, ByOffset


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
        if not count or (not self._says_more(page) and self.evidence.is_whole(count, weight)):
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
            following = self._beyond(page)
            behind = yield from self._look_behind(len(page.records), is_light=is_light)
            self.proofs += 1
            if behind is None or self._has_ended(behind, page):
                return None
            if self._is_news(behind, len(self._first)):
                self.evidence.cuts |= sum(not self._window.knows(key) for key in behind.keys) > ADDED
                return following
            before = page.keys
            page = yield from self._again({}, is_first=False)
            self._at = self._places.ask(0, len(page.records))
            self._window.narrow(page)
            if page.keys == before or not page.records:
                if self._refusal and self.counts_rows:
                    raise self._refusal  # in the place of a row
                return None  # it stood still: the place is none of its rows
            self._newest = page.keys[-1]
        return self._beyond(page)

    def _look_behind(self, count: int, *, is_light: bool) -> Generator[Query, Page, Page | None]:
        """What stands behind so many rows, the last of them first; None if the API knows no places.

        Alone it proves no end of a heavy list: a server that cuts pages by their weight sends one row alone.

        Raises:
            ApiError: It can't be had, though the top of the list can.
        """
        self._refusal = None
        behind, failure = yield from self._tried(self._places.ask(count - 1, count))
        if behind:
            if is_light or len(behind.keys) > 1:  # which are read before it is let go of
                return behind
            further, failure = yield from self._tried(self._places.ask(count, count))
            if failure and failure.status not in NO_PLACE:
                raise failure
            return further if further and further.records else behind
        says_nothing = failure is not None and failure.status in NO_PLACE
        if not (yield from self._probe(self._places.ask(0, count))):
            if failure and not says_nothing and not (yield from self._probe(Ask({}, 0, count))):
                raise failure  # the server is down
            return None
        if failure and not says_nothing:
            raise failure
        # Some know places of whole pages alone.
        further = yield from self._probe(self._places.ask(count, count))
        self._refusal = None if further else failure
        return further or Page(None, "$[*]", repr)

    def _tried(self, ask: Ask) -> Generator[Query, Page, tuple[Page | None, ApiError | None]]:
        """A page that only tells something, or why it can't be had."""
        try:
            return (yield from self._probe(ask, refusals=NO_PLACE[:1])), None
        except ApiError as failure:
            return None, failure

    def _has_ended(self, behind: Page, page: Page) -> bool:
        """Whether nothing but what was read is there: the last row, where it stood, or all of it again."""
        is_known = all(map(self._window.knows, behind.keys))
        return is_known and (page.keys[-1] in behind.keys or 2 * len(behind.keys) > len(page.keys))

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
            super().resume(query, page, done)
        else:
            self._begin()
