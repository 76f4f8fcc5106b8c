"""How a stretch of a list is asked for: by the number of rows before it, or by the number of a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tap_core.errors import ApiError

if TYPE_CHECKING:
    from tap_core.paging.paginator import Query


class Ask(NamedTuple):
    """A request for a page."""

    query: Query
    start: int
    """Rows before the page."""
    size: int
    """Records that are asked for."""


@dataclass
class ByOffset:
    """Pages by the number of records to skip: `?offset=99&limit=100`."""

    param: str = "offset"
    size_param: str = "limit"
    query: Query = field(default_factory=dict)
    """Parameters of every page beside these."""

    own_size: int = 0
    """The server's page size, where pages are numbered by it: never, as offsets count rows."""
    counts_rows: ClassVar[bool] = True
    """Whether places are numbers of rows; a page's number says little where the server caps its size."""
    lookahead_pages = 1
    """Pages worth asking for early where no total tells how many there are."""
    is_divisible = True
    """Whether a part of a page can be asked for."""

    def ask(self, start: int, size: int, *, beyond: int = 0) -> Ask:
        """The page that begins at a row."""
        return Ask({**self.query, self.param: start, self.size_param: size}, start, size)

    def begin_at(self, start: int, size: int) -> Ask:
        """The page that begins just at a row."""
        return self.ask(start, size)

    def around(self, place: int, size: int) -> Ask:
        """A page of no more rows with as many before a place as from it on."""
        return self.ask(max(0, place - size // 2), size)

    def read(self, query: Query) -> Ask:
        """What a query asks for.

        Raises:
            ApiError: It is no query of such pages.
        """
        start, size = _numbers(query, self.param, self.size_param)
        return Ask(query, start, size)

    def following(self, ask: Ask, stride: int, size: int) -> Ask:
        """The page after one that is yet to come, if that is as long as those before it."""
        return self.ask(ask.start + stride, size)

    def most(self, ask: Ask, longest: int) -> int:
        """Records in a page that is not the last, where no page was longer than this."""
        return min(ask.size, longest)

    def fits(self, size: int, longest: int) -> int:
        """Records to ask for, where no page was longer than this."""
        return size

    def few(self, size: int, count: int) -> int:
        """Records to ask for after a first page of so many that seems to be the last: fewer than it had.

        One fewer: a server that sends all of a list, whatever is asked for, is told by it.
        """
        return min(size, max(2, count - 1))

    def has_own_size(self, count: int, ask: Ask, longest: int) -> bool:
        """Whether a page shows that pages are not where they were asked for: never, as offsets are rows."""
        return False

    def heeds_number_only(self, ask: Ask, before: Ask) -> bool:
        """Whether two requests with one answer differ in the size asked for alone: never here."""
        return False


@dataclass
class ByNumber:
    """Pages by number: `?page=1&per_page=200`, then `?page=2&per_page=199`.

    Page `n` of size `s` begins after `(n - 1) * s` rows. Where all pages are of one size they can only stand
    side by side, and a row deleted before a page's edge pulls another past the reader. But page 2 of size 199
    begins with the last row of page 1 of size 200, and near any row there begins a page of some size.
    """

    param: str = "page"
    size_param: str = "per_page"
    query: Query = field(default_factory=dict)
    """Parameters of every page beside these."""

    own_size: int = 0
    """The server's page size, once it has shown that it pays no heed to ours; such pages cannot overlap."""
    counts_rows: ClassVar[bool] = False
    lookahead_pages = 2
    is_divisible = True
    _suspected: int = 0
    """A size of the server's own, once two requests that differ in size alone had one answer."""

    def ask(self, start: int, size: int, *, beyond: int = 0) -> Ask:
        """The page that holds the row at `start` and reaches furthest beyond it, and beyond `beyond`."""
        if self.own_size:
            number = start // self.own_size + 1
            if beyond:  # up to there all pages were read, though one may have lacked rows
                number = -(-beyond // self.own_size) + 1
            query = {**self.query, self.param: number, self.size_param: size}
            return Ask(query, (number - 1) * self.own_size, self.own_size)
        if start == 0:
            return self._page(1, size)
        number = asked = 0
        for fewer in range(size, 0, -1):
            if number * asked >= start + fewer:
                break  # none so small reaches further
            if (start // fewer + 1) * fewer > number * asked:
                number, asked = start // fewer + 1, fewer
        if number * asked <= beyond:  # so small pages that none reaches further
            number, asked = beyond // size + 1, size
        return self._page(number, asked)

    def begin_at(self, start: int, size: int) -> Ask:
        """The longest page of no more rows that begins just at a row."""
        if self.own_size:
            return self.ask(start, size, beyond=start)
        fitting = next(fewer for fewer in range(size, 0, -1) if start % fewer == 0)
        return self._page(start // fitting + 1, fitting)

    def around(self, place: int, size: int) -> Ask:
        """The page of no more rows with most of them both before a place and from it on."""
        fitting = max(range(1, size + 1), key=lambda fewer: min(place % fewer, fewer - place % fewer))
        return self._page(place // fitting + 1, fitting)

    def _page(self, number: int, size: int) -> Ask:
        return Ask({**self.query, self.param: number, self.size_param: size}, (number - 1) * size, size)

    def read(self, query: Query) -> Ask:
        """What a query asks for.

        Raises:
            ApiError: It is no query of such pages.
        """
        number, size = _numbers(query, self.param, self.size_param)
        return self._page(number, size)

    def following(self, ask: Ask, stride: int, size: int) -> Ask:
        """The page after one that is yet to come, if that is as long as was asked for."""
        return self.ask(ask.start + (self.own_size or max(ask.size - 1, 1)), size)

    def most(self, ask: Ask, longest: int) -> int:
        """Records in a page that is not the last, where no page was longer than this."""
        return self.own_size or min(ask.size, longest)

    def fits(self, size: int, longest: int) -> int:
        """Records to ask for: no more than the server gives, as pages are counted by what is asked for."""
        return min(size, longest or size)

    def few(self, size: int, count: int) -> int:
        """Records to ask for after a page that seems to be the last: the next number, so no fewer."""
        return size

    def has_own_size(self, count: int, ask: Ask, longest: int) -> bool:
        """Whether a page shows that the server numbers pages of its own size, whatever is asked for."""
        if self.own_size or count <= ask.size:
            return False
        self.own_size = max(count, longest)
        return True

    def heeds_number_only(self, ask: Ask, before: Ask) -> bool:
        """Whether two requests with one answer, more than once, differ in the size asked for alone."""
        number = ask.query[self.param]
        if self.own_size or number == 1 or number != before.query[self.param]:
            return False
        if self._suspected:
            self.own_size = max(self._suspected, before.size, ask.size)
        elif ask.size != before.size:
            self._suspected = before.size
        return bool(self.own_size)


def _numbers(query: Query, *names: str) -> list[int]:
    values = [query.get(name) for name in names]
    if not all(type(value) is int and value >= 0 for value in values):
        msg = "state: the checkpoint names no page of this list"
        raise ApiError(msg)
    return [int(value) for value in values if value is not None]
