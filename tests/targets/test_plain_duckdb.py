"""What the target-duckdb of Meltano Hub, by other makers, does to values: docs/targets.md tells of it."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from targets.environments import ROOT

LOADER = Path(sys.executable).with_name("target-duckdb")
FIELDS = {
    "id": {"type": "integer"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "text": {"type": ["string", "null"]},
}
ROWS = [{"id": 1, "moment": None, "text": "a"}, {"id": 2, "moment": "2026-03-01T10:20:30+05:30", "text": ""}]


def load(text, folder):
    """The file of a schema `s` that the rows were loaded into."""
    settings = {"filepath": str(folder / "w.duckdb"), "default_target_schema": "s"}
    (folder / "config.json").write_text(json.dumps(settings))
    words = [LOADER, "--config", folder / "config.json"]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return settings["filepath"]


@pytest.mark.parametrize(
    ("api", "column", "found"),
    [
        ("billing", "subscription_metafields.enum", {None, '["a"]'}),
        ("scheduling", "event_types.disableCancelling", {None, '{"disabled": false}', '{"disabled": true}'}),
    ],
)
def test_every_stream_is_taken_as_no_column_has_two_shapes(outputs, tmp_path, api, column, found):
    table, _, name = column.partition(".")
    with duckdb.connect(load(outputs[api].text, tmp_path), read_only=True) as connection:
        rows = connection.execute(f'SELECT DISTINCT "{name}" FROM s.{table}').fetchall()
    assert {value for (value,) in rows} == found


def test_G03_offsets_are_dropped_and_empty_text_is_null(tmp_path):
    schema = {"type": "SCHEMA", "stream": "t", "schema": {"properties": FIELDS}, "key_properties": ["id"]}
    messages = [schema, *({"type": "RECORD", "stream": "t", "record": row} for row in ROWS)]
    text = "".join(f"{json.dumps(message)}\n" for message in messages)
    with duckdb.connect(load(text, tmp_path), read_only=True) as connection:
        found = connection.execute("SELECT moment, text FROM s.t WHERE id = 2").fetchall()
    assert found == [(datetime(2026, 3, 1, 10, 20, 30), None)]  # noqa: DTZ001  a time without a zone: the fault
    page = (ROOT / "docs" / "targets.md").read_text()
    assert "## target-duckdb 0.8" in page
    assert "stores empty text as NULL" in page.replace("\n", " ")
