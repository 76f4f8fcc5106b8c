"""Records after stream maps and flattening, which can make fields that no SCHEMA tells of.

Flattening makes columns of an object's own fields, and its SCHEMA those of the fields that are declared; an
object that is open, or a plain value where there are objects too, ends up in columns that targets pass over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_core.records.conform import UNMAPPED, segment

if TYPE_CHECKING:
    import logging

    from singer_sdk.mapper import StreamMap

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Mapped:
    """One of a stream's maps.

    Args:
        stream_map: The SDK's own.
        logger: Where each field that its SCHEMA lacks is named once.
    """

    def __init__(self, stream_map: StreamMap, logger: logging.Logger) -> None:
        self._map = stream_map
        self.alias: str = stream_map.stream_alias
        """Name of the stream that the records are written for."""
        self._schema = stream_map.transformed_schema["properties"]
        self._logger = logger
        self._told: set[str] = set()

    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """The record as the map makes it; fields that its SCHEMA lacks are kept in `_sdc_unmapped`."""
        mapped: dict[str, Any] | None = self._map.transform(record)
        if mapped is None or mapped.keys() <= self._schema.keys():
            return mapped
        lost = {name: mapped.pop(name) for name in [*mapped] if name not in self._schema}
        lost = {name: value for name, value in lost.items() if value is not None}
        for name in lost.keys() - self._told:
            self._told.add(name)
            fate = f"kept in {UNMAPPED}" if UNMAPPED in self._schema else "dropped"
            self._logger.warning("%s: `%s` is not in the mapped schema; %s", self.alias, name, fate)
        if lost and UNMAPPED in self._schema:
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
        return together if "object" in self._schema[UNMAPPED]["type"] else _encode(together).decode()
