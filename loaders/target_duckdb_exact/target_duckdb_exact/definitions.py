"""The tables of one schema as DuckDB has them: their columns, and the statements that change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.names import aside, literal, quoted
from target_duckdb_exact.queries import first

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb


class Definitions:
    """Reads and changes tables, in a connection's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self._types: dict[str, dict[str, str]] = {}
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")

    def path(self, table: str) -> str:
        """A table with its schema, as SQL takes it."""
        return f"{quoted(self._schema)}.{quoted(table)}"

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table with their types; none if there is no such table."""
        if table in self._types:
            return self._types[table]
        found = self._connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = ? AND lower(table_name) = lower(?) ORDER BY column_index",
            [self._schema, table],
        ).fetchall()
        self._types[table] = dict(found)
        return self._types[table]

    def tables(self) -> dict[str, bool]:
        """All tables and views, and whether each is a table."""
        found = self._connection.execute(
            "SELECT table_name, table_type = 'BASE TABLE' FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = ?",
            [self._schema],
        ).fetchall()
        return dict(found)

    def create(self, table: str, columns: Iterable[tuple[str, str]]) -> None:
        """Make a table of columns and types."""
        definitions = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        self._alter(f"CREATE TABLE {self.path(table)} ({definitions})")

    def put_aside(self, table: str) -> str:
        """Rename a table; the result is its new name.

        Raises:
            LoadError: It is a view.
        """
        there = self.tables()
        if not next(is_table for name, is_table in there.items() if name.lower() == table.lower()):
            raise LoadError(f"{self._schema}.{table} is a view: rename it, or load into another schema")
        name = aside(table, there)
        self._alter(f"ALTER TABLE {self.path(table)} RENAME TO {quoted(name)}")
        return name

    def add(self, table: str, column: str, kind: str) -> None:
        """Add a column behind the others."""
        self._alter(f"ALTER TABLE {self.path(table)} ADD COLUMN {quoted(column)} {kind}")

    def rename(self, table: str, column: str, name: str) -> None:
        """Rename a column."""
        self._alter(f"ALTER TABLE {self.path(table)} RENAME COLUMN {quoted(column)} TO {quoted(name)}")

    def change(self, table: str, column: str, kind: str, value: str) -> None:
        """Give a column another type; `value` is the SQL that makes its values."""
        self._alter(
            f"ALTER TABLE {self.path(table)} ALTER COLUMN {quoted(column)} SET DATA TYPE {kind} USING {value}"
        )

    def _alter(self, statement: str) -> None:
        self._connection.execute(statement)
        self._types.clear()

    def fill(self, table: str, column: str, value: str) -> None:
        """Set a column in all rows."""
        self._connection.execute(f"UPDATE {self.path(table)} SET {quoted(column)} = {value}")

    def most_digits(self, table: str, column: str) -> int:
        """The most digits before the point that a column of numbers has."""
        name = quoted(column)
        row = first(
            self._connection,
            f"SELECT max(length(regexp_replace(CAST({name} AS VARCHAR), '^-|[.].*$', '', 'g'))) "
            f"FROM {self.path(table)}",
        )
        return (row and row[0]) or 0

    def comment(self, table: str, comments: Iterable[tuple[str, str | None]]) -> None:
        """Give columns their comments, where those are others than before; None leaves a column's own."""
        found = self._connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = ? AND table_name = ?",
            [self._schema, table],
        ).fetchall()
        present = dict(found)
        for column, comment in comments:
            if comment is not None and present.get(column) != comment:
                self._connection.execute(
                    f"COMMENT ON COLUMN {self.path(table)}.{quoted(column)} IS {literal(comment)}"
                )
