"""Arrow files in place of RECORD messages: each page's rows at once as columns, some pages to a file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
from singer_sdk.helpers._batch import BatchConfig, SDKBatchMessage

from tap_core.batches import unwritable
from tap_core.records.arrow import ArrowTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

MOST_BYTES = 1 << 25
"""Bytes of columns that wait for their file, of all streams together."""

_ODD = re.compile(r"[^\w.-]")


@dataclass
class _Waiting:
    """The rows of a stream that wait for their file: all of one version, in columns of the same types."""

    version: int | None
    batches: list[pa.RecordBatch] = field(default_factory=list)
    times: list[tuple[str, int]] = field(default_factory=list)
    """When rows were read, and how many."""
    rows: int = 0
    size: int = 0

    def add(self, batch: pa.RecordBatch, time_extracted: str) -> None:
        self.batches.append(batch)
        self.times.append((time_extracted, len(batch)))
        self.rows += len(batch)
        self.size += batch.nbytes


class ArrowFiles:
    """Collects the rows of all streams, and writes them into files.

    Args:
        config: The setting `batch_config`.
        tap: The tap's name, which the files' names begin with.
    """

    def __init__(self, config: Mapping[str, Any], tap: str) -> None:
        batches = BatchConfig.from_dict(dict(config))
        self._encoding, self._storage = batches.encoding, batches.storage
        self._most_rows = batches.batch_size
        self._names = f"{batches.storage.prefix or ''}{tap}--{{stream}}-{uuid4()}={{number}}.arrow"
        self._files = 0
        self._tables: dict[str, ArrowTable] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._since = self._last = 0

    def describe(self, stream: str, schema: Mapping[str, Any]) -> None:
        """Take the columns of a stream's files from its SCHEMA."""
        self._tables[stream] = ArrowTable(stream, schema)

    @property
    def is_due(self) -> bool:
        """Whether a file's rows have come since all were written, or would with one more page.

        STATE, before which all are written, makes no files then that are smaller than they might be.
        """
        return self._since + self._last > self._most_rows

    def add(
        self, stream: str, records: Sequence[Any], version: int | None, time_extracted: datetime
    ) -> Iterator[SDKBatchMessage]:
        """Take rows; yields the messages of files that are written by that.

        Raises:
            ApiError: A value that no Arrow file can hold.
            Hopeless: A file can't be written. Its rows go on waiting.
        """
        self._last = len(records)
        self._since += self._last
        for start in range(0, len(records), self._most_rows):
            batch = self._tables[stream].batch(records[start : start + self._most_rows])
            waiting = self._waiting.get(stream)
            if waiting and not self._fits(waiting, version, batch):
                yield self._written(stream)
            self._waiting.setdefault(stream, _Waiting(version)).add(batch, time_extracted.isoformat())
        if sum(waiting.size for waiting in self._waiting.values()) >= MOST_BYTES:
            yield from self.all()

    def _fits(self, waiting: _Waiting, version: int | None, batch: pa.RecordBatch) -> bool:
        """Whether rows can go into the file of those that wait."""
        is_full = waiting.rows + len(batch) > self._most_rows
        return not is_full and version == waiting.version and batch.schema == waiting.batches[0].schema

    def all(self) -> Iterator[SDKBatchMessage]:
        """Write all rows that wait; yields the messages of their files.

        Raises:
            Hopeless: A file can't be written. Its rows go on waiting.
        """
        for stream in [*self._waiting]:
            yield self._written(stream)
        self._since = 0

    def _written(self, stream: str) -> SDKBatchMessage:
        waiting = self._waiting[stream]
        table = pa.Table.from_batches(waiting.batches).combine_chunks()
        table = table.replace_schema_metadata({"time_extracted": json.dumps(waiting.times)})
        self._files += 1
        name = self._names.format(stream=_ODD.sub("_", stream), number=self._files)
        try:
            with self._storage.open(name, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)
        except OSError as error:
            raise unwritable(self._storage, error) from None
        del self._waiting[stream]
        manifest = [self._storage.get_url(name)]
        return SDKBatchMessage(stream, self._encoding, manifest, waiting.version)
