"""`Guard`: notices lists without end, whose rows come round again as new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tap_core.paging.page import Page

_AGAIN = 3
"""How often the same page may come as a new one, or as many of the rows that are remembered."""

_FEW = 8
"""Rows that count as a page at least: single ones come again where others are inserted."""

_CHANGED = 0.1
"""What a row counts that was changed: it can have moved to the list's end."""


class Guard:
    """Compares new rows with those of a few earlier pages, taken ever more seldom.

    A page comes again whose rows begin and end like those of the last such page, or that soon after it has
    the same ones in any order. Where pages are cut elsewhere each time, single rows come again.
    """

    def __init__(self) -> None:
        self._edges: tuple[Any, ...] = ()
        self._rows: frozenset[Hashable] = frozenset()
        self._prints: dict[Hashable, int | None] = {}
        self._pages = self._at = self._longest = 0
        self._next = 1
        self._pages_again = 0
        self._rows_again = 0.0

    def has_seen(self, page: Page) -> bool:
        """Whether these new rows came as new ones too often."""
        self._pages += 1
        if not self._prints.keys().isdisjoint(page.fresh_keys or ()):
            self._count_again(page)
        keys = page.__dict__.get("keys") or [page.key_of(page.records[at]) for at in (0, -1)]
        edges = len(page.records), keys[0], keys[-1]
        near = self._pages <= self._at + _AGAIN
        if edges == self._edges or (near and frozenset(page.keys) == self._rows):
            self._pages_again += 1
        elif self._pages >= self._next:
            self._edges, self._rows, self._pages_again = edges, frozenset(page.keys), 0
            self._at, self._next = self._pages, 2 * self._next
            self._longest = max(self._longest, len(page.records))
            self._prints |= _prints(page)
        most = _AGAIN * max(self._longest, _FEW)
        return self._pages_again >= _AGAIN or most <= self._rows_again

    def _count_again(self, page: Page) -> None:
        for key, now in _prints(page).items():
            if key in self._prints:
                self._rows_again += 1 if now is not None and now == self._prints[key] else _CHANGED


def _prints(page: Page) -> dict[Hashable, int | None]:
    """The keys of new rows, each with a fingerprint of what the API sent; None where that was decoded."""
    rows = zip(page.fresh_keys or (), page.fresh, strict=False)
    return {key: hash(bytes(row)) if isinstance(row, Raw) else None for key, row in rows}
