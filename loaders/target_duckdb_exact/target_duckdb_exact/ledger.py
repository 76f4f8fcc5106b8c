"""What the loader remembers in the file, in a schema of its own: tables, columns, versions, keys seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_duckdb_exact.names import quoted
from target_duckdb_exact.queries import catalog, first_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

SCHEMA = "_sdc_loader"

_SET_UP = """
CREATE SCHEMA IF NOT EXISTS {own};
CREATE TABLE IF NOT EXISTS {own}.tables (
    id INTEGER, schema_name VARCHAR, stream VARCHAR, table_name VARCHAR, keys VARCHAR[],
    history_name VARCHAR, history_on BOOLEAN
);
CREATE TABLE IF NOT EXISTS {own}.columns (table_id INTEGER, field VARCHAR, column_name VARCHAR);
CREATE TABLE IF NOT EXISTS {own}.versions (
    table_id INTEGER, account VARCHAR, version BIGINT, complete BOOLEAN
);
"""


@dataclass(frozen=True)
class LoadedTable:
    """A table of the loader's."""

    id: int
    table: str
    keys: tuple[str, ...]
    history: str | None = None
    """The table of its rows' history, if one was ever wanted."""
    history_on: bool = False
    """Whether the history has all that was loaded so far."""


class Ledger:
    """The loader's own tables, in a connection's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._own = f"{catalog(connection)}.{SCHEMA}"
        connection.execute(_SET_UP.format(own=self._own))

    def table(self, schema: str, stream: str) -> LoadedTable | None:
        """The table of a stream, if it was loaded before."""
        row = first_row(
            self._connection,
            "SELECT id, table_name, keys, history_name, history_on "
            f"FROM {self._own}.tables WHERE schema_name = ? AND stream = ?",
            [schema, stream],
        )
        return LoadedTable(row[0], row[1], tuple(row[2]), row[3], bool(row[4])) if row else None

    def streams(self) -> set[str]:
        """All streams that were ever loaded, into whatever schema."""
        found = self._connection.execute(f"SELECT stream FROM {self._own}.tables").fetchall()
        return {name for (name,) in found}

    def tables(self, schema: str) -> set[str]:
        """The tables of all streams in a schema, and their histories'."""
        found = self._connection.execute(
            f"SELECT table_name, history_name FROM {self._own}.tables WHERE schema_name = ?", [schema]
        ).fetchall()
        return {name for names in found for name in names if name}

    def add_table(self, schema: str, stream: str, table: str, keys: Sequence[str]) -> LoadedTable:
        """Note a table."""
        row = first_row(
            self._connection,
            f"INSERT INTO {self._own}.tables SELECT coalesce(max(id), 0) + 1, ?, ?, ?, ?, NULL, false "
            f"FROM {self._own}.tables RETURNING id",
            [schema, stream, table, list(keys)],
        )
        assert row is not None  # noqa: S101 - what RETURNING promises
        known = LoadedTable(row[0], table, tuple(keys))
        self._connection.execute(
            f"CREATE TABLE {self.seen_keys(known)} (account VARCHAR, version BIGINT, key HUGEINT)"
        )
        return known

    def set_history(self, known: LoadedTable, name: str | None, *, on: bool) -> None:
        """Note the table of a history, and whether it has all."""
        self._connection.execute(
            f"UPDATE {self._own}.tables SET history_name = ?, history_on = ? WHERE id = ?",
            [name, on, known.id],
        )

    def forget(self, known: LoadedTable) -> None:
        """Forget a table, which has been put aside."""
        for table, column in (("tables", "id"), ("columns", "table_id"), ("versions", "table_id")):
            self._connection.execute(f"DELETE FROM {self._own}.{table} WHERE {column} = ?", [known.id])
        self._connection.execute(f"DROP TABLE IF EXISTS {self.seen_keys(known)}")

    def columns(self, known: LoadedTable) -> dict[str, str]:
        """The columns of a table by the fields that they hold."""
        found = self._connection.execute(
            f"SELECT field, column_name FROM {self._own}.columns WHERE table_id = ?", [known.id]
        ).fetchall()
        return dict(found)

    def add_columns(self, known: LoadedTable, columns: Iterable[tuple[str, str]]) -> None:
        """Note columns: fields and names."""
        new = dict(columns)
        if not new:
            return
        self._connection.execute(
            f"INSERT INTO {self._own}.columns SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [known.id, list(new), list(new.values())],
        )

    def version(self, known: LoadedTable, account: str) -> tuple[int, bool] | None:
        """The newest version of an account's rows, and whether it was whole."""
        row = first_row(
            self._connection,
            f"SELECT version, complete FROM {self._own}.versions WHERE table_id = ? AND account = ?",
            [known.id, account],
        )
        return (int(row[0]), bool(row[1])) if row else None

    def give_up_versions(self, known: LoadedTable) -> None:
        """Let no unfinished version delete rows: what it has seen can't be told any more."""
        self._connection.execute(
            f"UPDATE {self._own}.versions SET complete = true WHERE table_id = ?", [known.id]
        )
        self._connection.execute(f"DELETE FROM {self.seen_keys(known)}")

    def set_version(self, known: LoadedTable, account: str, version: int, *, complete: bool) -> None:
        """Note the newest version of an account's rows; an account that is none is an empty text."""
        self._connection.execute(
            f"DELETE FROM {self._own}.versions WHERE table_id = ? AND account = ?", [known.id, account]
        )
        self._connection.execute(
            f"INSERT INTO {self._own}.versions VALUES (?, ?, ?, ?)", [known.id, account, version, complete]
        )

    def seen_keys(self, known: LoadedTable) -> str:
        """The table of the keys that an unfinished version has seen and left as they were."""
        return f"{self._own}.{quoted(f'seen_{known.id}')}"
