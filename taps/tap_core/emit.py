"""From the rows of a page to messages: decoded, filtered, mapped, written, some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

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
        written = _write(reading.stream, wanted, rows, writer)
        reading.written(wanted, context, rows=written)


def _decoded(reading: Reading, rows: PageRows, context: Context | None) -> Iterator[list[Any]]:
    if rows.decoded is not None:
        yield rows.decoded
        return
    for start in range(0, len(rows.raws), _SLICE):
        yield reading.stream.decode(rows.raws[start : start + _SLICE], context)


def _write(stream: ApiStream, records: list[Any], rows: PageRows, writer: MessageWriter) -> int:
    """Write records as the stream's maps make them; how many of them some map has not left out."""
    was_written = [False] * len(records)
    for mapping in stream.mappings:
        mapped = (
            records if stream.unmapped_records else [mapping.transform(dict(record)) for record in records]
        )
        was_written = [before or made is not None for before, made in zip(was_written, mapped, strict=True)]
        writer.write_records(
            mapping.alias,
            [record for record in mapped if record is not None],
            version=stream.version,
            time_extracted=rows.page.time_extracted,
        )
    return sum(was_written)


def mapped(stream: ApiStream, records: list[dict[str, Any]]) -> Generator[dict[str, Any], None, int]:
    """The records as the stream's maps make them; returns how many that are."""
    if stream.unmapped_records:
        yield from records
        return len(records)
    count = 0
    for mapping in stream.mappings:
        for made in map(mapping.transform, records):
            if made is not None:
                count += 1
                yield made
    return count
