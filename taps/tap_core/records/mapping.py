"""Records after stream maps and flattening, which can make fields that no SCHEMA tells of.

Flattening makes columns of an object's own fields, and its SCHEMA those of the fields that are declared; an
object that is open, or a plain value where there are objects too, ends up in columns that targets pass over.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec
from simpleeval import (  # type: ignore[import-untyped]
    AttributeDoesNotExist,
    InvalidExpression,
    IterableTooLong,
    NameNotDefined,
    NumberTooHigh,
)
from singer_sdk.exceptions import MapExpressionError

from tap_core.errors import ApiError
from tap_core.records import jsonpath
from tap_core.records.conform import MISFIT, UNMAPPED, Conformer, Found, segment
from tap_core.records.encoding import as_json, json_lines
from tap_core.records.keys import is_missing
from tap_core.records.told import Told
from tap_core.records.values import FITS, as_moment, types_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from singer_sdk.mapper import StreamMap

    from tap_core.records.secrets import Secrets
    from tap_core.records.values import Schema

_SAYINGS = (
    *("invalid literal for int() with base", "could not convert string to float", "division by zero"),
    *("list index out of range", "string index out of range", "substring not found"),
    *("time data", "unconverted data remains", "Invalid isoformat string", "Expecting value"),
)
"""How errors begin that go on with a value, or have none; an unknown one may begin with a value."""


def passes(stream_map: StreamMap, record: dict[str, Any]) -> bool:
    """Whether a map's filter keeps a record.

    Raises:
        ApiError: The filter can't be worked out for it.
    """
    try:
        return bool(stream_map.get_filter_result(record))
    except Exception as error:
        raise _failed(stream_map.stream_alias, error) from error


def _failed(alias: str, error: Exception) -> ApiError:
    """An expression fails for what a record holds, which may be anything: it is not quoted."""
    cause = error.__cause__ or error
    kind = type(cause).__name__
    name = f" `{getattr(cause, 'name', '')}`" if kind == "NameNotDefined" else ""
    return ApiError(
        f"stream_maps: {alias}: an expression fails for a record ({kind}{name}): {_advice(cause)}"
    )


def _advice(cause: BaseException) -> str:
    """What to do about an expression that failed, or what is wrong; no value of the record is in it."""
    words = str(cause)
    if isinstance(cause, NumberTooHigh | IterableTooLong):
        return "its value would be too large"
    if isinstance(cause, KeyError | NameNotDefined | AttributeDoesNotExist) or "NoneType" in words:
        return "let it allow for fields that are null or missing"
    if isinstance(cause, TypeError | InvalidExpression | MapExpressionError):  # they name no values
        return words
    return next(filter(words.startswith, _SAYINGS), "let it allow for all values that come")


_PLAIN = frozenset({str, bool, float, NoneType})
_DECODED = frozenset({str, bool, int, Decimal, NoneType})


def _is_json(value: Any) -> bool:
    """Whether an expression's value can be written; a module can't, nor a number of 5000 digits."""
    if type(value) in _PLAIN:  # as nearly all are: writing them would take longer
        return True
    try:
        json_lines([value])
    except UnicodeEncodeError:  # half a character, which the writer knows to escape
        return True
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True


def _fitting(value: Any, schema: Schema) -> Any:
    """What an expression made, as its column takes it where that loses nothing; else as it is.

    A column of texts takes any value, as its JSON. A time that names no zone counts as UTC.
    """
    if type(value) not in _DECODED:  # a float, a date, a list that holds one
        with suppress(UnicodeEncodeError):  # half a character, which the writer knows to escape
            value = jsonpath.decode(msgspec.Raw(json_lines([value])))
    types = types_of(schema)
    if "string" not in types or any(FITS[name](value, schema) for name in types):
        return value
    if "format" not in schema:
        return as_json(value)
    with_zone = [as_moment(value), f"{value}Z"] if schema["format"] == "date-time" else []
    return next((text for text in with_zone if FITS["string"](text, schema)), value)


class RecordMapping:
    """One of a stream's maps.

    Args:
        stream_map: The SDK's own.
        logger: Where each field that its SCHEMA lacks is named once.
        secrets: What never leaves the tap.
        reject: Called with the reason for each record that is left out, as it can never be loaded.
    """

    def __init__(
        self, stream_map: StreamMap, logger: logging.Logger, secrets: Secrets, reject: Callable[[str], None]
    ) -> None:
        self._map = stream_map
        self.alias: str = stream_map.stream_alias
        """Name of the stream that the records are written for."""
        self.properties: dict[str, Any] = stream_map.transformed_schema["properties"]
        """JSON schemas of the records' fields."""
        self._made = getattr(stream_map, "made", set()) & self.properties.keys()
        self._keys = [key for key in stream_map.transformed_key_properties or () if key in self.properties]
        self._secrets = secrets
        self._reject = reject
        self._logger = logger
        self._told = Told(
            logger.warning, f"{self.alias}: more fields are not in the mapped schema; they are not named here"
        )

    @cached_property
    def _conformer(self) -> Conformer:  # which a stream without maps does not need
        return Conformer(
            self._map.transformed_schema,
            unmapped=UNMAPPED if UNMAPPED in self.properties else None,
            secrets=self._secrets,
            logger=self._logger,
        )

    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the map makes it; None if it is left out.

        Fields that its SCHEMA lacks, and values that do not fit it, are kept in `_sdc_unmapped`.

        Raises:
            ApiError: An expression fails for it, or makes what JSON does not have.
        """
        try:
            mapped: dict[str, Any] | None = self._map.transform(record)
        except Exception as error:
            raise _failed(self.alias, error) from error
        if mapped is None:
            return None
        found = Found()
        for name, value in [*mapped.items()]:
            if value is record.get(name):
                continue
            if not _is_json(value):
                msg = f"stream_maps: {self.alias}: `{name}` makes a value that JSON does not have"
                raise ApiError(msg)
            if name in self._made:
                schema = self.properties[name]
                made = self._conformer.field(_fitting(value, schema), schema, (name,), found)
                mapped[name] = None if made is MISFIT else made
        for key in self._keys:
            if is_missing(mapped.get(key)):
                self._reject(f"stream_maps: {self.alias}: the map leaves a record without its key `{key}`")
                return None
        return self._kept(mapped, found.misfits, record)

    def _kept(
        self, mapped: dict[str, Any], lost: dict[str, Any], record: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The record with what its SCHEMA has no place for in `_sdc_unmapped`."""
        if not mapped.keys() <= self.properties.keys():
            others = {name: mapped.pop(name) for name in [*mapped] if name not in self.properties}
            others = {name: value for name, value in others.items() if value is not None}
            fate = f"kept in {UNMAPPED}" if UNMAPPED in self.properties else "dropped"
            for name in others:
                self._told.once(name, "%s: `%s` is not in the mapped schema; %s", self.alias, name, fate)
            lost = {**lost, **{segment(name): value for name, value in others.items()}}
        if lost and UNMAPPED in self.properties:
            is_object = "object" in types_of(self.properties[UNMAPPED])
            if UNMAPPED in self._made and not is_object:
                raise self._unkept(next(iter(lost)))
            # Flattening makes it a text, of what the record has.
            together = _together((mapped if is_object else record).get(UNMAPPED), lost)
            mapped[UNMAPPED] = together if is_object else as_json(together)
        return mapped

    def _unkept(self, place: str) -> ApiError:
        return ApiError(
            f"stream_maps: {self.alias}: `{place}` fits no column, and `{UNMAPPED}`, which would keep it, "
            f"is mapped: leave that out, or map `{place}` to null or to what fits"
        )


def _together(unmapped: Any, lost: Mapping[str, Any]) -> dict[str, Any]:
    """What `_sdc_unmapped` holds, and these fields too, none of them in the place of another."""
    together = dict(unmapped or {})
    for name, value in lost.items():
        place = name
        while place in together:
            place += "_"
        together[place] = value
    return together
