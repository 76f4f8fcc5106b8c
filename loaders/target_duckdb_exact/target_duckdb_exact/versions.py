"""Deletes: which keys a version of a stream has seen, and what becomes of the rows that a whole one has not.

A row that a version changed carries it in `_sdc_table_version`. A row that came again as it was stays
untouched, so that its key is noted beside the table, until the version is whole.

Versions are times: an older one than was seen before is of a read that came late, and says nothing of what
was read since. Unless the newer one is of a clock that was wrong: then the table's versions begin anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_duckdb_exact.duckdb_types import INTEGERS
from target_duckdb_exact.names import literal
from target_duckdb_exact.queries import first_row

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from target_duckdb_exact.fields import Schema
    from target_duckdb_exact.ledger import Ledger
    from target_duckdb_exact.tables import Layout

logger = logging.getLogger("target-duckdb-exact")

_MOST_SECONDS = 100_000_000_000
"""Versions up to here count seconds, as the taps' here do; beyond it milliseconds, as those of other taps."""
_AHEAD = 3_600
"""Seconds by which clocks of two machines may differ."""


class Versions:
    """The versions of one stream's table, in a connection's transaction."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        ledger: Ledger,
        layout: Layout,
        schema: Schema,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._layout = layout
        self._stream = schema.stream
        self._account = schema.account or ""
        self._now = now
        self._seen = ledger.seen_keys(layout.known)

    def begin(self, version: int | None) -> int | None:
        """Take note of a version that rows come with.

        The result is the version whose seen keys are to be kept: none, if the rows have none, or one that is
        whole already, or an older one than was seen before.
        """
        if version is None:
            return None
        newest, complete = self._newest(version)
        if version < newest or (version == newest and complete):
            return None
        if version > newest:
            self._forget_seen()
            self._ledger.set_version(self._layout.known, self._account, version, complete=False)
        return version

    def note(self, version: int, rows: str) -> None:
        """Note keys as seen; `rows` is SQL for a query of their rows, as they are in the table."""
        self._connection.execute(
            f"INSERT INTO {self._seen} "
            f"SELECT {literal(self._account)}, {version}, {self._key('r')} FROM ({rows}) r WHERE "
            f"r._sdc_table_version IS DISTINCT FROM {version} AND NOT {self._is_seen('r', version)}"
        )

    def activate(self, version: int, *, hard_delete: bool) -> int:
        """Mark or remove the rows that a whole version has not seen; the result is their number."""
        newest, complete = self._newest(version)
        if version == newest and complete:
            return 0
        if version < newest:
            logger.warning(
                "%s: version %d is whole and marks no row as gone, as rows of the newer version %d are here: "
                "a read that came late, or a clock that was ahead; read the stream whole again later",
                *(self._stream, version, newest),
            )
            return 0
        unseen = self._unseen(version)
        if not hard_delete:
            unseen = f"t._sdc_deleted_at IS NULL AND {unseen}"
        if self._layout.history:
            same = " AND ".join(f"h.{key.name} = t.{key.name}" for key in self._layout.keys)
            self._connection.execute(
                f"UPDATE {self._layout.history} h SET _sdc_valid_to = $now, _sdc_is_current = false "
                f"FROM (SELECT * FROM {self._layout.table} t WHERE {unseen}) t "
                f"WHERE h._sdc_is_current AND {same}",
                {"now": self._now},
            )
        gone = first_row(
            self._connection,
            f"DELETE FROM {self._layout.table} t WHERE {unseen}"
            if hard_delete
            else f"UPDATE {self._layout.table} t SET _sdc_deleted_at = ?, _sdc_batched_at = ? WHERE {unseen}",
            [] if hard_delete else [self._now, self._now],
        )
        self._forget_seen()
        self._ledger.set_version(self._layout.known, self._account, version, complete=True)
        return int(gone[0]) if gone else 0

    def _newest(self, version: int) -> tuple[int, bool]:
        """The newest version so far, and whether it is whole; -1 if the one that comes is to be the first."""
        newest, complete = self._ledger.version(self._layout.known, self._account) or (-1, True)
        unit = 1 if newest < _MOST_SECONDS else 1000
        if version >= newest or newest <= (self._now.timestamp() + _AHEAD) * unit:
            return newest, complete
        logger.warning(
            "%s: version %d, which was loaded before, is in the future, as of a clock that was wrong: "
            "the stream's versions begin anew with %d",
            *(self._stream, newest, version),
        )
        self._connection.execute(
            f"UPDATE {self._layout.table} t SET _sdc_table_version = NULL WHERE "
            + " AND ".join([f"t._sdc_table_version > {version}", *self._is_own()])
        )
        return -1, True

    def _unseen(self, version: int) -> str:
        conditions = [f"(t._sdc_table_version IS NULL OR t._sdc_table_version < {version})", *self._is_own()]
        if self._layout.keys:
            conditions.append(f"NOT {self._is_seen('t', version)}")
        return " AND ".join(conditions)

    def _is_own(self) -> list[str]:
        """Conditions of rows that the versions speak for."""
        account = self._layout.account
        return [f"t.{account.name} = {literal(self._account)}"] if account else []

    def _is_seen(self, row: str, version: int) -> str:
        return (
            f"EXISTS (SELECT 1 FROM {self._seen} s "
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
        self._connection.execute(f"DELETE FROM {self._seen} WHERE account = {literal(self._account)}")
