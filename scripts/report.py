"""Write output/report.html from output/warehouse.duckdb, or the second argument from the first."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from pictures.page import page
from pictures.warehouse import Warehouse

WAREHOUSE = Path("output", "warehouse.duckdb")
REPORT = Path("output", "report.html")


def main(source: Path = WAREHOUSE, target: Path = REPORT) -> int:
    """Write the page and say where it is; the result is the exit code."""
    if not source.exists():
        print(f"There is no {source} yet: `make demo` fills it.", file=sys.stderr)
        return 1
    try:
        with duckdb.connect(str(source), read_only=True) as connection:
            html = page(Warehouse(connection, source))
    except duckdb.IOException as error:
        print(f"{source} cannot be read: {error}", file=sys.stderr)
        return 1
    target.write_text(html, encoding="utf-8")
    print(f"{target} is written: open it in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
