"""From the rows of a page to messages: decoded, filtered, mapped, written, some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context

    from tap_core.plan import PageRows
    from tap_core.reading import Reading
    from tap_core.records.writer import MessageWriter
    from tap_core.stream import ApiStream

_SLICE = 1000
"""Records decoded and written at once, so that a huge page is never decoded as a whole."""


def write_rows(reading: Reading, rows: PageRows, context: Context | None, writer: MessageWriter) -> None:
    """Write the records of a page that are wanted, and take note of how far that is."""
    for records in _decoded(reading, rows, context):
        wanted = reading.wanted(records, context, late=rows.is_late)
        _write(reading, wanted, rows, writer)
        reading.written(wanted, context)


def _decoded(reading: Reading, rows: PageRows, context: Context | None) -> Iterator[list[Any]]:
    if rows.decoded is not None:
        yield rows.decoded
        return
    for start in range(0, len(rows.raws), _SLICE):
        yield reading.stream.decode(rows.raws[start : start + _SLICE], context)


def _write(reading: Reading, records: list[Any], rows: PageRows, writer: MessageWriter) -> None:
    stream = reading.stream
    for mapping in stream.mappings:
        mapped = (
            records if stream.unmapped_records else [mapping.transform(dict(record)) for record in records]
        )
        writer.write_records(
            mapping.alias,
            [record for record in mapped if record is not None],
            version=stream.version,
            time_extracted=rows.page.time_extracted,
        )


def mapped(stream: ApiStream, records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records as the stream's maps make them."""
    if stream.unmapped_records:
        yield from records
        return
    for mapping in stream.mappings:
        yield from (made for made in map(mapping.transform, records) if made is not None)
