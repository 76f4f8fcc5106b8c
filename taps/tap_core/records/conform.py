"""The careful way from what an API sent to a record that fits the stream's schema.

A value is converted only where that loses nothing. What does not fit, and fields that the schema
does not know, are kept under their path in the record's `_sdc_unmapped`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator

Schema = Mapping[str, Any]

_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
DATE = re.compile(rf"^{_DAY}$")
DATE_TIME = re.compile(rf"^{_DAY}[Tt]{_TIME}([Zz]|[+-]\d\d:\d\d)$")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_DIGITS = 1000


class _Misfit(Exception):
    """The value cannot be converted to what its schema asks for."""


MISFIT = _Misfit()


def types_of(schema: Schema) -> list[str]:
    """The JSON types that a schema allows; an object if it says nothing but properties."""
    types = schema.get("type", "object" if "properties" in schema else [])
    return [types] if isinstance(types, str) else list(types)


class Conformer:
    """Makes records fit a schema.

    Args:
        schema: JSON schema of the records.
        unmapped: Name of the field that takes what does not fit, or None to drop it.
        deselected: Paths of fields that are not to be emitted, as tuples of names.
        logger: Where each field that does not fit is named once.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        unmapped: str | None,
        deselected: Iterable[tuple[str, ...]] = (),
        logger: logging.Logger,
    ) -> None:
        self._schema = schema
        self._unmapped = unmapped
        self._deselected = frozenset(deselected)
        self._logger = logger
        self._reported: set[str] = set()
        self._plains: dict[int, dict[str, frozenset[type]]] = {}

    def conform(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record as its schema has it; what does not fit is in the unmapped field."""
        misfits: dict[str, Any] = {}
        conformed = self._object(record, self._schema, (), misfits)
        if self._unmapped:
            conformed[self._unmapped] = misfits or None
        return conformed

    def _object(
        self,
        value: Mapping[str, Any],
        schema: Schema,
        path: tuple[str, ...],
        misfits: dict[str, Any],
    ) -> dict[str, Any]:
        properties = schema.get("properties")
        if not properties:
            return dict(value)
        conformed = {}
        plain = self._plains.get(id(schema)) or self._plain(schema)
        for name, item in value.items():
            if type(item) in plain.get(name, ()):
                conformed[name] = item
                continue
            here = (*path, name)
            if here in self._deselected:
                continue
            if name in properties and name != self._unmapped:
                try:
                    conformed[name] = self._value(item, properties[name], here, misfits)
                except _Misfit:
                    self._keep(here, item, misfits, "does not fit its type")
            elif schema.get("additionalProperties"):
                conformed[name] = item
            else:
                self._keep(here, item, misfits, "is not in the schema")
        return conformed

    def _plain(self, schema: Schema) -> dict[str, frozenset[type]]:
        """The Python types that each field of an object takes as they are, worked out once."""
        slow = {self._unmapped, *(name for path in self._deselected for name in path[-1:])}
        plain = {
            name: frozenset[type]().union(*(_PLAIN.get(word, ()) for word in types_of(field)))
            for name, field in schema["properties"].items()
            if name not in slow and "format" not in field
        }
        self._plains[id(schema)] = plain
        return plain

    def _value(self, value: Any, schema: Schema, path: tuple[str, ...], misfits: dict[str, Any]) -> Any:
        types = types_of(schema)
        for name in types:
            if _FITS[name](value, schema):
                return self._nested(value, schema, path, misfits)
        for name in types:
            for converted in _CONVERSIONS[name](value):
                if _FITS[name](converted, schema):
                    return converted
        if value == "" and "null" in types:
            return None
        if types:
            raise MISFIT
        return value

    def _nested(self, value: Any, schema: Schema, path: tuple[str, ...], misfits: dict[str, Any]) -> Any:
        if isinstance(value, dict):
            return self._object(value, schema, path, misfits)
        if isinstance(value, list) and schema.get("items"):
            items = enumerate(value)
            return [self._value(item, schema["items"], (*path, str(i)), misfits) for i, item in items]
        return value

    def _keep(self, path: tuple[str, ...], value: Any, misfits: dict[str, Any], why: str) -> None:
        misfits[".".join(path)] = value
        field = ".".join(name for name in path if not name.isdigit())
        if field not in self._reported:
            self._reported.add(field)
            where = f"kept in {self._unmapped}" if self._unmapped else "dropped, as unmapped_column is off"
            self._logger.warning("Field `%s` %s; %s", field, why, where)


_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "null": (type(None),),
}
"""Types whose values fit without a further look."""

_FITS: dict[str, Callable[[Any, Schema], bool]] = {
    "string": lambda value, schema: isinstance(value, str) and _formatted(value, schema),
    "integer": lambda value, _: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value, _: isinstance(value, int | Decimal) and not isinstance(value, bool),
    "boolean": lambda value, _: isinstance(value, bool),
    "null": lambda value, _: value is None,
    "object": lambda value, _: isinstance(value, dict),
    "array": lambda value, _: isinstance(value, list),
}


def _formatted(value: str, schema: Schema) -> bool:
    pattern = {"date-time": DATE_TIME, "date": DATE}.get(schema.get("format", ""))
    return pattern is None or pattern.match(value) is not None


def _to_string(value: Any) -> Iterator[str]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield str(value)


def _to_integer(value: Any) -> Iterator[int]:
    if (isinstance(value, str) and _INTEGER.fullmatch(value)) or (
        isinstance(value, Decimal) and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value()
    ):
        yield int(value)


def _to_number(value: Any) -> Iterator[Decimal]:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        yield Decimal(value)


def _to_boolean(value: Any) -> Iterator[bool]:
    if value in (0, 1) or value in ("0", "1", "false", "true"):
        yield value in (1, "1", "true")


def _to_object(value: Any) -> Iterator[dict[str, Any]]:
    if value == []:  # some languages encode an empty map as an empty list
        yield {}


def _no_conversion(_: Any) -> Iterator[Any]:
    return iter(())


_CONVERSIONS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
    "null": _no_conversion,
    "object": _to_object,
    "array": _no_conversion,
}
