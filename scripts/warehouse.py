"""Show the tables of output/warehouse.duckdb, or the result of a query.

    python scripts/warehouse.py
    python scripts/warehouse.py "SELECT status, count(*) FROM tap_events.events GROUP BY ALL"
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

WAREHOUSE = Path("output", "warehouse.duckdb")

TABLES = """
SELECT schema_name || '.' || table_name AS name, column_count
FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY name
"""


def main() -> int:
    """Print what was asked for; the result is the exit code."""
    if not WAREHOUSE.exists():
        print(f"There is no {WAREHOUSE} yet: `make demo` or `meltano run ... target-duckdb` fills it.", file=sys.stderr)
        return 1
    with duckdb.connect(str(WAREHOUSE), read_only=True) as connection:
        if sys.argv[1:]:
            print(connection.sql(" ".join(sys.argv[1:])))
        else:
            print(tables(connection))
    return 0


def tables(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a table of the warehouse's tables, with their rows and columns."""
    found = connection.execute(TABLES).fetchall()
    counted = [(name, *connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0], width) for name, width in found]
    size = max([len("Table"), *(len(name) for name, _, _ in counted)])
    lines = [f"{'Table':{size}}  {'Rows':>10}  {'Columns':>7}", f"{'-' * size}  {'-' * 10}  {'-' * 7}"]
    lines += [f"{name:{size}}  {rows:>10,}  {columns:>7}" for name, rows, columns in counted]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
