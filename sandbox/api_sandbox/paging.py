"""Pages cut out of lists, rightly or as an injected fault wants them wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api_sandbox.faults import Fault


@dataclass(frozen=True)
class Page:
    """One page, and what the server claims about it."""

    rows: Sequence[Any]
    start: int
    """Rows before this page."""
    size: int
    """The page size that the server went by."""
    total: int
    """Rows in the whole list, as the server tells it."""
    next_cursor: Any = None
    """Continues the list, in an API with cursors; None on the last page."""
    emptied: bool = False
    """A fault took the rows out; the list itself goes on."""


@dataclass(frozen=True)
class Paging:
    """How this request's pages are cut."""

    cap: int | None = None
    """The server allows no larger page than this."""
    whole: bool = False
    """The server ignores paging and sends the whole list."""
    first: bool = False
    """The server ignores where to start and sends the first page."""
    empty: bool = False
    """The server sends no rows although there are some."""
    total_error: int = 0
    """By how much the total that the server tells is wrong."""
    cursor: int | str | None = None
    """The server sends this cursor whatever comes next."""

    @classmethod
    def from_faults(cls, faults: Sequence[Fault]) -> Paging:
        """The sum of the paging faults that fire for a request."""
        caps = [fault.size for fault in faults if fault.kind == "page_cap"]
        ignored = [fault for fault in faults if fault.kind == "ignore_paging"]
        return cls(
            cap=min(caps, default=None),
            whole=any(not fault.limit_honoured for fault in ignored),
            first=any(fault.limit_honoured for fault in ignored),
            empty=any(fault.kind == "empty_page" for fault in faults),
            total_error=sum(fault.size for fault in faults if fault.kind == "wrong_total"),
            cursor=next((fault.cursor for fault in faults if fault.kind == "wrong_cursor"), None),
        )

    def by_offset(self, rows: Sequence[Any], start: int, size: int) -> Page:
        """The page of at most ``size`` rows that follows the first ``start`` rows."""
        size = size if self.cap is None else min(size, self.cap)
        if self.whole:
            start, size = 0, len(rows)
        elif self.first:
            start = 0
        window = () if self.empty else rows[start : start + size]
        return Page(window, start, size, len(rows) + self.total_error, emptied=self.empty)

    def by_number(self, rows: Sequence[Any], number: int, size: int) -> Page:
        """Page ``number``, counted from 1, of ``size`` rows each."""
        size = size if self.cap is None else min(size, self.cap)
        return self.by_offset(rows, (number - 1) * size, size)

    def by_cursor(self, rows: Sequence[Any], after: str | None, size: int, key: str = "id") -> Page | None:
        """The page after the row whose key is the cursor; None when there is no such row."""
        start = 0
        if after is not None:
            position = next((index for index, row in enumerate(rows) if str(row[key]) == after), None)
            if position is None:
                return None
            start = position + 1
        page = self.by_offset(rows, start, size)
        end = page.start + page.size
        cursor = self.cursor if self.cursor is not None else rows[end - 1][key] if end < len(rows) else None
        return Page(page.rows, page.start, page.size, page.total, cursor, page.emptied)
