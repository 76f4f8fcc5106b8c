"""Draw what was loaded as one page, without need of a network."""

from __future__ import annotations

import argparse
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
    except duckdb.Error as error:
        print(f"{source} cannot be read: {error}", file=sys.stderr)
        return 1
    try:
        target.write_text(html, encoding="utf-8")
    except OSError as error:
        print(f"{target} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{target} is written: open it in a browser.")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, nargs="?", default=WAREHOUSE, help="the warehouse, %(default)s")
    parser.add_argument("target", type=Path, nargs="?", default=REPORT, help="the page, %(default)s")
    options = parser.parse_args()
    sys.exit(main(options.source, options.target))
