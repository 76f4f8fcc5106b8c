"""Records as columns of Arrow, of the types that the stream's JSON schema asks for.

A column begins with the type that holds what is usual. A value that this type does not hold, such as an
integer beyond 64 bits, makes the column one of the next type from its record batch on. The last one is text,
which has the value as JSON has it. So no value is rounded, cut off or left out.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from msgspec import UNSET, UnsetType

from tap_core.errors import Hopeless
from tap_core.records.encoding import json_lines
from tap_core.records.values import types_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_core.records.values import Schema

_TEXT, _JSON = pa.string(), pa.json_(pa.string())
_NOTHING = {NoneType, UnsetType}
_SCALES = (9, 18, 27)
"""Decimals of numbers: SQL's usual types have 38 digits in all."""


def _candidates(schema: Schema) -> tuple[frozenset[type], list[pa.DataType]]:
    """The Python types that a field's values have as a rule, and the Arrow types for them by turns."""
    types = set(types_of(schema)) - {"null"}
    if types == {"string"}:
        form = schema.get("x-format") or schema.get("format") or ""
        return frozenset({str}), [_FORMATS.get(form, _TEXT), _TEXT]
    if types == {"integer"}:
        return frozenset({int}), [pa.int64(), pa.decimal128(38, 0), _TEXT]
    if types in ({"number"}, {"integer", "number"}):
        return frozenset({int, Decimal}), [*(pa.decimal128(38, scale) for scale in _SCALES), _TEXT]
    if types == {"boolean"}:
        return frozenset({bool}), [pa.bool_(), _TEXT]
    return frozenset(), [_JSON]


_FORMATS = {
    "date": pa.date32(),
    "date-time": pa.timestamp("us", "UTC"),  # not of nanoseconds, of which Python's readers lose three digits
    "local-date-time": pa.timestamp("us"),
}


class _Column:
    """A field of a stream.

    Args:
        place: Its name and its stream's, for messages.
        schema: Its JSON schema.
    """

    def __init__(self, place: str, schema: Schema) -> None:
        self._place = place
        self._plain, self._types = _candidates(schema)

    def array(self, values: Sequence[Any]) -> pa.Array:
        """The field's values; the column's type changes if they need another one.

        Raises:
            Hopeless: A text holds half a character, which Arrow's texts can't.
        """
        try:
            return self._array(values)
        except UnicodeEncodeError:
            raise half_a_character(self._place) from None

    def _array(self, values: Sequence[Any]) -> pa.Array:
        kinds = set(map(type, values))
        if kinds <= _NOTHING:
            return pa.nulls(len(values), self._types[0])
        if UnsetType in kinds:
            values = [None if value is UNSET else value for value in values]
        if self._types == [_JSON]:
            return json_array(values)
        if not kinds - _NOTHING <= self._plain:
            self._types = [_TEXT]
        while self._types[0] != _TEXT:
            with suppress(pa.ArrowInvalid, OverflowError):
                return _of_type(values, self._types[0])
            del self._types[0]
        if kinds - {*_NOTHING, str}:
            values = [value if isinstance(value, str) else _text(value) for value in values]
        return pa.array(values, _TEXT)


def half_a_character(place: str) -> Hopeless:
    """The error that a field, named with its stream, holds what UTF-8 has no bytes for."""
    return Hopeless(
        f"{place} holds half a character, which no Arrow or Parquet file can: leave the field out, or "
        "read without batch_config"
    )


def json_array(values: Sequence[Any]) -> pa.Array:
    """The values' JSON, said to be that; null for None.

    Raises:
        UnicodeEncodeError: A text holds half a character.
    """
    return pa.array(_texts(values), _TEXT).cast(_JSON)


def _of_type(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_temporal(kind):
        return pa.array(values, _TEXT).cast(kind)
    return pa.array(values, kind)


def _texts(values: Sequence[Any]) -> list[bytes | None]:
    """The values' JSON; None for null, which Arrow has of its own."""
    lines = json_lines(values).splitlines()
    return [None if line == b"null" else line for line in lines]


def _text(value: Any) -> str | None:
    """The JSON of a number, or of what a stream map made of a record, whatever that is."""
    (line,) = _texts([value])
    if line is not None and line.startswith(b'"'):
        return msgspec.json.decode(line, type=str)
    return None if line is None else line.decode()


class ArrowTable:
    """Makes record batches of a stream's records.

    Args:
        stream: Its name, for messages.
        schema: JSON schema of the records, as its SCHEMA message has it.
    """

    def __init__(self, stream: str, schema: Mapping[str, Any]) -> None:
        fields = schema["properties"].items()
        self._columns = {name: _Column(f"{stream}: `{name}`", field) for name, field in fields}

    def batch(self, records: Sequence[Any]) -> pa.RecordBatch:
        """Records as a record batch; fields that the schema lacks have no column.

        Args:
            records: Some dicts, or structs of the codec.

        Raises:
            Hopeless: A text holds half a character, which Arrow's texts can't.
        """
        values = _by_field(records)
        nothing = [None] * len(records)
        arrays = [column.array(values.get(name, nothing)) for name, column in self._columns.items()]
        return pa.RecordBatch.from_arrays(arrays, names=list(self._columns))


def _by_field(records: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """The values of each field; UNSET or None where a record has none."""
    kinds = set(map(type, records))
    if len(kinds) == 1 and dict not in kinds:
        fields = zip(records[0].__struct_encode_fields__, records[0].__struct_fields__, strict=True)
        return {name: list(map(attrgetter(attribute), records)) for name, attribute in fields}
    dicts = [record if isinstance(record, dict) else _as_dict(record) for record in records]
    return {name: [record.get(name) for record in dicts] for name in dict.fromkeys(_names(dicts))}


def _names(dicts: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (name for record in dicts for name in record)


def _as_dict(record: Any) -> dict[str, Any]:
    values = msgspec.structs.astuple(record)
    return dict(zip(type(record).__struct_encode_fields__, values, strict=True))
