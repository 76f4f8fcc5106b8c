"""Show the tables of output/warehouse.duckdb, or the result of the query given as an argument."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import duckdb

WAREHOUSE = Path("output", "warehouse.duckdb")

TABLES = """
SELECT schema_name || '.' || table_name AS name, column_count
FROM duckdb_tables() WHERE NOT internal AND NOT temporary AND schema_name <> '_sdc_loader' ORDER BY name
"""


def main() -> int:
    """Print what was asked for; the result is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("query", nargs="*", help="SQL, best in quotes; without one the tables are listed")
    query = " ".join(parser.parse_args().query)
    if not WAREHOUSE.exists():
        print(f"There is no {WAREHOUSE} yet: `make demo` fills it.", file=sys.stderr)
        return 1
    try:
        with duckdb.connect(str(WAREHOUSE), read_only=True) as connection:
            print(connection.sql(query) or "Done." if query else tables(connection))
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tables(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a table of the warehouse's tables, with their rows and columns."""
    found = connection.execute(TABLES).fetchall()
    size = max([len("Table"), *(len(name) for name, _ in found)])
    lines = [f"{'Table':{size}}  {'Rows':>10}  {'Columns':>7}", f"{'-' * size}  {'-' * 10}  {'-' * 7}"]
    for name, columns in found:
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()  # noqa: S608 - from DuckDB
        lines.append(f"{name:{size}}  {rows:>10,}  {columns:>7}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
