"""How a ledger is paged whose lines have no id, some of them equal in all that they say, and told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk
from tap_core.paging.window import PAGES
from tap_rewards.lines import moment

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.paging.places import Ask
    from tap_rewards.lines import Line

_NO_ORDER = (
    "the lines come in no order of their time, so that equal ones can't be told apart: run again, as many "
    "may just have been entered above them; if it comes again, report it to the API's vendor"
)

_ENTERED = "lines were entered above equal ones, of the same second, while these were read: run again"


class TimeGroups:
    """Sees to it that the lines of a moment stand together: only then can equal ones be numbered."""

    def __init__(self) -> None:
        self._last: str | None = None
        self._falls: bool | None = None

    def count_complete(self, lines: Sequence[Line]) -> int:
        """How many lines, from the first one, are of moments that have ended.

        Raises:
            ApiError: The lines come in no order.
        """
        ended = 0
        for at, line in enumerate(lines):
            if self._last is not None and line.time != self._last:
                ended, falls = at, line.time < self._last
                self._falls = falls if self._falls is None else self._falls
                if falls != self._falls:
                    raise ApiError(_NO_ORDER)
            self._last = line.time
        return ended


class LedgerPages(Walk):
    """Offset paging over lines, of which equal ones are told apart by their number from the top.

    The number follows from where a page begins among the lines already read. So that it stays there, the
    list is held still: pages after the first ask for nothing newer than the first page's newest line.
    """

    def __init__(self, *, size: int, until_param: str, time_field: str) -> None:
        """Start at the newest line.

        Args:
            size: Lines to ask for in a page.
            until_param: Query parameter that takes the inclusive upper bound.
            time_field: Field that the list is ordered by, newest first.
        """
        self._until = HeldOffset(until_param)
        self._numbers = DuplicateNumbers(PAGES * size)
        self._gaps: set[int] = set()  # places of lines that can't be had
        super().__init__(self._until, size=size, order=time_field, mark=self._number)

    def _number(self, page: Page, place: int) -> None:
        if place == 0:
            self._until.hold(page.keys)
        page.keys = self._numbers.of(page.keys, place - sum(gap < place for gap in self._gaps))
        self._gaps.update(page.unreadable)
        if self._numbers.are_unsure:
            self._doubt = "Lines come in no fixed order, or between others that were read"

    @override
    def _marked(self, ask: Ask, page: Page) -> Generator[Query, Page, Page]:
        """The page with its lines numbered; their moment began where it began before, if it has equal ones.

        Lines that are entered above would else move equal ones down, to be counted once more.
        """
        page = yield from super()._marked(ask, page)
        begun = self._numbers.begun
        if begun and not self._gaps:
            seen = yield from self._probe(self._places.ask(begun.place, len(begun.lines)))
            lines = [line for line, _ in begun.lines]
            if seen is None or seen.keys[: len(lines)] not in (lines, begun.lines):
                raise ApiError(_ENTERED)
            self._at = ask
            page = yield ask.query  # only what came last is handed on
            page.fresh = []
            self._number(page, ask.start)
        return page


class HeldOffset(ByOffset):
    """Offsets in a list that ends, at its top, where the first page began."""

    def __init__(self, param: str) -> None:
        super().__init__()
        self._param = param
        self._held: Query = {}

    def hold(self, lines: Sequence[Line]) -> None:
        """Ask for nothing newer from now on, to the next whole second: what is shown may be rounded."""
        times = [line.time for line in lines if line.has_time]
        newest = moment(times[0]) if times and times == sorted(times, reverse=True) else None
        if newest and not self._held:
            until = newest.replace(microsecond=0) + timedelta(seconds=1)
            self._held = {self._param: until.strftime("%Y-%m-%dT%H:%M:%SZ")}

    @override
    def ask(self, start: int, size: int, *, beyond: int = 0) -> Ask:
        """The page that begins at a line."""
        ask = super().ask(start, size)
        return ask._replace(query={**ask.query, **self._held})


class Beginning(NamedTuple):
    """Where the lines of a moment begin."""

    place: int
    lines: list[tuple[Line, int]]
    """The last one before them, if there is one, and the first one, with their numbers."""


class DuplicateNumbers:
    """Numbers equal lines from the top of a list, over pages that overlap.

    Args:
        most: Lines that are remembered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: list[tuple[Line, int]] = []
        self._last: dict[Line, int] = {}  # the number of the last one of equal known lines
        self._skipped = 0  # lines of the list before the first known one
        self.are_unsure = False
        """Whether lines came in another order, or others between them: some were given two numbers."""
        self.begun: Beginning | None = None
        """Of the moment that the last page begins in, if only equal lines tell where in it that is."""

    def of(self, lines: list[Line], place: int) -> list[tuple[Line, int]]:
        """The lines of the page that begins behind so many others that can be had, numbered."""
        start = self._begins_at(lines, place - self._skipped)
        if start is None:
            self.are_unsure |= any(line in self._last for line in lines)
            return _count(lines, {})
        again = self._known[start : start + len(lines)]
        self.begun = self._beginning(start, place, again)
        fresh = _count(lines[len(again) :], self._last)
        self._known += fresh
        surplus = max(0, len(self._known) - self._most)
        for line, number in self._known[:surplus]:
            if self._last[line] == number:
                del self._last[line]
        del self._known[:surplus]
        self._skipped = place - start + surplus
        return again + fresh

    def _beginning(self, start: int, place: int, again: list[tuple[Line, int]]) -> Beginning | None:
        """That of the moment of known lines that begin a page, if an equal one of it stands before them."""
        times = {line.time for line, _ in again}
        if len(times) != 1 or again[0][1] == 1:
            return None
        first = start
        while first and self._known[first - 1][0].time in times:
            first -= 1
        if first == start or (not first and self._skipped):  # it is forgotten
            return None
        before = min(first, 1)
        return Beginning(place - start + first - before, self._known[first - before : first + 1])

    def _begins_at(self, lines: list[Line], expected: int) -> int | None:
        """Where among the known lines a page begins: as expected, or before it if lines were added."""
        for start in range(min(expected, len(self._known)), -1, -1):
            known = [line for line, _ in self._known[start : start + len(lines)]]
            if known == lines[: len(known)]:
                return start
        return None


def _count(lines: Sequence[Line], last: dict[Line, int]) -> list[tuple[Line, int]]:
    """The lines, each with the number that follows on the last one of its equals, which is kept."""
    numbered = []
    for line in lines:
        last[line] = number = last.get(line, 0) + 1
        numbered.append((line, number))
    return numbered
