"""The files of a BATCH message: JSON lines, packed or not, and Parquet."""

from __future__ import annotations

import codecs
import contextlib
import gzip
from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb_exact.arrow import is_json
from target_duckdb_exact.decoder import Lines, Place
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.files import (
    encoding,
    failures_told,
    file_for_arrow,
    manifest,
    named_file,
    short_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

_AT_ONCE = 10_000
_READ = (("jsonl", "none"), ("jsonl", "gzip"), ("parquet", "none"))
"""Format and compression of the files that can be read."""


def batch_lines(message: Mapping[str, Any]) -> Iterator[Lines]:
    """The records of a BATCH message's files as lines of JSON, some at a time.

    Raises:
        LoadError: A file can't be read, or is of an unknown format.
    """
    stream, (form, compression) = str(message.get("stream")), encoding(message)
    if (form, compression or "none") not in _READ:
        raise LoadError(f"{stream}: a BATCH of format {form}, {compression} can't be read")
    for name in manifest(message):
        with failures_told(stream, name, "gzip" if compression == "gzip" else form):
            if form == "parquet":
                yield from _parquet(name, Place(stream, 1, short_name(name), "row"))
            else:
                yield from _lines(name, Place(stream, 1, short_name(name)), packed=compression == "gzip")


def _lines(name: str, place: Place, *, packed: bool) -> Iterator[Lines]:
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(named_file(name).open("rb"))
        lines: list[bytes] = []
        for number, line in enumerate(opened.enter_context(gzip.open(file)) if packed else file):
            text = (line if number else line.removeprefix(codecs.BOM_UTF8)).strip()
            if lines and (not text or len(lines) == _AT_ONCE):
                yield Lines(lines, place.after(number - len(lines)))
                lines = []
            if text:
                lines.append(text)
        if lines:
            yield Lines(lines, place.after(number + 1 - len(lines)))


def _parquet(name: str, place: Place) -> Iterator[Lines]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only who needs it waits for it

    encoder = msgspec.json.Encoder(decimal_format="number")
    with file_for_arrow(name) as file:
        at = 0
        for batch in pq.ParquetFile(file).iter_batches(_AT_ONCE):
            columns = map(_values, batch.columns)
            names = batch.schema.names
            rows = [encoder.encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
            yield Lines(rows, place.after(at))
            at += len(rows)


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; those that are said to be JSON are not the texts that they are written as."""
    values: list[Any] = column.to_pylist()
    return [value and msgspec.Raw(value.encode()) for value in values] if is_json(column) else values
