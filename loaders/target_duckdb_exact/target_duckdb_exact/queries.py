"""Asks DuckDB for one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_duckdb_exact.names import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

TEMP = "temp.main"
"""Where temporary tables are: a schema of the file can be called `temp` too."""


def first_row(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()
) -> tuple[Any, ...] | None:
    """The first row of a query, if it has any.

    All are fetched: DuckDB 2 does nothing else on a connection while a result of it is not read to its end.
    """
    rows = connection.execute(query, list(values)).fetchall()
    return rows[0] if rows else None


def catalog(connection: duckdb.DuckDBPyConnection) -> str:
    """What DuckDB calls the open file, as SQL takes it.

    It is the file's name without its ending, and goes before each schema: one can be called like the file.
    """
    (name,) = first_row(connection, "SELECT current_database()") or ("",)
    return quoted(str(name))


def count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    """The number of rows of a table, or of a query in parentheses."""
    (number,) = first_row(connection, f"SELECT count(*) FROM {rows} AS counted") or (0,)
    return int(number)


def create_temp_table(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> int:
    """Make a temporary table of a query; the result is the number of its rows."""
    (number,) = first_row(connection, f"CREATE OR REPLACE TEMP TABLE {table} AS {query}") or (0,)
    return int(number)
