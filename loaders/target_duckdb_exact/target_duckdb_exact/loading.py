"""From buffers to tables: all that waits, in one transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from difflib import get_close_matches
from typing import TYPE_CHECKING

from target_duckdb_exact.history import catch_up
from target_duckdb_exact.ledger import Ledger
from target_duckdb_exact.merge import Merge
from target_duckdb_exact.tables import Tables
from target_duckdb_exact.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import duckdb

    from target_duckdb_exact.buffer import Buffer
    from target_duckdb_exact.database import Database

logger = logging.getLogger("target-duckdb-exact")


class Loading:
    """Loads what buffers hold."""

    def __init__(
        self, database: Database, schema: str, *, naming: str, history: Collection[str], hard_delete: bool
    ) -> None:
        self._database = database
        self._schema = schema
        self._naming = naming
        self._history = history
        self._hard_delete = hard_delete

    def load(self, buffers: Iterable[Buffer]) -> None:
        """Write what the buffers hold, all or nothing, and empty them.

        Raises:
            LoadError: The file can't be had, or can't be written.
        """
        with self._database.transaction() as connection:
            ledger = Ledger(connection)
            tables = Tables(connection, ledger, self._schema, self._naming)
            for buffer in buffers:
                self._load(connection, ledger, tables, buffer)
        for buffer in buffers:
            buffer.mark_loaded()

    def tell_unknown(self, streams: Collection[str]) -> None:
        """Tell of streams whose history is wanted, and which are neither these nor were ever loaded.

        One that another tap sends, or that is not selected now, is none of them.

        Raises:
            LoadError: The file can't be had.
        """
        missing = set(self._history).difference(streams)
        if not missing or not streams:
            return
        with self._database.transaction() as connection:
            known = Ledger(connection).streams()
        for name in sorted(missing - known):
            meant = "".join(f": is it {other}?" for other in get_close_matches(name, sorted(known), 1))
            logger.warning("history: no stream %s has come, now or in a load before%s", name, meant)

    def _load(
        self, connection: duckdb.DuckDBPyConnection, ledger: Ledger, tables: Tables, buffer: Buffer
    ) -> None:
        now, schema = datetime.now(timezone.utc), buffer.schema
        batch = buffer.batch()
        layout = tables.prepare(schema, buffer.needs(batch), history=schema.stream in self._history)
        table = self._schema, layout.known.table
        catch_up(connection, ledger, layout, now)
        versions = Versions(connection, ledger, layout, schema, now)
        if batch:
            logger.info("Loading %d rows into %s.%s", buffer.rows, *table)
            Merge(connection, layout, versions, now).load(batch)
        if buffer.activated is not None:
            gone = versions.activate(buffer.activated, hard_delete=self._hard_delete)
            if gone:
                done = "removed" if self._hard_delete else "marked as deleted"
                logger.info("%d rows of %s.%s are gone, and were %s", gone, *table, done)
