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

    def write(alias: str, made: list[Any]) -> None:
        writer.write_records(alias, made, version=stream.version, time_extracted=rows.page.time_extracted)

    if stream.unmapped_records:
        write(stream.mappings[0].alias, records)
        return len(records)
    written: set[int] = set()
    for mapping in stream.mappings:
        found = ((at, mapping.transform(dict(record))) for at, record in enumerate(records))
        made = {at: record for at, record in found if record is not None}
        write(mapping.alias, [*made.values()])
        written |= made.keys()
    return len(written)


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
