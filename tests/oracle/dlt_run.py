"""Runs a configuration of dlt's REST API source, as dlt itself does it, and reads back what it loaded."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
from dlt.sources.rest_api import rest_api_source

if TYPE_CHECKING:
    from pathlib import Path

VARIANT = "▶v_"
"""Separates a column's name from a type: dlt puts values of another type into a column of their own."""


def load(config: dict[str, Any], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows that dlt makes of a configuration, by resource; nulls are left out.

    Three of dlt's settings keep what the API sent from being changed on its way into DuckDB:
    `max_table_nesting` leaves objects and lists as JSON, the naming convention `direct` leaves names as they
    are, and texts that look like times stay texts.
    """
    source = rest_api_source(deepcopy(config), max_table_nesting=0)
    source.schema.remove_type_detection("iso_timestamp")
    database = folder / "warehouse.duckdb"
    pipeline = dlt.pipeline(
        "oracle",
        pipelines_dir=str(folder),
        destination=dlt.destinations.duckdb(str(database), naming_convention="direct"),
        dataset_name="oracle",
    )
    # Of the formats for DuckDB the one that guesses at no types: texts stay as they are.
    pipeline.run(source, loader_file_format="insert_values").raise_on_failed_jobs()
    with duckdb.connect(str(database), read_only=True) as connection:
        query = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'oracle'"
        names = [name for (name,) in connection.execute(query).fetchall() if not name.startswith("_dlt")]
        return {name: _rows(connection, name) for name in names}


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    found = connection.execute(f'SELECT * FROM oracle."{name}"')
    columns = [(column[0], str(column[1])) for column in found.description]
    rows = []
    for values in found.fetchall():
        row: dict[str, Any] = {}
        for (column, kind), value in zip(columns, values, strict=True):
            if value is not None and not column.startswith("_dlt"):
                row[column.split(VARIANT)[0]] = json.loads(value) if kind == "JSON" else value
        rows.append(row)
    return rows
