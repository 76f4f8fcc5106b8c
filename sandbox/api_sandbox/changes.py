"""Rows that are inserted, deleted and updated while clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from api_sandbox.matching import check_pattern, path_matches

if TYPE_CHECKING:
    from api_sandbox.data import Data


class Change(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One change to one list of rows, now or after some more requests.

    A child list is named by its parent's key: ``"resource": "attendees", "parent": 2138600417``.
    """

    api: str
    resource: str
    parent: int | str | None = None
    op: Literal["insert", "delete", "update"]
    at: int | None = None
    """Position in the list, negative from its end; without it, insert appends."""
    where: dict[str, Any] = {}
    """Delete and update: the rows with these values, in the place of a position."""
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Delete and update: how many rows from the position on."""
    rows: list[dict[str, Any]] = []
    """Insert: the new rows."""
    set: dict[str, Any] = {}
    """Update: the new values."""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Happens when this many more requests have been answered; 0 is at once."""
    path: str = ""
    """Only requests whose path matches this prefix or regular expression are counted."""

    def __post_init__(self) -> None:
        """Refuse a change that says nothing."""
        if self.op != "insert" and self.at is None and not self.where:
            raise ValueError(f"{self.op} needs `at` or `where`")
        for op, name in (("insert", "rows"), ("update", "set")):
            if self.op == op and not getattr(self, name):
                raise ValueError(f"{op} needs `{name}`")
        check_pattern(self.path)

    def table_in(self, data: Data) -> Any:
        """The list that it changes, or the lists by parent of which one is.

        Raises:
            KeyError: There is no such API or resource.
            ValueError: A parent is missing, or is one too many.
        """
        table = data[self.api][self.resource]
        if isinstance(table, list):
            if self.parent is not None:
                raise ValueError(f"`parent`: {self.resource} is one list")
            return table
        if not all(isinstance(rows, list) for rows in table.values()):
            raise ValueError(f"`resource`: {self.resource} is no list")
        if self.parent is None or (self.op != "insert" and self.parent not in table):
            raise ValueError(f"{self.resource} has a list for each parent: name it in `parent`")
        return table

    def apply(self, data: Data) -> None:
        """Change the rows."""
        table = self.table_in(data)
        rows: list[dict[str, Any]] = table if self.parent is None else table.setdefault(self.parent, [])
        if self.op == "insert":
            at = len(rows) if self.at is None else self.at
            rows[at:at] = self.rows
            return
        chosen = self._chosen(rows)
        if self.op == "update":
            for row in chosen:
                row.update(self.set)
        else:
            gone = {id(row) for row in chosen}
            rows[:] = [row for row in rows if id(row) not in gone]

    def _chosen(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that are deleted or updated."""
        if self.at is None:
            return [row for row in rows if all(row.get(name) == value for name, value in self.where.items())]
        start = self.at if self.at >= 0 else max(0, len(rows) + self.at)
        return rows[start : start + self.count]


class Changes:
    """Changes that wait for their time."""

    def __init__(self, data: Data) -> None:
        """Changes to these rows."""
        self._data = data
        self._pending: list[Change] = []

    def add(self, change: Change) -> None:
        """Apply a change at once, or keep it until enough requests were answered.

        Raises:
            KeyError: There is no such API or resource.
            ValueError: A parent is missing, or is one too many.
        """
        change.table_in(self._data)
        if change.after > 0:
            self._pending.append(change)
        else:
            change.apply(self._data)

    def answered(self, path: str) -> None:
        """Count an answered request, and apply the changes whose time has come."""
        for change in list(self._pending):
            if path_matches(change.path, path):
                change.after -= 1
                if change.after == 0:
                    self._pending.remove(change)
                    change.apply(self._data)

    def clear(self) -> None:
        """Forget the changes that have not happened yet."""
        self._pending.clear()
