"""Records as a table for Parquet, of whose rows a target makes dicts with the values of RECORD messages.

A column has the type that the stream's JSON schema asks for: a time is the text that was sent, with its
offset; an object whose fields are all named is a struct of them, in which null stands for a field that is
not there. A column for which there is no such type, or that holds a value which does not fit it, has the JSON
of its values, and is marked as that. So no value is rounded, cut off or left out.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tap_core.records.arrow import half_a_character, json_array
from tap_core.records.values import is_open, types_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_core.records.values import Schema

_WIDTHS = (
    (pa.int64(), pa.decimal128(38, 9)),
    (pa.decimal128(38, 0), pa.decimal128(38, 18)),
    (pa.decimal128(38, 0), pa.decimal128(38, 27)),
)
"""What integers and numbers of a column are, by turns."""


def parquet_table(
    stream: str, properties: Mapping[str, Schema], records: Sequence[Mapping[str, Any]]
) -> pa.Table:
    """The rows of a file; fields that the schema lacks have no column.

    Args:
        stream: Its name, for messages.
        properties: JSON schemas of the fields, as the stream's SCHEMA message has them.
        records: What RECORD messages would have.

    Raises:
        Hopeless: A text holds half a character, which Parquet's texts can't.
    """
    return pa.table(
        {
            name: _column(f"{stream}: `{name}`", [record.get(name) for record in records], schema)
            for name, schema in properties.items()
        }
    )


def _column(place: str, values: list[Any], schema: Schema) -> pa.Array:
    try:
        return _array(values, schema)
    except UnicodeEncodeError:
        raise half_a_character(place) from None


def _array(values: list[Any], schema: Schema) -> pa.Array:
    """The values in the first type that gives back each of them: Arrow cuts off some without a word."""
    exact = [Decimal(repr(value)) if isinstance(value, float) else value for value in values]
    for kind in _types(schema):
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            array = pa.array(exact, kind)
            found = array.to_pylist()
            if found == exact or _bare(found) == _bare(exact):
                return array
    return json_array(values)


def _types(schema: Schema) -> Iterator[pa.DataType]:
    """The types for a field's values, by turns: each as narrow as what is usual, then wider."""
    found = (_type({**schema, "type": word}, *width) for word in types_of(schema) for width in _WIDTHS)
    return (kind for kind in dict.fromkeys(found) if kind is not None)


def _type(schema: Schema, whole: pa.DataType, number: pa.DataType) -> pa.DataType | None:
    """The type for values of one JSON type; None where the schema leaves open what they are."""
    words = set(types_of(schema)) - {"null"}
    if words == {"array"} and schema.get("items"):
        item = _type(schema["items"], whole, number)
        return None if item is None else pa.list_(item)
    if words == {"object"} and not is_open(schema):
        fields = {name: _type(inner, whole, number) for name, inner in schema["properties"].items()}
        return None if None in fields.values() else pa.struct(fields)
    plain = {"string": pa.string(), "integer": whole, "number": number, "boolean": pa.bool_()}
    return plain.get(words.pop()) if len(words) == 1 else None


def _bare(value: Any) -> Any:
    """A value without the fields that are null, which a struct has for those that are not there."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items() if item is not None}
    return value
