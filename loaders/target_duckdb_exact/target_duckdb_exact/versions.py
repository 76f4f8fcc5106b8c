"""Deletes: which keys a version of a stream has seen, and what becomes of the rows that a whole one has not.

A row that a version changed carries it in `_sdc_table_version`. A row that came again as it was stays
untouched, so that its key is noted beside the table, until the version is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_duckdb_exact.duckdb_types import INTEGERS
from target_duckdb_exact.ledger import seen_keys_table
from target_duckdb_exact.names import literal
from target_duckdb_exact.queries import create_temp_table

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from target_duckdb_exact.ledger import Ledger
    from target_duckdb_exact.tables import Layout


class Versions:
    """The versions of one stream's table, in a connection's transaction."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, ledger: Ledger, layout: Layout, account: str | None
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._layout = layout
        self._account = account or ""

    def begin(self, version: int | None) -> int | None:
        """Take note of a version that rows come with.

        The result is the version whose seen keys are to be kept: none, if the rows have none, or one that is
        whole already, or an older one than was seen before.
        """
        if version is None:
            return None
        newest, complete = self._ledger.version(self._layout.known, self._account) or (-1, True)
        if version < newest or (version == newest and complete):
            return None
        if version > newest:
            self._forget_seen()
            self._ledger.set_version(self._layout.known, self._account, version, complete=False)
        return version

    def note(self, version: int, rows: str) -> None:
        """Note keys as seen; `rows` is SQL for a query of their rows, as they are in the table."""
        self._connection.execute(
            f"INSERT INTO {seen_keys_table(self._layout.known)} "
            f"SELECT {literal(self._account)}, {version}, {self._key('r')} FROM ({rows}) r WHERE "
            f"r._sdc_table_version IS DISTINCT FROM {version} AND NOT {self._is_seen('r', version)}"
        )

    def activate(self, version: int, now: datetime, *, hard_delete: bool) -> int:
        """Mark or remove the rows that a whole version has not seen; the result is their number."""
        newest, complete = self._ledger.version(self._layout.known, self._account) or (-1, True)
        if version < newest or (version == newest and complete):
            return 0
        unseen = (
            self._unseen(version) if hard_delete else f"_sdc_deleted_at IS NULL AND {self._unseen(version)}"
        )
        gone = create_temp_table(
            self._connection, "gone", f"SELECT rowid AS r FROM {self._layout.table} t WHERE {unseen}"
        )
        if self._layout.history:
            same = " AND ".join(f"h.{key.name} = t.{key.name}" for key in self._layout.keys)
            self._connection.execute(
                f"UPDATE {self._layout.history} h SET _sdc_valid_to = ?, _sdc_is_current = false "
                f"FROM (SELECT t.* FROM {self._layout.table} t JOIN temp.gone ON t.rowid = gone.r) t "
                f"WHERE h._sdc_is_current AND {same}",
                [now],
            )
        self._connection.execute(
            f"DELETE FROM {self._layout.table} t USING temp.gone WHERE t.rowid = gone.r"
            if hard_delete
            else f"UPDATE {self._layout.table} t SET _sdc_deleted_at = $now, _sdc_batched_at = $now "
            "FROM temp.gone WHERE t.rowid = gone.r",
            {} if hard_delete else {"now": now},
        )
        self._forget_seen()
        self._ledger.set_version(self._layout.known, self._account, version, complete=True)
        return gone

    def _unseen(self, version: int) -> str:
        conditions = [f"(t._sdc_table_version IS NULL OR t._sdc_table_version < {version})"]
        if self._layout.account:
            conditions.append(f"t.{self._layout.account.name} = {literal(self._account)}")
        if self._layout.keys:
            conditions.append(f"NOT {self._is_seen('t', version)}")
        return " AND ".join(conditions)

    def _is_seen(self, row: str, version: int) -> str:
        return (
            f"EXISTS (SELECT 1 FROM {seen_keys_table(self._layout.known)} s "
            f"WHERE s.account = {literal(self._account)} AND s.version = {version} "
            f"AND s.key = {self._key(row)})"
        )

    def _key(self, row: str) -> str:
        """A row's key as a number: itself if it is one, else 64 bits of a digest: texts would fill the file.

        Two keys have the same digest once in 10^19 pairs; a row that is gone would then not be noticed.
        """
        keys = self._layout.keys
        if len(keys) == 1 and keys[0].type in INTEGERS:
            return f"CAST({row}.{keys[0].name} AS HUGEINT)"
        texts = ", ".join(f"CAST({row}.{key.name} AS VARCHAR)" for key in keys)
        return f"CAST(md5_number_lower(concat_ws(chr(31), {texts})) AS HUGEINT)"

    def _forget_seen(self) -> None:
        self._connection.execute(
            f"DELETE FROM {seen_keys_table(self._layout.known)} WHERE account = {literal(self._account)}"
        )
