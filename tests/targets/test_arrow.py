"""The sandbox's accounts as Arrow files, and what the loader makes of them: what it makes of records."""

from __future__ import annotations

import os

import duckdb
import pyarrow as pa
import pytest

from arrow_files import into, path_of, rows
from loaders.warehouse import Warehouse
from targets.conftest import TAPS, output_of

OWN = {"_sdc_extracted_at", "_sdc_batched_at", "_sdc_table_version"}
"""Columns that differ between two runs."""


def loaded(folder, output):
    """Every table, its columns with their types and comments, and its rows."""
    folder.mkdir()
    warehouse = Warehouse(folder)
    warehouse.load(*output.text.rstrip().split("\n"))
    found = {}
    for table in warehouse.tables():
        columns = warehouse.ask(
            "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ? "
            "AND schema_name = 's' ORDER BY column_index",
            table,
        )
        texts = ", ".join(f'"{name}"::VARCHAR' for name, *_ in columns if name not in OWN)
        found[table] = columns, sorted(warehouse.ask(f"SELECT {texts} FROM s.{table}"), key=repr)
        untold = f"SELECT count(*) FROM s.{table} WHERE _sdc_extracted_at IS NULL"
        assert warehouse.ask(untold) == [(0,)]
    return found


TYPES = {"int64": "BIGINT", "string": "VARCHAR", "bool": "BOOLEAN", "date32[day]": "DATE"}
TYPES |= {"timestamp[us]": "TIMESTAMP", "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE"}
TYPES |= {f"decimal128(38, {scale})": f"DECIMAL(38,{scale})" for scale in (9, 18)}
TYPES |= {"extension<arrow.json>": "JSON"}


def check_with_duckdb(url):
    """DuckDB's own reader finds the types and values of a file."""
    sent = pa.ipc.open_file(path_of(url)).read_all()
    read = duckdb.from_arrow(sent)
    assert list(map(str, read.types)) == [TYPES[str(field.type)] for field in sent.schema]
    columns = [column.combine_chunks() for column in sent.columns]
    columns = [column.storage if isinstance(column, pa.ExtensionArray) else column for column in columns]
    assert read.fetchall() == list(zip(*map(pa.Array.to_pylist, columns), strict=True))


@pytest.mark.parametrize("name", TAPS if os.environ.get("RELIABILITY_FULL") else ["scheduling"])
def test_every_cell_is_as_of_records(account, outputs, tmp_path, name):
    output = output_of(name, account, batch_config=into(tmp_path / "files", batch_size=50))
    assert not output.records
    kinds = {message["type"] for message in output.messages}
    assert kinds == {"SCHEMA", "BATCH", "STATE"}
    for stream, records in outputs[name].records.items():
        assert len(rows(output.messages, stream)) == len(records)
    for message in output.messages:
        for url in message["manifest"] if message["type"] == "BATCH" else ():
            check_with_duckdb(url)
    assert loaded(tmp_path / "arrow", output) == loaded(tmp_path / "records", outputs[name])
    assert not list((tmp_path / "files").iterdir())
