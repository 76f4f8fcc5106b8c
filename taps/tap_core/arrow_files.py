"""Arrow files in place of RECORD messages: the rows of some pages become columns, some of these a file."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
from singer_sdk.helpers._batch import BatchConfig, SDKBatchMessage

from tap_core.batches import Storage
from tap_core.records.arrow import ArrowTable
from tap_core.records.encoding import json_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

MOST_BYTES = 1 << 25
"""Bytes of the rows that wait for their files, of all streams together: estimated by the JSON of some."""

_AT_ONCE = 1000
"""Rows of a stream that are made columns together: those of a short page alone would cost much more."""
_SOME = 8

_ODD = re.compile(r"[^\w.-]")

_Times = list[tuple[str, int]]
"""When rows were read, and how many."""


@dataclass
class _Waiting:
    """The rows of a stream that wait for their file."""

    version: int | None
    records: list[Any] = field(default_factory=list)
    """Those that are no columns yet."""
    times: _Times = field(default_factory=list)
    batches: list[tuple[pa.RecordBatch, _Times]] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, records: Sequence[Any], time_extracted: str) -> None:
        some = records[:: 1 + len(records) // _SOME]
        with suppress(UnicodeEncodeError):  # which will be told when they become columns
            self.size += len(json_lines(some)) * len(records) // len(some)
        self.records += records
        self.times.append((time_extracted, len(records)))
        self.rows += len(records)

    def make_columns(self, table: ArrowTable) -> None:
        if self.records:
            self.batches.append((table.batch(self.records), self.times))
            self.records, self.times = [], []


class ArrowFiles:
    """Collects the rows of all streams, and writes them into files.

    Args:
        config: The setting `batch_config`.
        tap: The tap's name, which the files' names begin with.
    """

    def __init__(self, config: Mapping[str, Any], tap: str) -> None:
        batches = BatchConfig.from_dict(dict(config))
        self._encoding, self._storage = batches.encoding, Storage(**batches.storage.asdict())
        self._most_rows = batches.batch_size
        self._begin, self._run = f"{batches.storage.prefix or ''}{tap}", uuid4()
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
            Hopeless: A file can't be written, or hold a value. Its rows go on waiting.
        """
        self._last = len(records)
        self._since += self._last
        for start in range(0, len(records), self._most_rows):
            part = records[start : start + self._most_rows]
            waiting = self._waiting.get(stream)
            if waiting and (version != waiting.version or waiting.rows + len(part) > self._most_rows):
                yield from self._write_file(stream)
            waiting = self._waiting.setdefault(stream, _Waiting(version))
            waiting.add(part, time_extracted.isoformat())
            if len(waiting.records) >= _AT_ONCE:
                waiting.make_columns(self._tables[stream])
        if sum(waiting.size for waiting in self._waiting.values()) >= MOST_BYTES:
            yield from self.all()

    def all(self) -> Iterator[SDKBatchMessage]:
        """Write all rows that wait; yields the messages of their files.

        Raises:
            Hopeless: A file can't be written, or hold a value. Its rows go on waiting.
        """
        for stream in [*self._waiting]:
            yield from self._write_file(stream)
        self._since = 0

    def _write_file(self, stream: str) -> Iterator[SDKBatchMessage]:
        """Write a stream's rows into a file: into some, where a column changed its type between them."""
        waiting = self._waiting[stream]
        waiting.make_columns(self._tables[stream])
        for schema, parts in groupby(waiting.batches, key=lambda part: part[0].schema):
            batches, times = zip(*parts, strict=True)
            told = {"time_extracted": json.dumps([*chain(*times)])}
            table = pa.Table.from_batches(batches, schema).combine_chunks().replace_schema_metadata(told)
            yield SDKBatchMessage(stream, self._encoding, [self._file(stream, table)], waiting.version)
        del self._waiting[stream]

    def _file(self, stream: str, table: pa.Table) -> str:
        """Write a file; gives its URL."""
        self._files += 1
        name = f"{self._begin}--{_ODD.sub('_', stream)}-{self._run}={self._files}.arrow"
        with self._storage.open(name, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        return self._storage.get_url(name)
