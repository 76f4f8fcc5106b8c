"""Show the tables of output/warehouse.duckdb, or the result of the query given as an argument."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pictures.warehouse import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WAREHOUSE = Path("output", "warehouse.duckdb")

TABLES = """
SELECT schema_name, table_name, column_count
FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND schema_name <> '_sdc_loader' ORDER BY ALL
"""


def main() -> int:
    """Print what was asked for; the result is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("query", nargs="*", help="SQL, best in quotes; without one the tables are listed")
    parser.add_argument("--schemas", action="store_true", help="a line per schema instead of per table")
    options = parser.parse_args()
    query = " ".join(options.query)
    if not WAREHOUSE.exists():
        print(f"There is no {WAREHOUSE} yet: `make demo` fills it.", file=sys.stderr)
        return 1
    try:
        with duckdb.connect(str(WAREHOUSE), read_only=True) as connection:
            if query:
                found = connection.sql(query)
                # Its stubs don't tell of None, for what has no result.
                print("Done." if found is None else found)  # type: ignore[redundant-expr]
            else:
                print(schemas(connection) if options.schemas else tables(connection))
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tables(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a table of the warehouse's tables, with their rows and columns."""
    found = [(f"{schema}.{table}", rows, columns) for schema, table, rows, columns in _counted(connection)]
    return _listed(("Table", "Rows", "Columns"), found)


def schemas(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a table of the warehouse's schemas, with how many tables and rows each has."""
    found: dict[str, tuple[int, int]] = {}
    for schema, _, rows, _ in _counted(connection):
        before = found.get(schema, (0, 0))
        found[schema] = (before[0] + 1, before[1] + rows)
    listed = [(schema, count, rows) for schema, (count, rows) in found.items()]
    return _listed(("Schema", "Tables", "Rows"), listed)


def _counted(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, int, int]]:
    """Schema, name, rows and columns of each table."""
    for schema, table, columns in connection.execute(TABLES).fetchall():
        source = connection.table(f"{quoted(schema)}.{quoted(table)}")
        ((rows,),) = source.aggregate("count(*)").fetchall()
        yield schema, table, rows, columns


def _listed(head: tuple[str, str, str], rows: Sequence[tuple[str, int, int]]) -> str:
    size = max([len(head[0]), *(len(name) for name, *_ in rows)])
    lines = [f"{head[0]:{size}}  {head[1]:>10}  {head[2]:>10}", f"{'-' * size}  {'-' * 10}  {'-' * 10}"]
    return "\n".join(lines + [f"{name:{size}}  {one:>10,}  {other:>10,}" for name, one, other in rows])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, as it ends any other command
    sys.exit(main())
