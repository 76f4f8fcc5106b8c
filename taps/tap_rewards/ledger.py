"""Rows without an id, some of them equal in all that they say: how they are paged and told apart.

Two lines of the ledger can be equal, as when two equal orders are paid in one millisecond; they are two
lines. What never changes of a line is its time, amount and action and the id of its order: `balance` can
be null at first, and the payment of `order` changes with a refund. Lines that agree in all of these are
numbered.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Raw
from typing_extensions import override

from tap_core.errors import ApiError
from tap_core.paging.places import ByOffset
from tap_core.paging.walk import Walk
from tap_core.paging.window import PAGES
from tap_core.records import jsonpath
from tap_core.records.values import as_sound_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_core.paging.page import Page
    from tap_core.paging.paginator import Query
    from tap_core.paging.places import Ask


_DECIMAL = re.compile(r"(-?[1-9][0-9]{0,11}|0)(\.[0-9]{1,12})?")
"""Numbers that are as `_number` has them but for zeros at their end."""

_NO_ORDER = (
    "the lines come in no order of their time, so that equal ones can't be told apart: report it to the "
    "API's vendor"
)


class Line(NamedTuple):
    """What never changes of a line of the ledger, however it is written."""

    time: str
    amount: str
    action: str
    order: str
    description: str = ""
    """Tells lines apart while they are read; it is no part of the key."""

    @classmethod
    def of(cls, record: Any) -> Line:
        """The line of a record, decoded or not."""
        if not isinstance(record, Raw):
            return _line(record)
        try:
            row = _row(record)
            amount = _plain(bytes(row.amount))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _line(jsonpath.decode(record))
        order = row.order
        time = row.created_at if row.created_at.tzinfo is timezone.utc else _utc(row.created_at)
        fields = _utc_text(time), amount, row.action or "", (order and order.id) or "", row.description or ""
        return tuple.__new__(cls, fields)  # in a third of the time

    def key(self, number: int) -> str:
        """The `_sdc_key` of the line that is the nth of its equals.

        The SHA-256, in hex, of a JSON array without blanks:
        `["2026-05-12T14:03:28.020000+00:00","-51.5","Order","7QK2M9XA4TLD",1]`, which are the time in UTC
        with microseconds, the amount without trailing zeros, the action, the order's id or `""`, the number.
        """
        return hashlib.sha256(_as_json([*self[:4], number])).hexdigest()


class _Order(msgspec.Struct):
    id: str | None = None


class _Row(msgspec.Struct):
    """A line as nearly all of them come: it is read in half the time so."""

    created_at: datetime
    amount: Raw
    action: str | None = None
    order: _Order | None = None
    description: str | None = None


_row = msgspec.json.Decoder(_Row).decode
_as_json = msgspec.json.Encoder().encode


def _line(row: Any) -> Line:
    if not isinstance(row, dict):
        return Line("", "", "", "")
    order = row.get("order")
    return Line(
        _time(row.get("created_at")),
        _number(row.get("amount")),
        _text(row.get("action")),
        _text(order.get("id")) if isinstance(order, dict) else "",
        _text(row.get("description")),
    )


def moment(value: Any) -> datetime | None:
    """The time that a timestamp names, UTC if it names no zone; None if it is none."""
    try:
        time = msgspec.convert(value, datetime)
    except (msgspec.ValidationError, UnicodeError):
        return None
    return _utc(time)


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=time.tzinfo or timezone.utc).astimezone(timezone.utc)


def _utc_text(time: datetime) -> str:
    """As `isoformat(timespec="microseconds")` has it, in a fifth of the time."""
    text = _as_json(time)[1:-2].decode()
    return f"{text}+00:00" if time.microsecond else f"{text}.000000+00:00"


def _time(value: Any) -> str:
    time = moment(value)
    return _utc_text(time) if time else _text(value)


@lru_cache  # amounts are the same few again and again
def _plain(number: bytes) -> str:
    """The text of `_number`, of a number that is written as one."""
    text = number.decode()
    if not _DECIMAL.fullmatch(text):
        return _number(jsonpath.decode(Raw(number)))
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(value: Any) -> str:
    if type(value) is int:
        return str(value)
    try:
        return f"{Decimal(str(value)).normalize() + 0:f}"
    except ArithmeticError:
        return _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(as_sound_text(str(value)))


def keyed(records: Sequence[Any], lines: Sequence[Line]) -> list[Any]:
    """Records of whole moments, newest first, each with its `_sdc_key`.

    Equal lines are numbered from the oldest, the last in the list, so that a new one changes no number.
    """
    counts: dict[tuple[str, ...], int] = {}
    found = []
    for record, line in zip(reversed(records), reversed(lines), strict=True):
        same = line[:4]
        counts[same] = number = counts.get(same, 0) + 1
        found.append(jsonpath.with_members(record, {"_sdc_key": line.key(number)}))
    return found[::-1]


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
        super().__init__(self._until, size=size, order=time_field, mark=self._number)

    def _number(self, page: Page, place: int) -> None:
        if place == 0:
            self._until.hold(page.keys)
        page.keys = self._numbers.of(page.keys, place)
        self._trade_places |= self._numbers.are_unsure


class HeldOffset(ByOffset):
    """Offsets in a list that ends, at its top, where the first page began."""

    def __init__(self, param: str) -> None:
        super().__init__()
        self._param = param
        self._held: Query = {}

    def hold(self, lines: Sequence[Line]) -> None:
        """Ask for nothing newer from now on, to the next whole second: what is shown may be rounded."""
        times = [line.time for line in lines]
        newest = moment(times[0]) if times and times == sorted(times, reverse=True) else None
        if newest and not self._held:
            until = newest.replace(microsecond=0) + timedelta(seconds=1)
            self._held = {self._param: until.strftime("%Y-%m-%dT%H:%M:%SZ")}

    @override
    def ask(self, start: int, size: int, *, beyond: int = 0) -> Ask:
        """The page that begins at a line."""
        ask = super().ask(start, size)
        return ask._replace(query={**ask.query, **self._held})


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

    def of(self, lines: list[Line], place: int) -> list[tuple[Line, int]]:
        """The lines of the page at a place, numbered."""
        start = self._begins_at(lines, place - self._skipped)
        if start is None:
            self.are_unsure |= any(line in self._last for line in lines)
            return _count(lines, {})
        again = self._known[start : start + len(lines)]
        fresh = _count(lines[len(again) :], self._last)
        self._known += fresh
        surplus = max(0, len(self._known) - self._most)
        for line, number in self._known[:surplus]:
            if self._last[line] == number:
                del self._last[line]
        del self._known[:surplus]
        self._skipped = place - start + surplus
        return again + fresh

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
