"""The rows of the last few pages, to tell which rows of another page are new, and which have not moved."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from tap_core.records.keys import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tap_core.paging.page import Page

PAGES = 8
"""How many pages are remembered."""

_PRINTS = 1000
"""Rows of a page that are remembered with fingerprints, which take memory; others count as unchanged."""


class Window:
    """Keys and fingerprints of the rows of the last pages, and the order in which they came."""

    def __init__(self) -> None:
        self.compares_content = False
        self._pages: deque[dict[Any, int | None]] = deque()
        self._newest: dict[Any, int] = {}  # of each row which page had it last
        self._changed: set[Any] = set()  # rows that have changed, and may have moved, since they were read
        self._first = 0  # the number of the first page that is remembered
        self._order: deque[list[Any]] = deque(maxlen=PAGES)
        self._count = 0

    def add(self, keys: Sequence[Any], records: Sequence[Any], new: list[Any]) -> None:
        """Remember a page, or what comes first in it; of a huge one, only the last rows' fingerprints.

        Args:
            keys: Those of its rows.
            records: The page's rows.
            new: Keys of those that were not read before.
        """
        last = slice(max(0, len(keys) - _PRINTS), len(keys))
        rows: dict[Any, int | None] = dict.fromkeys(keys[: last.start])
        rows.update(zip(keys[last], self._fingerprints(records[last]), strict=True))
        if len(rows) < len(keys):  # it counts where each came last
            rows = {key: rows[key] for key in reversed(dict.fromkeys(reversed(keys)))}
        again = self._newest.keys() & rows.keys()
        self._changed.update(key for key in again if not self._is_unchanged(key, rows[key]))
        if len(self._pages) == PAGES:
            self._forget_first()
        self._newest.update(dict.fromkeys(rows, self._first + len(self._pages)))
        self._pages.append(rows)
        if new:
            self._order.append(new)
        self._count += len(new)

    def _forget_first(self) -> None:
        for key in self._pages.popleft():
            if self._newest[key] == self._first:
                del self._newest[key]
        self._first += 1

    @property
    def is_whole(self) -> bool:
        """Whether no page was forgotten: no row was counted twice."""
        return not self._first

    def knows(self, key: Any) -> bool:
        """Whether a row of this key was read."""
        return key in self._newest

    def knows_any(self, keys: Collection[Any]) -> bool:
        """Whether a row of any of these keys was read."""
        return not self._newest.keys().isdisjoint(keys)

    def last(self, count: int) -> list[Any]:
        """The keys of so many rows that were read last."""
        return self._read[-count:]

    @property
    def _read(self) -> list[Any]:
        """The keys of the rows that were read last, in their order."""
        return [key for keys in self._order for key in keys]

    def narrow(self, page: Page) -> int:
        """Leave of a page what is new to be read; the page is then remembered as well.

        Returns:
            How many rows that were read, and are unchanged, stand behind a new one.
        """
        keys, fresh, scattered = page.keys, page.records, 0
        if self.knows_any(keys):
            new = [at for at, key in enumerate(keys) if key not in self._newest]
            if new and len(new) < len(keys) - new[0]:
                scattered = sum(self._stay(page, slice(new[0], None)))
            keys, fresh = [keys[at] for at in new], [fresh[at] for at in new]
        page.fresh, page.fresh_keys = fresh, keys
        if page.records:
            self.add(page.keys, page.records, keys)
        return scattered

    def take_in(self, page: Page) -> None:
        """Leave of a page what is new behind a row that was read: what comes before may have been forgotten.

        It is remembered with the last page, so that no other is forgotten for it.
        """
        new = [at for at, key in enumerate(page.keys) if key not in self._newest]
        new = [at for leading, at in enumerate(new) if at > leading]
        keys, fresh = [page.keys[at] for at in new], [page.records[at] for at in new]
        page.fresh, page.fresh_keys = fresh, keys
        self._pages[-1].update(zip(keys, self._fingerprints(fresh), strict=True))
        self._newest.update(dict.fromkeys(keys, self._first + len(self._pages) - 1))
        self._order.append([*(self._order.pop() if self._order else ()), *keys])
        self._count += len(keys)

    def follows_on(self, page: Page) -> bool:
        """Whether the known rows of a page lead it as they came, and new ones stand behind the last.

        So they do where others were inserted before them. Rows that trade places come otherwise, but from no
        further back than two pages: those that do come round again.
        """
        read = self._known_of(page)
        back = [rows for _, rows in read if rows is not None and rows <= 2 * len(page.keys)]
        if len(back) < len(read):
            return True
        last = 0 if page.fresh_keys or not back else back[0] - len(back)
        return read == list(enumerate(range(last + len(back), last, -1)))

    def reaches_over(self, page: Page, edge: int, rows: int) -> bool:
        """Whether rows trade places over more than so many on either side of the end of what was read.

        Args:
            page: It comes next.
            edge: How many of its rows stand before that end.
            rows: How many are looked at on either side.
        """
        near = [(at, back) for at, back in self._known_of(page) if back and back <= 2 * len(page.keys)]
        far = [at for at, back in near if at >= edge + rows or back > rows]
        came = [back for _, back in near]
        return len(far) > 1 and came != sorted(came, reverse=True)

    def places_of_unchanged(self, page: Page) -> list[tuple[int, int]]:
        """Where a page has rows that were read, and never seen to change, and how far back each was read."""
        back = {key: back for back, key in enumerate(reversed(self._read), 1) if key not in self._changed}
        stay = enumerate(self._stay(page, slice(None)))
        return [(at, back[page.keys[at]]) for at, stays in stay if stays and page.keys[at] in back]

    def _known_of(self, page: Page) -> list[tuple[int, int | None]]:
        """Where a page has rows that were read before it, and how far back they stood; None if too far."""
        new = set(page.fresh_keys or ())
        read = [key for key in self._read if key not in new]
        back = {key: len(read) - at for at, key in enumerate(read)}
        return [(at, back.get(key)) for at, key in enumerate(page.keys) if key not in new]

    def joins(self, page: Page) -> bool:
        """Whether a page holds a row that was read, is unchanged, and stands among those it stood among.

        No update has moved it then: all rows that were not read yet come after it, and so none can lie before
        the page. It is believed if it stands within a third of a long page of its place, as tied rows do, or
        if most of those that were read after it follow it still.
        """
        if not (page.keys and self._pages):
            return False
        near = 1 + max(map(len, (page.keys, *self._pages))) // 3
        is_next = page.keys[0] in islice(reversed(self._pages[-1]), near)
        if is_next and any(self._stay(page, slice(1))):
            return True  # as nearly always
        stay = list(self._stay(page, slice(None)))
        if not any(stay):
            return False
        order = dict.fromkeys(key for rows in reversed(self._pages) for key in reversed(rows))
        back = dict(zip(order, count(1)))
        few, after = len(stay) // 2, list[int]()
        for at in range(len(stay) - 1, -1, -1):
            place = back.get(page.keys[at], 0)
            is_followed = 2 * bisect_left(after, place) >= min(place - 1, few)
            if stay[at] and (is_followed or at + place <= near):
                return True
            if place:
                insort(after, place)
        return False

    def _stay(self, page: Page, part: slice) -> Iterable[bool]:
        """Which rows of a part of a page were read and are unchanged."""
        known = zip(page.keys[part], self._fingerprints(page.records[part]), strict=True)
        return (self.knows(key) and self._is_unchanged(key, now) for key, now in known)

    def comes_again(self, page: Page, place: int, asked: int) -> bool:
        """Whether a page holds just the rows that were read from a place on, as many as were asked for."""
        read = self._read
        at = place - (self._count - len(read))
        return at >= 0 and read[at : at + asked] == page.keys

    def stands_at(self, page: Page, place: int, other: int) -> bool:
        """Whether a page's first row that is known was read nearer to one place than to another.

        Rows that come and go before it move it a little.
        """
        read = self._read
        places = {key: at for at, key in enumerate(read, self._count - len(read))}
        at = next((places[key] for key in page.keys if key in places), None)
        return at is not None and abs(at - place) < abs(at - other)

    def ends_with_any(self, page: Page) -> bool:
        """Whether a row of a page is among the last ones that were read, of as many as it has."""
        return not set(page.keys).isdisjoint(self.last(len(page.keys)))

    def _is_unchanged(self, key: Any, now: int | None) -> bool:
        then = self._pages[self._newest[key] - self._first][key]
        return now is None or then is None or now == then

    def compare_content(self, page: Page) -> None:
        """From now on compare what rows say, which takes longer: servers can write a row in several ways.

        Args:
            page: Rows that were read; what their content is becomes known where their bytes are as they were.
        """
        if self.compares_content:
            return
        bytes_now = self.prints_of(page)
        self.compares_content = True
        for key, then, now in zip(page.keys, bytes_now, self._fingerprints(page.records), strict=True):
            if self._is_unchanged(key, then):
                self._pages[self._newest[key] - self._first][key] = now

    def prints_of(self, page: Page) -> list[int | None]:
        """Fingerprints of a page's rows."""
        return list(self._fingerprints(page.records))

    def _fingerprints(self, records: Sequence[Any]) -> Iterable[int | None]:
        """Of what the API sent; None where that was decoded already, which another page may not be."""
        if {Raw}.issuperset(map(type, records)) and not self.compares_content:
            return map(hash, map(bytes, records))
        print_of = _print_of_content if self.compares_content else _print_of_bytes
        return (print_of(record) if isinstance(record, Raw) else None for record in records)


def _print_of_bytes(record: Any) -> int:
    return hash(bytes(record))


def _print_of_content(record: Any) -> int:
    try:
        return hash(msgspec.json.encode(msgspec.json.decode(record), order="sorted"))
    except UNREADABLE:
        return _print_of_bytes(record)
