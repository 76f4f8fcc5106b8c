"""Brings rows into a stream's table: new ones are added, changed ones rewritten, equal ones left untouched.

No constraint keeps keys unique. What does is that rows come in here only, of each key one at a time, and that
the file has one writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from target_duckdb_exact.duckdb_types import DOUBLE
from target_duckdb_exact.queries import count, create_temp_table

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

    def load(self, batch: Batch) -> None:
        """Bring in the rows of a batch."""
        version = self._versions.begin(batch.version)
        self._connection.register("batch", batch.table)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW source AS SELECT {self._casts(batch)} FROM temp.batch"
        )
        if not self._keys:
            self._insert("temp.source")
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
        if count(self._connection, f"(SELECT DISTINCT {keys} FROM temp.source)") == rows:
            yield "temp.source", rows
            return
        order = "" if self._layout.history else " DESC"
        create_temp_table(
            self._connection,
            "rounds",
            "SELECT _sdc_row, "
            f"row_number() OVER (PARTITION BY {keys} ORDER BY _sdc_row{order}) AS round FROM temp.source",
        )
        numbers = self._connection.execute(
            "SELECT round, count(*) FROM temp.rounds GROUP BY round ORDER BY round"
        ).fetchall()
        for round_, number in numbers if self._layout.history else numbers[:1]:
            same = f"SELECT _sdc_row FROM temp.rounds WHERE round = {round_}"
            yield f"(SELECT * FROM temp.source WHERE _sdc_row IN ({same}))", number

    def _merge(self, rows: str, number: int, version: int | None) -> None:
        table = self._layout.table
        same = " AND ".join(f"s.{key} = t.{key}" for key in self._keys)
        pairs = f"SELECT s._sdc_row, t.rowid AS r FROM {rows} s JOIN {table} t ON {same}"
        present = create_temp_table(self._connection, "present", pairs)
        if present:
            self._rewrite(rows, version)
        if present < number:
            new = f"(SELECT * FROM {rows} WHERE _sdc_row NOT IN (SELECT _sdc_row FROM temp.present))"
            self._insert(new if present else rows)

    def _rewrite(self, rows: str, version: int | None) -> None:
        """Rewrite the rows that are there and differ; the others are noted as seen."""
        differ = " OR ".join(f"s.{name} IS DISTINCT FROM t.{name}" for name in self._names)
        pairs = (
            f"temp.present p JOIN {rows} s ON s._sdc_row = p._sdc_row "
            f"JOIN {self._layout.table} t ON t.rowid = p.r"
        )
        changed = create_temp_table(
            self._connection,
            "changed",
            f"SELECT p._sdc_row, p.r FROM {pairs} WHERE t._sdc_deleted_at IS NOT NULL OR {differ}",
        )
        if version is not None:
            keys = ", ".join(f"t.{key}" for key in self._keys)
            self._versions.note(
                version,
                f"SELECT {keys}, t._sdc_table_version FROM {pairs} WHERE s._sdc_table_version = "
                f"{version} AND p._sdc_row NOT IN (SELECT _sdc_row FROM temp.changed)",
            )
        if changed:
            self._update(rows)

    def _update(self, rows: str) -> None:
        """Rewrite the rows that changed."""
        changed = f"(SELECT s.*, c.r FROM temp.changed c JOIN {rows} s ON s._sdc_row = c._sdc_row)"
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
            f"FROM {changed} s WHERE t.rowid = s.r",
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
