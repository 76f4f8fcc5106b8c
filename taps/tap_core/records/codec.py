"""A stream's JSON schema, compiled once into what decodes its records.

Two ways lead to the same record. The typed way decodes into a `msgspec.Struct` made from the schema
and takes only what fits it exactly; it is several times faster. The careful way (`conform.py`) takes
everything: it converts what can be converted without loss and keeps the rest in `_sdc_unmapped`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from tap_core.errors import ApiError
from tap_core.records import jsonpath
from tap_core.records.conform import DATE, DATE_TIME, types_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_core.records.conform import Conformer

Schema = Mapping[str, Any]
Record = dict[str, Any]
Mend = Callable[[Record], Record | None]

UNMAPPED = "_sdc_unmapped"
UNMAPPED_SCHEMA: Schema = {"type": ["object", "null"], "additionalProperties": True}


class Codec:
    """Turns undecoded records into records that fit the schema.

    Args:
        name: Name of the stream, for messages.
        schema: JSON schema of the records, the unmapped column included if there is one.
        keys: Names of the fields that identify a record.
        typed: Whether records may stay structs; dicts are needed for stream maps and selection.
        conformer: The careful way.
    """

    def __init__(
        self,
        name: str,
        schema: Schema,
        keys: Sequence[str],
        *,
        typed: bool,
        conformer: Conformer,
    ) -> None:
        self.name = name
        self.keys = keys
        self.conformer = conformer
        struct = _struct(schema, required=keys) if typed else None
        self._decoder = msgspec.json.Decoder(struct, float_hook=Decimal) if struct else None
        self._attributes = {f.encode_name: f.name for f in msgspec.structs.fields(struct)} if struct else {}

    def decode(
        self,
        raws: Iterable[Any],
        mend: Mend,
        context: Mapping[str, Any],
        *,
        typed: bool = True,
    ) -> list[Any]:
        """Records of one page, in order.

        Args:
            raws: The undecoded records.
            mend: Called with each record that does not fit the schema as it came; returns the record
                put right, or None to drop it.
            context: Fields from the parent, filled in where the record has none.
            typed: False to go the careful way with all records.

        Raises:
            ApiError: A record is no object, or lacks a key.
        """
        raws = list(raws)
        if typed and self._decoder:
            try:
                return self._fill(list(map(self._decoder.decode, raws)), context)
            except (msgspec.ValidationError, TypeError):  # some do not fit, or the page is decoded already
                pass
        way = self._typed if typed else self._careful
        records = [way(raw, mend, context) for raw in raws]
        return [record for record in records if record is not None]

    def get(self, record: Any, field: str) -> Any:
        """A field of a decoded record; None if it has none."""
        if isinstance(record, dict):
            return record.get(field)
        attribute = self._attributes.get(field)
        value = getattr(record, attribute) if attribute else None
        return None if value is UNSET else value

    def _typed(self, raw: Any, mend: Mend, context: Mapping[str, Any]) -> Any:
        if self._decoder is None or not isinstance(raw, Raw):
            return self._careful(raw, mend, context)
        try:
            return self._fill([self._decoder.decode(raw)], context)[0]
        except msgspec.ValidationError:
            return self._careful(raw, mend, context)

    def _fill(self, records: list[Any], context: Mapping[str, Any]) -> list[Any]:
        """Typed records, with the parent's fields filled in where they have none."""
        for field, value in context.items():
            attribute = self._attributes[field]
            for record in records:
                own = getattr(record, attribute)
                if own is None or own is UNSET:
                    setattr(record, attribute, value)
        return records

    def _careful(self, raw: Any, mend: Mend, context: Mapping[str, Any]) -> Record | None:
        record = jsonpath.decode(raw)
        if record is None:
            return None
        if not isinstance(record, dict):
            msg = f"{self.name}: the API sent a record that is no object; is api_url the right one?"
            raise ApiError(msg)
        record |= {field: value for field, value in context.items() if record.get(field) is None}
        mended = mend(record)
        if mended is None:
            return None
        conformed = self.conformer.conform(mended)
        for key in self.keys:
            if conformed.get(key) is None:
                msg = f"{self.name}: the API sent a record without its key `{key}`; it cannot be loaded"
                raise ApiError(msg)
        return conformed


def key_reader(keys: Sequence[str]) -> Callable[[Any], Any]:
    """A function from an undecoded record to what tells it apart from others in its list.

    A record that lacks a key, or a stream that has none, is told apart by all of its content.
    """
    fields = [(f"f{index}", Any) for index in range(len(keys))]
    names = {f"f{index}": key for index, key in enumerate(keys)}
    struct = msgspec.defstruct("Key", fields, rename=names, frozen=True) if keys else None
    decoder = msgspec.json.Decoder(struct)

    def read(record: Any) -> Any:
        if isinstance(record, dict):
            values: tuple[Any, ...] = tuple(record.get(key) for key in keys)
        else:
            try:
                values = msgspec.structs.astuple(decoder.decode(record)) if struct else ()
            except msgspec.DecodeError:
                return bytes(record)
        if not values or None in values:
            return repr(jsonpath.decode(record))
        return values if len(values) > 1 else values[0]

    return read


def _struct(schema: Schema, required: Sequence[str] = ()) -> type[msgspec.Struct] | None:
    """A struct of the schema's properties that refuses any other; None if it has none to be typed."""
    fields: list[Any] = []
    names: dict[str, str] = {}
    for index, (name, field) in enumerate(schema["properties"].items()):
        attribute = f"f{index}"
        names[attribute] = name
        if name == UNMAPPED:
            fields.append((attribute, dict[str, Any] | None, None))
            continue
        hint = _hint(field)
        if hint is None:
            return None
        fields.append((attribute, hint) if name in required else (attribute, hint | UnsetType, UNSET))
    fields.sort(key=len)  # those without a default come first
    return msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=True, gc=False)


def _hint(schema: Schema) -> Any:
    """The type that takes just what the schema allows; None where msgspec has none."""
    types = types_of(schema)
    hints = [_HINTS[name](schema) for name in types]
    # A union of number and string cannot be told apart: Decimal reads both.
    if not hints or None in hints or {"number", "string"} <= set(types):
        return None
    return reduce(or_, hints)


def _string(schema: Schema) -> Any:
    pattern = {"date-time": DATE_TIME, "date": DATE}.get(schema.get("format", ""))
    return Annotated[str, Meta(pattern=pattern.pattern)] if pattern else str


def _object(schema: Schema) -> Any:
    if not schema.get("properties"):
        return dict[str, Any]
    return None if schema.get("additionalProperties") else _struct(schema)


def _array(schema: Schema) -> Any:
    hint = _hint(schema["items"]) if schema.get("items") else Any
    return None if hint is None else list[hint]  # type: ignore[valid-type]


_HINTS: dict[str, Callable[[Schema], Any]] = {
    "string": _string,
    "integer": lambda _: int,
    "number": lambda _: Decimal,
    "boolean": lambda _: bool,
    "null": lambda _: type(None),
    "object": _object,
    "array": _array,
}
