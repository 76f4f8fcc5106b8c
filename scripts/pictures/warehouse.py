"""What is in the warehouse: the loaded tables, and answers to questions about them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

TABLES = """
SELECT t.schema_name, t.table_name, bool_or(c.column_name = '_sdc_batched_at'),
  bool_or(c.column_name = '_sdc_deleted_at')
FROM duckdb_tables() t JOIN duckdb_columns() c USING (table_oid, database_name)
WHERE NOT t.internal AND NOT t.temporary AND t.database_name = current_database()
  AND t.schema_name <> '_sdc_loader'
GROUP BY ALL ORDER BY ALL
"""


class Table(NamedTuple):
    """A table of the warehouse."""

    schema: str
    name: str
    rows: int
    loaded: datetime | None
    """When its newest row was loaded, in UTC; None where the loader keeps no such time."""
    present: str
    """SQL for its rows, those left out that are gone from the account."""


class Warehouse:
    """A DuckDB file that a loader wrote into, one schema per tap."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self.written = datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.utc)
        self._connection = connection
        connection.execute("SET TimeZone = 'UTC'")
        self.tables = [self._table(*found) for found in connection.execute(TABLES).fetchall()]

    def _table(self, schema: str, name: str, timed: bool, marked: bool) -> Table:
        present = f"FROM {quoted(schema)}.{quoted(name)}" + " WHERE _sdc_deleted_at IS NULL" * marked
        loaded = "max(_sdc_batched_at)::TIMESTAMP" if timed else "NULL"
        ((rows, moment),) = self._connection.execute(f"SELECT count(*), {loaded} {present}").fetchall()
        return Table(schema, name, rows, moment, present)

    def has(self, schema: str) -> bool:
        """Whether anything was loaded into a schema."""
        return any(table.schema == schema for table in self.tables)

    def ask(self, schema: str, query: str) -> list[tuple[Any, ...]] | None:
        """Return the rows that answer a query in a schema; None if a table or column of it was not loaded."""
        return self.run(f"WITH {self._present(schema)} {query}")

    def run(self, query: str) -> list[tuple[Any, ...]] | None:
        """Return the rows that answer a whole query; None if a table or column of it was not loaded."""
        try:
            return self._connection.execute(query).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            return None

    def _present(self, schema: str) -> str:
        return ", ".join(
            f"{quoted(table.name)} AS (SELECT * {table.present})"
            for table in self.tables
            if table.schema == schema
        )


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
