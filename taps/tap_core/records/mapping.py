"""Records after stream maps and flattening, which can make fields that no SCHEMA tells of.

Flattening makes columns of an object's own fields, and its SCHEMA those of the fields that are declared; an
object that is open, or a plain value where there are objects too, ends up in columns that targets pass over.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

import msgspec

from tap_core.errors import ApiError
from tap_core.records.conform import UNMAPPED, segment
from tap_core.records.encoding import json_lines

if TYPE_CHECKING:
    import logging

    from singer_sdk.mapper import StreamMap

_encode = msgspec.json.Encoder(decimal_format="number").encode


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
        f"stream_maps: {alias}: an expression fails for a record ({kind}{name}): let it allow for "
        "fields that are null or missing"
    )


_PLAIN = frozenset({str, bool, float, NoneType})


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


class RecordMapping:
    """One of a stream's maps.

    Args:
        stream_map: The SDK's own.
        logger: Where each field that its SCHEMA lacks is named once.
    """

    def __init__(self, stream_map: StreamMap, logger: logging.Logger) -> None:
        self._map = stream_map
        self.alias: str = stream_map.stream_alias
        """Name of the stream that the records are written for."""
        self.properties: dict[str, Any] = stream_map.transformed_schema["properties"]
        """JSON schemas of the records' fields."""
        self._logger = logger
        self._told: set[str] = set()

    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the map makes it; fields that its SCHEMA lacks are kept in `_sdc_unmapped`.

        Raises:
            ApiError: An expression fails for it, or makes what JSON does not have.
        """
        try:
            mapped: dict[str, Any] | None = self._map.transform(record)
        except Exception as error:
            raise _failed(self.alias, error) from error
        for name, value in (mapped or {}).items():
            if value is not record.get(name) and not _is_json(value):
                msg = f"stream_maps: {self.alias}: `{name}` makes a value that JSON does not have"
                raise ApiError(msg)
        if mapped is None or mapped.keys() <= self.properties.keys():
            return mapped
        lost = {name: mapped.pop(name) for name in [*mapped] if name not in self.properties}
        lost = {name: value for name, value in lost.items() if value is not None}
        for name in lost.keys() - self._told:
            self._told.add(name)
            fate = f"kept in {UNMAPPED}" if UNMAPPED in self.properties else "dropped"
            self._logger.warning("%s: `%s` is not in the mapped schema; %s", self.alias, name, fate)
        if lost and UNMAPPED in self.properties:
            mapped[UNMAPPED] = self._with(mapped.get(UNMAPPED), lost)
        return mapped

    def _with(self, unmapped: Any, lost: dict[str, Any]) -> Any:
        """The column with these fields too; flattening makes it a text."""
        if isinstance(unmapped, str):
            unmapped = msgspec.json.decode(unmapped, type=dict[str, msgspec.Raw])
        together = dict(unmapped or {})
        for name, value in lost.items():
            place = segment(name)
            while place in together:
                place += "_"
            together[place] = value
        return together if "object" in self.properties[UNMAPPED]["type"] else _encode(together).decode()
