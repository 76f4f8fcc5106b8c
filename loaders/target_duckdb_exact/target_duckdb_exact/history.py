"""The history of a stream's rows: brought up to date when it begins, and after a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from target_duckdb_exact.ledger import Ledger
    from target_duckdb_exact.tables import Layout


def catch_up(connection: duckdb.DuckDBPyConnection, ledger: Ledger, layout: Layout, now: datetime) -> None:
    """Make the history's present that of the table, unless it is, or is not wanted now.

    What was in between, if it was not wanted for a time, is not known.
    """
    known = layout.known
    if layout.history is None:
        if known.history_on:
            ledger.set_history(known, known.history, on=False)
        return
    if known.history_on:
        return
    same = " AND ".join(f"h.{key.name} = t.{key.name}" for key in layout.keys)
    equal = " AND ".join(f"h.{column.name} IS NOT DISTINCT FROM t.{column.name}" for column in layout.columns)
    there = "t._sdc_deleted_at IS NULL"
    names = ", ".join(column.name for column in layout.columns)
    connection.execute(
        f"UPDATE {layout.history} h SET _sdc_valid_to = ?, _sdc_is_current = false WHERE h._sdc_is_current "
        f"AND NOT EXISTS (SELECT 1 FROM {layout.table} t WHERE {there} AND {same} AND {equal})",
        [now],
    )
    connection.execute(
        f"INSERT INTO {layout.history} ({names}, _sdc_valid_from, _sdc_is_current) "
        f"SELECT {names}, coalesce(_sdc_extracted_at, _sdc_batched_at), true FROM {layout.table} t "
        f"WHERE {there} AND NOT EXISTS (SELECT 1 FROM {layout.history} h WHERE h._sdc_is_current AND {same})"
    )
    ledger.set_history(known, known.history, on=True)
