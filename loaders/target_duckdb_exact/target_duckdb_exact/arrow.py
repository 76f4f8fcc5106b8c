"""The Arrow files of a BATCH message: columns are taken as they are where they have the types of tables."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from target_duckdb_exact.columns import DECIMAL, LOCAL_TIME, TIME, Misfit, times
from target_duckdb_exact.fields import Kind
from target_duckdb_exact.files import encoding, failures_told, file_for_arrow, named_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

logger = logging.getLogger("target-duckdb-exact")

FORMAT = "arrow"
_JSON = "arrow.json"
_TYPES = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: DECIMAL,
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIME: TIME,
    Kind.LOCAL_TIME: LOCAL_TIME,
    Kind.TEXT: pa.string(),
}
_WRITTEN = {Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN}
"""Kinds that a column of texts holds as JSON writes them."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def is_arrow(message: Mapping[str, Any]) -> bool:
    """Whether a BATCH message is one of Arrow files."""
    return bool(encoding(message)[0] == FORMAT)


def arrow_batches(stream: str, name: str) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """The rows of a file, some at a time, and when each was extracted; null where the file does not tell.

    The taps of this project tell it in the file's metadata: `time_extracted`, a JSON list of times, each with
    the number of rows that it is of.

    Raises:
        LoadError: The file can't be read.
    """
    with (
        failures_told(stream, name, "Arrow"),
        file_for_arrow(name) as source,
        pa.ipc.open_file(source) as reader,
    ):
        extracted, at = _extracted(reader.schema), 0
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            part = extracted.slice(at, len(batch))
            yield batch, part if len(part) == len(batch) else pa.nulls(len(batch), TIME)
            at += len(batch)


def _extracted(schema: pa.Schema) -> pa.Array:
    told = (schema.metadata or {}).get(b"time_extracted", b"[]")
    try:
        runs = msgspec.json.decode(told, type=list[tuple[str, int]])
        return times([time for time, rows in runs for _ in range(rows)])
    except (msgspec.MsgspecError, Misfit):
        raise pa.ArrowInvalid("time_extracted") from None


def own_type(kind: Kind, array: pa.Array) -> pa.Array | None:
    """A column as one of the type that fields of its kind have; None if its values are to be looked at."""
    if is_json(array):
        texts = _storage(array).cast(pa.string())
        escaped = pc.any(pc.match_substring(texts, "\\u")).as_py()  # it may be half a character
        is_taken = kind is Kind.JSON and not escaped
        return pc.if_else(pc.equal(texts, "null"), None, texts) if is_taken else None
    if array.type == _TYPES.get(kind):
        return array
    if pa.types.is_null(array.type):
        return array.cast(_TYPES.get(kind, pa.string()))
    if kind in {Kind.TIME, Kind.LOCAL_TIME} and pa.types.is_timestamp(array.type):
        return pc.floor_temporal(array, unit="microsecond").cast(_TYPES[kind])
    return None


def json_values(kind: Kind, array: pa.Array) -> Iterator[bytes]:
    """The JSON of each value of a column."""
    written = is_json(array) or kind in _WRITTEN
    for value in _storage(array).to_pylist():
        yield value.encode() if written and isinstance(value, str) else _encode(value)


def is_json(array: pa.Array) -> bool:
    """Whether the texts of a column are said to be JSON."""
    return isinstance(array.type, pa.BaseExtensionType) and array.type.extension_name == _JSON


def _storage(array: pa.Array) -> pa.Array:
    return array.storage if isinstance(array.type, pa.BaseExtensionType) else array


def remove(name: str) -> None:
    """Remove a file whose rows are in the database; if that can't be done, say so."""
    try:
        named_file(name).unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s is loaded and can't be removed (%s)", name, error.strerror or error)
