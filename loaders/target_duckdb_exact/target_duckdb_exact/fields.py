"""What the fields of a stream are, as its SCHEMA message tells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb_exact.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCAL_TIME = "local-date-time"
"""`x-format` (or `format`) of a time without a zone: other targets don't know it, and take it for text."""

ACCOUNT = "account"
"""The field that tells whose a row is, where its SCHEMA says so by a constant."""


class Kind(Enum):
    """What a field may hold; the value is what it is called in messages."""

    INTEGER = "an integer that any type holds"
    NUMBER = "a number that any type holds"
    BOOLEAN = "true or false"
    DATE = "a date"
    TIME = "a time"
    LOCAL_TIME = "a time without a zone"
    TEXT = "a text"
    SCALAR = "a text, a number, true or false"
    JSON = "any JSON"


_DECODED: dict[Kind, Any] = {
    Kind.INTEGER: int | None,
    Kind.NUMBER: Decimal | None,
    Kind.BOOLEAN: bool | None,
    Kind.DATE: str | None,
    Kind.TIME: str | None,
    Kind.LOCAL_TIME: str | None,
    Kind.TEXT: str | None,
    Kind.SCALAR: msgspec.Raw,
    Kind.JSON: msgspec.Raw,
}
_FORMATS = {"date": Kind.DATE, "date-time": Kind.TIME, LOCAL_TIME: Kind.LOCAL_TIME}
_SCALARS = {"string", "number", "integer", "boolean"}


@dataclass(frozen=True)
class Field:
    """A property of a SCHEMA."""

    name: str
    kind: Kind
    comment: str | None = None

    @property
    def decoded(self) -> Any:
        """The type that its values are decoded as."""
        return _DECODED[self.kind]


@dataclass(frozen=True)
class Schema:
    """What a SCHEMA message says of a stream."""

    stream: str
    fields: tuple[Field, ...]
    keys: tuple[str, ...]
    account: str | None = None
    """The constant of the field `account`: a version speaks for its rows only; None is the whole table."""

    @property
    def account_at(self) -> int | None:
        """The position of the field `account` among the fields, where rows are one account's."""
        if self.account is None:
            return None
        return next(at for at, field in enumerate(self.fields) if field.name == ACCOUNT)


def schema_of(message: Mapping[str, Any]) -> Schema:
    """Read a SCHEMA message.

    Raises:
        LoadError: It names no stream, no properties, or keys that are none of them.
    """
    stream, schema = message.get("stream"), message.get("schema")
    if not isinstance(stream, str) or not isinstance(schema, dict):
        raise LoadError("A SCHEMA message names no stream or has no schema")
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        raise LoadError(f"The SCHEMA of {stream} has no properties")
    keys = message.get("key_properties") or ()
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) for key in keys):
        raise LoadError(f"The key_properties of {stream} are no list of names")
    for key in keys:
        if key not in properties:
            raise LoadError(f"The SCHEMA of {stream} has the key {key}, which is none of its properties")
    return Schema(
        stream,
        tuple(_field(name, content) for name, content in properties.items()),
        tuple(keys),
        _account(properties.get(ACCOUNT)),
    )


def _account(schema: Any) -> str | None:
    constant = schema.get("const") if isinstance(schema, dict) else None
    return constant if isinstance(constant, str) and kind_of(schema) is Kind.TEXT else None


def _field(name: str, schema: Any) -> Field:
    comment = schema.get("description") if isinstance(schema, dict) else None
    return Field(name, kind_of(schema), comment if isinstance(comment, str) else None)


def kind_of(schema: Any) -> Kind:
    """What a property may hold; what is not told or not understood may hold anything."""
    kinds: set[Kind] = set()
    for part in _alternatives(schema):
        kinds |= _kinds(part)
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    if not kinds or Kind.JSON in kinds:
        return Kind.JSON
    texts = {Kind.TEXT, Kind.SCALAR, Kind.DATE, Kind.TIME, Kind.LOCAL_TIME}
    if kinds <= texts - {Kind.SCALAR}:
        return Kind.TEXT
    return Kind.SCALAR if kinds & texts else Kind.JSON


def _alternatives(schema: Any) -> Sequence[Any]:
    if not isinstance(schema, dict):
        return (schema,)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list):
            return [deeper for part in schema[word] for deeper in _alternatives(part)]
    return (schema,)


def _kinds(schema: Any) -> set[Kind]:
    if not isinstance(schema, dict) or "type" not in schema:
        constant = schema.get("const") if isinstance(schema, dict) else None
        return {Kind.TEXT} if isinstance(constant, str) else {Kind.JSON}
    told = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    types = {kind if isinstance(kind, str) else "" for kind in told}
    kinds = set()
    if not types <= _SCALARS | {"null"}:
        kinds.add(Kind.JSON)
    if "string" in types:
        kinds.add(_FORMATS.get(schema.get("x-format") or schema.get("format") or "", Kind.TEXT))
    for name, kind in (("integer", Kind.INTEGER), ("number", Kind.NUMBER), ("boolean", Kind.BOOLEAN)):
        if name in types:
            kinds.add(kind)
    return kinds
