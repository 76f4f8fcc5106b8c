"""The files of a BATCH message: JSON lines, packed or not, and Parquet."""

from __future__ import annotations

import contextlib
import gzip
from typing import TYPE_CHECKING, Any

import msgspec

from target_duckdb_exact.arrow import is_json
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.files import named_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

_AT_ONCE = 10_000


def batch_lines(message: Mapping[str, Any]) -> Iterator[list[bytes]]:
    """The records of a BATCH message's files as lines of JSON, some at a time.

    Raises:
        LoadError: A file can't be read, or is of an unknown format.
    """
    encoding = message.get("encoding") or {}
    form, compression = encoding.get("format"), encoding.get("compression")
    packed, parquet = compression == "gzip", form == "parquet"
    if form not in {"jsonl", "parquet"} or compression not in {None, "none", *(["gzip"] * (not parquet))}:
        raise LoadError(f"{message.get('stream')}: a BATCH of format {form}, {compression} can't be read")
    try:
        for name in message.get("manifest") or ():
            yield from _parquet(name) if parquet else _lines(name, packed=packed)
    except OSError as error:
        reason = error.strerror or error
        raise LoadError(f"{message.get('stream')}: a file of its BATCH can't be read ({reason})") from None


def _lines(name: str, *, packed: bool) -> Iterator[list[bytes]]:
    with contextlib.ExitStack() as opened:
        file = opened.enter_context(named_file(name).open("rb"))
        lines: list[bytes] = []
        for line in opened.enter_context(gzip.open(file)) if packed else file:
            if line.strip():
                lines.append(line.rstrip(b"\n"))
            if len(lines) == _AT_ONCE:
                yield lines
                lines = []
        if lines:
            yield lines


def _parquet(name: str) -> Iterator[list[bytes]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only who needs it waits for it

    encoder = msgspec.json.Encoder(decimal_format="number")
    with named_file(name).open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches(_AT_ONCE):
            columns = map(_values, batch.columns)
            names = batch.schema.names
            yield [encoder.encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """The values of a column; those that are said to be JSON are not the texts that they are written as."""
    values: list[Any] = column.to_pylist()
    return [value and msgspec.Raw(value.encode()) for value in values] if is_json(column) else values
