"""The tables of one schema as DuckDB has them: their columns, and the statements that change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.names import archived_name, literal, quoted
from target_duckdb_exact.queries import catalog, first_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb


class Definitions:
    """Reads and changes tables, in a connection's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self._connection = connection
        self._columns: dict[str, dict[str, tuple[str, str | None]]] | None = None
        """Of all tables, by their names in small letters: type and comment of each column."""
        self._catalog = catalog(connection)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._catalog}.{quoted(schema)}")
        there = connection.execute(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"
        ).fetchall()
        self.schema: str = next(name for (name,) in there if name.lower() == schema.lower())
        """As it was first written: DuckDB takes `Shop` and `shop` for the same."""

    def path(self, table: str) -> str:
        """A table with its schema and its file, as SQL takes it."""
        return f"{self._catalog}.{quoted(self.schema)}.{quoted(table)}"

    def types(self, table: str) -> dict[str, str]:
        """The columns of a table with their types; none if there is no such table."""
        return {name: kind for name, (kind, _) in self._of(table).items()}

    def _of(self, table: str) -> dict[str, tuple[str, str | None]]:
        """Type and comment of a table's columns; those of all tables are asked for at once."""
        if self._columns is None:
            self._columns = {}
            for name, column, kind, comment in self._connection.execute(
                "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() "
                "WHERE database_name = current_database() AND schema_name = ? ORDER BY column_index",
                [self.schema],
            ).fetchall():
                self._columns.setdefault(name.lower(), {})[column] = kind, comment
        return self._columns.get(table.lower(), {})

    def tables(self) -> dict[str, bool]:
        """All tables and views, and whether each is a table."""
        found = self._connection.execute(
            "SELECT table_name, table_type = 'BASE TABLE' FROM information_schema.tables "
            "WHERE table_catalog = current_database() AND table_schema = ?",
            [self.schema],
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
            raise LoadError(f"{self.schema}.{table} is a view: rename it, or load into another schema")
        name = archived_name(table, there)
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
        self._columns = None

    def fill(self, table: str, column: str, value: str) -> None:
        """Set a column in all rows."""
        self._connection.execute(f"UPDATE {self.path(table)} SET {quoted(column)} = {value}")

    def most_digits(self, table: str, column: str) -> int:
        """The most digits before the point that a column of numbers has."""
        name = quoted(column)
        row = first_row(
            self._connection,
            f"SELECT max(length(regexp_replace(CAST({name} AS VARCHAR), '^-|[.].*$', '', 'g'))) "
            f"FROM {self.path(table)}",
        )
        return (row and row[0]) or 0

    def comment(self, table: str, comments: Iterable[tuple[str, str | None]]) -> None:
        """Give columns their comments, where those are others than before; None leaves a column's own."""
        present = self._of(table)
        for column, comment in comments:
            if comment is not None and present[column][1] != comment:
                self._alter(f"COMMENT ON COLUMN {self.path(table)}.{quoted(column)} IS {literal(comment)}")
