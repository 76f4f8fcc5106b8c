"""What never changes of a line of the ledger, which has no id, and the key that is made of it.

Two lines can be equal, as when two equal orders are paid in one millisecond; they are two lines. What never
changes of a line is its time, amount and action and the id of its order: `balance` can be null at first, and
the payment of `order` changes with a refund. Lines that agree in all of these are numbered.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Raw

from tap_core.records import jsonpath
from tap_core.records.keys import UNREADABLE
from tap_core.records.values import as_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECIMAL = re.compile(r"(-?[1-9][0-9]{0,11}|0)(\.[0-9]{1,12})?")
"""Numbers that are as `_number` has them but for zeros at their end."""


class Line(NamedTuple):
    """What never changes of a line of the ledger, however it is written."""

    time: str
    amount: str
    action: str
    order: str
    description: str = ""
    """Tells lines apart while they are read; it is no part of the key."""
    has_time: bool = True
    """Whether `time` is one: other lines have no place among those of a moment."""

    @classmethod
    def of(cls, record: Any) -> Line:
        """The line of a record, decoded or not."""
        return LineReader().of_all([record])[0]


class _Order(msgspec.Struct, gc=False):
    id: str | None = None


class _Row(msgspec.Struct, gc=False):
    """A line as nearly all of them come: it is read in half the time so."""

    created_at: datetime
    amount: Raw
    action: str | None = None
    order: _Order | None = None
    description: str | None = None


_row = msgspec.json.Decoder(_Row).decode
_as_json = msgspec.json.Encoder().encode
_as_lines = msgspec.json.Encoder().encode_lines
_texts = msgspec.json.Decoder(list[str]).decode
_new = tuple.__new__  # makes a line in a third of the time

_LENGTH_TO_SECONDS = len("2026-01-31T00:00:00Z")


class LineReader:
    """A function from a record to its line; of a page of them it is quicker than one by one."""

    def __call__(self, record: Any) -> Line:
        """The line of a record, decoded or not."""
        return Line.of(record)

    def of_all(self, records: Sequence[Any]) -> list[Line]:
        """The lines of some records."""
        if not {Raw}.issuperset(map(type, records)):
            return list(map(_line, records))
        with suppress(*UNREADABLE):
            return _lines_of(list(map(_row, records)))
        rows = list(map(_row_of, records))
        with suppress(*UNREADABLE):
            lines = iter(_lines_of([row for row in rows if row]))
            return [next(lines) if row else _line(record) for row, record in zip(rows, records, strict=True)]
        return list(map(_line, records))


def _row_of(record: Raw) -> _Row | None:
    """The row of a record that is as nearly all of them come."""
    try:
        return _row(record)
    except UNREADABLE:
        return None


def _lines_of(rows: Sequence[_Row]) -> list[Line]:
    """The lines of some rows.

    Raises:
        ArithmeticError: One of them has a time that UTC has no year for.
    """
    times = [row.created_at for row in rows]
    if not {timezone.utc}.issuperset([time.tzinfo for time in times]):
        times = list(map(_utc, times))
    return [
        _new(
            Line,
            (
                _written(time),
                _plain(bytes(row.amount)),
                row.action or "",
                (row.order and row.order.id) or "",
                row.description or "",
                True,
            ),
        )
        for row, time in zip(rows, _texts(_as_json(times)), strict=True)
    ]


def _written(time: str) -> str:
    """A time as JSON has it, `2026-05-12T14:03:28.020000Z`, with an offset and microseconds at all times."""
    return f"{time[:-1]}+00:00" if len(time) > _LENGTH_TO_SECONDS else f"{time[:-1]}.000000+00:00"


def _line(record: Any) -> Line:
    row = jsonpath.decode(record)
    if not isinstance(row, dict):
        return Line("", "", "", "", has_time=False)
    order, time = row.get("order"), moment(row.get("created_at"))
    return Line(
        time.isoformat(timespec="microseconds") if time else _text(row.get("created_at")),
        _number(row.get("amount")),
        _text(row.get("action")),
        _text(order.get("id")) if isinstance(order, dict) else "",
        _text(row.get("description")),
        has_time=time is not None,
    )


def moment(value: Any) -> datetime | None:
    """The time that a timestamp names, UTC if it names no zone; None if it is none."""
    try:
        return _utc(msgspec.convert(value, datetime))
    except (msgspec.ValidationError, UnicodeError, OverflowError):
        return None


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=time.tzinfo or timezone.utc).astimezone(timezone.utc)


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
    return "" if value is None else str(as_sound(str(value)))


def keyed(
    records: Sequence[Any], lines: Sequence[Line], counts: dict[tuple[str, ...], int] | None = None
) -> list[Any]:
    """Records of whole moments, newest first, each with its `_sdc_key`.

    Equal lines are numbered from the oldest, the last in the list, so that a new one changes no number.
    The key is the SHA-256, in hex, of a JSON array without blanks:
    `["2026-05-12T14:03:28.020000+00:00","-51.5","Order","7QK2M9XA4TLD",1]`, which are the time in UTC
    with microseconds, the amount without trailing zeros, the action, the order's id or `""`, the number.

    Args:
        records: The records, undecoded.
        lines: Theirs.
        counts: How many equal lines came before, where these go on with them; it is brought up to date.
    """
    counts = {} if counts is None else counts
    numbered = []
    for line in reversed(lines):
        same = line[:4]
        counts[same] = number = counts.get(same, 0) + 1
        numbered.append((*same, number))
    texts = _as_lines(numbered).splitlines()  # a text in JSON holds no line break
    return [
        jsonpath.with_members(record, {"_sdc_key": hashlib.sha256(text).hexdigest()})
        for record, text in zip(records, reversed(texts), strict=True)
    ]
