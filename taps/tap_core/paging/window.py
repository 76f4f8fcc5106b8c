"""The rows of the last few pages, to tell which rows of another page are new, and which have not moved."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_core.paging.page import Page

PAGES = 8
"""How many pages are remembered."""

_PRINTS = 1000
"""Rows of a page that are remembered with fingerprints, which take memory; others count as unchanged."""


class Window:
    """Keys and fingerprints of the rows of the last pages."""

    def __init__(self) -> None:
        self._pages: deque[dict[Any, int | None]] = deque(maxlen=PAGES)

    def add(self, keys: Sequence[Any], records: Sequence[Any]) -> None:
        """Remember a page, or what comes first in it; of a huge one, only the last rows' fingerprints."""
        rows: dict[Any, int | None] = dict.fromkeys(keys)
        last = slice(max(0, len(keys) - _PRINTS), len(keys))
        rows.update(zip(keys[last], map(_fingerprint, records[last]), strict=True))
        self._pages.append(rows)

    def knows(self, key: Any) -> bool:
        """Whether a row of this key was read."""
        return any(key in rows for rows in self._pages)

    def fresh(self, page: Page) -> list[Any]:
        """The records of a page that are new; the page is then remembered as well."""
        if not self._pages and not page.records:
            return []
        found = [record for record, key in zip(page.records, page.keys, strict=True) if not self.knows(key)]
        self.add(page.keys, page.records)
        return found

    def joins(self, page: Page) -> bool:
        """Whether a page holds a row that was read and is unchanged: one that an update has not moved.

        All rows that were not read yet come after it, and so none can lie before the page.
        """
        return any(
            self.knows(key) and self._is_unchanged(key, _fingerprint(record))
            for key, record in zip(page.keys, page.records, strict=True)
        )

    def _is_unchanged(self, key: Any, now: int | None) -> bool:
        then = next(rows[key] for rows in reversed(self._pages) if key in rows)
        return now is None or then is None or now == then


def _fingerprint(record: Any) -> int | None:
    """Of what the API sent; None where that was decoded already, which another page may not be."""
    return hash(bytes(record)) if isinstance(record, Raw) else None
