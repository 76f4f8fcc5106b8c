"""Brings rows into a stream's table: new ones are added, changed ones rewritten, equal ones left untouched.

No constraint keeps keys unique. What does is that rows come in here only, of each key one at a time, and that
the file has one writer. Rows are found by their keys, and never by DuckDB's `rowid`: a column can be called
so, and would be taken for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from target_duckdb_exact.duckdb_types import DOUBLE
from target_duckdb_exact.queries import TEMP, count, create_temp_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import duckdb

    from target_duckdb_exact.buffer import Batch
    from target_duckdb_exact.tables import Layout
    from target_duckdb_exact.versions import Versions


class Merge:
    """Merges batches into one table, in a connection's transaction."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, layout: Layout, versions: Versions, now: datetime
    ) -> None:
        self._connection = connection
        self._layout = layout
        self._versions = versions
        self._now = now
        self._names = [column.name for column in layout.columns]
        self._keys = [key.name for key in layout.keys]
        self._same = " AND ".join(f"s.{key} = t.{key}" for key in self._keys)

    def load(self, batch: Batch) -> None:
        """Bring in the rows of a batch."""
        version = self._versions.begin(batch.version)
        self._connection.register("batch", batch.table)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW source AS SELECT {self._casts(batch)} FROM {TEMP}.batch"
        )
        if not self._keys:
            self._insert(f"{TEMP}.source")
            return
        for rows, number in self._rounds(len(batch.table)):
            self._merge(rows, number, version)

    def _casts(self, batch: Batch) -> str:
        """The rows with the names and types of the table's columns; `_sdc_row` is the order they came in."""
        casts = []
        for number, column in enumerate(self._layout.columns):
            value = f"c{number}"
            if column.type == DOUBLE and pa.types.is_decimal(batch.table.schema.field(number).type):
                value = f"CAST({value} AS VARCHAR)"
            casts.append(f"CAST({value} AS {column.type}) AS {column.name}")
        metadata = ("extracted AS _sdc_extracted_at", "version AS _sdc_table_version", "n AS _sdc_row")
        return ", ".join([*casts, *metadata])

    def _rounds(self, rows: int) -> Iterator[tuple[str, int]]:
        """SQL for rows of which no two have a key: the last of each, or with a history one after another.

        With each, the number of its rows.
        """
        keys = ", ".join(self._keys)
        if count(self._connection, f"(SELECT DISTINCT {keys} FROM {TEMP}.source)") == rows:
            yield f"{TEMP}.source", rows
            return
        order = "" if self._layout.history else " DESC"
        create_temp_table(
            self._connection,
            "rounds",
            "SELECT _sdc_row, "
            f"row_number() OVER (PARTITION BY {keys} ORDER BY _sdc_row{order}) AS round FROM {TEMP}.source",
        )
        numbers = self._connection.execute(
            f"SELECT round, count(*) FROM {TEMP}.rounds GROUP BY round ORDER BY round"
        ).fetchall()
        for round_, number in numbers if self._layout.history else numbers[:1]:
            same = f"SELECT _sdc_row FROM {TEMP}.rounds WHERE round = {round_}"
            yield f"(SELECT * FROM {TEMP}.source WHERE _sdc_row IN ({same}))", number

    def _merge(self, rows: str, number: int, version: int | None) -> None:
        pairs = f"{rows} s JOIN {self._layout.table} t ON {self._same}"
        differ = " OR ".join(f"s.{name} IS DISTINCT FROM t.{name}" for name in self._names)
        present = create_temp_table(
            self._connection,
            "present",
            f"SELECT s._sdc_row, t._sdc_deleted_at IS NOT NULL OR {differ} AS changed FROM {pairs}",
        )
        if version is not None and present:
            keys = ", ".join(f"t.{key}" for key in self._keys)
            equal = f"SELECT _sdc_row FROM {TEMP}.present WHERE NOT changed"
            self._versions.note(
                version,
                f"SELECT {keys}, t._sdc_table_version FROM {pairs} "
                f"WHERE s._sdc_table_version = {version} AND s._sdc_row IN ({equal})",
            )
        changed = f"(SELECT _sdc_row FROM {TEMP}.present WHERE changed)"
        if count(self._connection, changed):
            self._update(f"(SELECT * FROM {rows} WHERE _sdc_row IN {changed})")
        if present < number:
            new = f"(SELECT * FROM {rows} WHERE _sdc_row NOT IN (SELECT _sdc_row FROM {TEMP}.present))"
            self._insert(new if present else rows)

    def _update(self, changed: str) -> None:
        """Rewrite the rows that changed."""
        if self._layout.history:
            same = " AND ".join(f"h.{key} = s.{key}" for key in self._keys)
            self._connection.execute(
                f"UPDATE {self._layout.history} h SET _sdc_is_current = false, "
                f"_sdc_valid_to = coalesce(s._sdc_extracted_at, $now) FROM {changed} s "
                f"WHERE h._sdc_is_current AND {same}",
                {"now": self._now},
            )
            self._keep(changed)
        values = ", ".join(f"{name} = s.{name}" for name in self._names)
        self._connection.execute(
            f"UPDATE {self._layout.table} t SET {values}, _sdc_extracted_at = s._sdc_extracted_at, "
            "_sdc_batched_at = $now, _sdc_deleted_at = NULL, "
            "_sdc_table_version = greatest(s._sdc_table_version, t._sdc_table_version) "
            f"FROM {changed} s WHERE {self._same}",
            {"now": self._now},
        )

    def _insert(self, rows: str) -> None:
        """Add rows that are not there."""
        if self._layout.history:
            self._keep(rows)
        names = ", ".join(self._names)
        self._connection.execute(
            f"INSERT INTO {self._layout.table} "
            f"({names}, _sdc_extracted_at, _sdc_batched_at, _sdc_table_version) "
            f"SELECT {names}, _sdc_extracted_at, $now, _sdc_table_version FROM {rows}",
            {"now": self._now},
        )

    def _keep(self, rows: str) -> None:
        """Add rows to the history as they are from now on."""
        names = ", ".join(self._names)
        self._connection.execute(
            f"INSERT INTO {self._layout.history} ({names}, _sdc_valid_from, _sdc_is_current) "
            f"SELECT {names}, coalesce(_sdc_extracted_at, $now), true FROM {rows}",
            {"now": self._now},
        )
