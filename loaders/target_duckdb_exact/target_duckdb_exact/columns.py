"""From the values of a field to an Arrow column: as they are in the usual case, mended by rule in the others.

The rules for times: what is finer than a microsecond is cut off; a second `:60` is the first one of the next
minute; a time without a zone, where the SCHEMA says that there is one, is in UTC.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from target_duckdb_exact.fields import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SCALE = 9
"""Decimals of a number's column, until a value has more."""
TIME = pa.timestamp("us", tz="UTC")
LOCAL_TIME = pa.timestamp("us")
DECIMAL = pa.decimal128(38, SCALE)

_MOST_DIGITS = 308
"""Digits before the point of the largest double, which takes what no exact type holds."""
_MOST_BITS = 1_023
_LONG = 400
"""Numbers of more digits are left in their short form: 1e-999999999 must not be spelled out."""
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)? ?"
    r"(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all arithmetic here is in UTC
_MICROSECOND = timedelta(microseconds=1)
_LEAP = 60


class Misfit(Exception):
    """A value does not fit its field; the argument is its position among the values."""


def column(kind: Kind, values: Sequence[Any]) -> pa.Array:
    """The values of a field of this kind, which its type decoded.

    An integer beyond 64 bits and a number beyond the usual digits make the whole column one of texts.

    Raises:
        Misfit: A value is none of the kind.
    """
    return _COLUMNS[kind](values)


def _integers(values: Sequence[int | None]) -> pa.Array:
    try:
        return pa.array(values, pa.int64())
    except OverflowError:
        return _each(values, _long, pa.string())


def _long(value: int) -> str:
    if value.bit_length() > _MOST_BITS:
        raise ValueError
    return str(value)


def whole_number(raw: bytes) -> int | None:
    """The integer that is written as 1.0 or 1e3."""
    try:
        number = Decimal(raw.decode())
        return int(number) if abs(number.adjusted()) < 40 and number == int(number) else None  # noqa: PLR2004 - HUGEINT's
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _numbers(values: Sequence[Decimal | None]) -> pa.Array:
    try:
        return pa.array(values, DECIMAL)
    except pa.ArrowInvalid:
        return _each(values, _digits, pa.string())


def _digits(value: Decimal) -> str:
    if not value.is_finite() or value.adjusted() >= _MOST_DIGITS:
        raise ValueError
    if value.adjusted() < -_LONG or len(value.as_tuple().digits) > _LONG:
        return str(value)
    return format(value, "f")


def _dates(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string()).cast(pa.date32())
    except pa.ArrowInvalid:
        return _each(values, date.fromisoformat, pa.date32())


def times(values: Sequence[str | None]) -> pa.Array:
    """Times with a zone, as instants.

    Raises:
        Misfit: A value is no time.
    """
    try:
        return pa.array(values, pa.string()).cast(TIME)
    except pa.ArrowInvalid:
        return _each(values, _instant, pa.int64()).cast(TIME)


def _local_times(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string()).cast(LOCAL_TIME)
    except pa.ArrowInvalid:
        return _each(values, _local, pa.int64()).cast(LOCAL_TIME)


def _instant(text: str) -> int:
    clock, offset = _moment(text)
    return clock - (offset or 0)


def _local(text: str) -> int:
    clock, offset = _moment(text)
    if offset is not None:
        raise ValueError
    return clock


def _moment(text: str) -> tuple[int, int | None]:
    """Microseconds since 1970 by the clock that the text was read from, and the offset of that clock."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError
    year, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = match.groups("")
    seconds = int(second or 0)
    leap = seconds == _LEAP
    clock = datetime(  # noqa: DTZ001 - as above
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), 59 if leap else seconds
    )
    microseconds = (clock - _EPOCH) // _MICROSECOND
    microseconds += 1_000_000 if leap else int(f"{fraction[:6]:0<6}")
    if not sign:
        return microseconds, 0 if utc else None
    if int(hours) > 23 or int(minutes or 0) > 59:  # noqa: PLR2004 - a day's and an hour's
        raise ValueError
    offset = (int(hours) * 60 + int(minutes or 0)) * 60_000_000
    return microseconds, -offset if sign == "-" else offset


def _texts(values: Sequence[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def _json(values: Sequence[msgspec.Raw]) -> pa.Array:
    joined = b"".join(values)
    if joined == b"null" * len(values):
        return pa.nulls(len(values), pa.string())
    texts = [None if text == b"null" else text for text in map(bytes, values)]
    return pa.array(texts, pa.string())


def _scalars(values: Sequence[msgspec.Raw]) -> pa.Array:
    return _each([None if value == b"null" else value for value in map(bytes, values)], _scalar, pa.string())


def _scalar(text: bytes) -> str:
    if text[:1] == b'"':
        return msgspec.json.decode(text, type=str)
    if text[:1] in {b"{", b"["}:
        raise ValueError
    return text.decode()


def _each(values: Sequence[Any], mend: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    mended: list[Any] = []
    try:
        for value in values:
            mended.append(None if value is None else mend(value))  # noqa: PERF401 - its length tells which failed
    except (ValueError, msgspec.MsgspecError):
        raise Misfit(len(mended)) from None
    return pa.array(mended, kind)


_COLUMNS: dict[Kind, Callable[[Sequence[Any]], pa.Array]] = {
    Kind.INTEGER: _integers,
    Kind.NUMBER: _numbers,
    Kind.BOOLEAN: lambda values: pa.array(values, pa.bool_()),
    Kind.DATE: _dates,
    Kind.TIME: times,
    Kind.LOCAL_TIME: _local_times,
    Kind.TEXT: _texts,
    Kind.SCALAR: _scalars,
    Kind.JSON: _json,
}
