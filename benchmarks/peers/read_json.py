"""The same rows brought in by DuckDB alone: its `read_json` over HTTP, with types as it guesses them.

    python read_json.py URL KEY FILE

It knows nothing of pages: the list of its addresses is made here.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path

import duckdb
import duckdb_extension_httpfs

PAGE = 100
EXTENSION = "extensions/v{}/httpfs.duckdb_extension"


def pages(url: str, key: str) -> list[str]:
    """The addresses of the list of events; each event's attendees fit one page."""
    request = urllib.request.Request(f"{url}/v1/events?limit=1", headers={"x-api-key": key})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        total = json.load(answer)["pagination"][0]["total"]
    return [f"{url}/v1/events?offset={start}&limit={PAGE}" for start in range(0, total, PAGE)]


def main(url: str, key: str, path: str) -> None:
    """Load the two tables, merged by their keys into nothing: the first run of others."""
    httpfs = Path(duckdb_extension_httpfs.__file__).parent / EXTENSION.format(duckdb.__version__)
    with duckdb.connect(path, config={"allow_unsigned_extensions": "true"}) as connection:
        connection.execute(f"LOAD '{httpfs}'")
        connection.execute(f"CREATE SECRET (TYPE http, EXTRA_HTTP_HEADERS MAP {{'x-api-key': '{key}'}})")
        connection.execute("SET force_download = true")  # one request a page, in place of two
        connection.execute("CREATE SCHEMA bench")
        table = "CREATE TABLE bench.{0} AS SELECT unnest({0}, max_depth := 2) FROM read_json($urls)"
        connection.execute(table.format("events"), {"urls": pages(url, key)})
        ids = connection.execute("SELECT id FROM bench.events").fetchall()
        urls = [f"{url}/v1/events/{event}/attendees?limit={PAGE}" for (event,) in ids]
        connection.execute(table.format("attendees"), {"urls": urls})


if __name__ == "__main__":
    main(*sys.argv[1:])
