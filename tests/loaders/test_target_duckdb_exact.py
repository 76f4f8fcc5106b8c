"""What target-duckdb on its own loses, alters or refuses, and the layer over it loads."""

import json
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

LOADER = Path(__file__).parents[2] / "loaders" / "target_duckdb_exact"
COMMAND = (sys.executable, "-c", "import target_duckdb_exact; target_duckdb_exact.main()")

TEXT = {"type": ["string", "null"]}
INTEGER = {"type": "integer"}
OBJECT = {"type": ["object", "null"]}
TIMESTAMP = {"type": ["string", "null"], "format": "date-time"}


def messages(properties, keys, records):
    """What a tap writes of these records."""
    schema = {"type": "SCHEMA", "stream": "t", "schema": {"properties": properties}, "key_properties": keys}
    lines = [schema, *({"type": "RECORD", "stream": "t", "record": record} for record in records)]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def loader(tmp_path):
    """The loader, waiting for its input, and the file that it writes to."""
    database = tmp_path / "test.duckdb"
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"filepath": str(database), "default_target_schema": "main"}))

    def loader():
        return subprocess.Popen(
            [*COMMAND, "--config", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(LOADER)},
            text=True,
        )

    return loader, database


@pytest.fixture
def load(tmp_path):
    """Load records into one table, and return what DuckDB then holds."""
    database = tmp_path / "test.duckdb"
    config = tmp_path / "config.json"

    def load(properties, keys, records, **settings):
        config.write_text(
            json.dumps({"filepath": str(database), "default_target_schema": "main", **settings})
        )
        subprocess.run(
            [*COMMAND, "--config", str(config)],
            input=messages(properties, keys, records),
            text=True,
            check=True,
            env={"PYTHONPATH": str(LOADER)},
        )
        columns = ", ".join(f'"{name}"' for name in properties)
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(f"SELECT {columns} FROM t ORDER BY {keys[0]}").fetchall()

    return load


def test_first_row_of_a_table_of_texts(load):
    assert load({"id": TEXT, "name": TEXT}, ["id"], [{"id": "id", "name": "name"}, {"id": "a"}]) == [
        ("a", None),
        ("id", "name"),
    ]


def test_first_row_with_an_object_and_an_offset(load):
    rows = load(
        {"id": INTEGER, "data": OBJECT, "at": TIMESTAMP},
        ["id"],
        [
            {"id": 1, "data": {"a": [1, "ü"]}, "at": "2026-01-01T10:00:00+02:00"},
            {"id": 2, "at": "2026-01-01T10:00:00"},
        ],
    )
    assert [(key, json.loads(data) if data else None, at) for key, data, at in rows] == [
        (1, {"a": [1, "ü"]}, datetime(2026, 1, 1, 8)),  # noqa: DTZ001 - stored in UTC, without a zone
        (2, None, datetime(2026, 1, 1, 10)),  # noqa: DTZ001
    ]


def test_table_of_key_columns_only_twice(load):
    names = [{"name": name} for name in ("Arts", "Music, live", 'say "hi"')]
    for _ in range(2):
        assert load({"name": TEXT}, ["name"], names) == [(row["name"],) for row in names]


def test_quote_after_a_long_run_without_any(load):
    records = [{"id": number, "name": "x"} for number in range(30_000)] + [
        {"id": 30_000, "name": 'a, "b"\nc'}
    ]
    rows = load({"id": INTEGER, "name": TEXT}, ["id"], records)
    assert len(rows) == len(records)
    assert rows[-1] == (30_000, 'a, "b"\nc')


def test_plain_values_in_a_column_of_objects(load):
    values = [{"a": True}, True, 1.5, "text", '{"a": 1}', "", None]
    anything = {"type": ["object", "boolean", "number", "string", "null"]}
    rows = load(
        {"id": INTEGER, "data": anything}, ["id"], [{"id": i, "data": v} for i, v in enumerate(values)]
    )
    assert [None if data is None else json.loads(data) for _, data in rows] == values


def test_texts_arrive_unchanged(load):
    texts = [
        "",
        " ",
        "a\r\nb",
        "a\rb",
        "\\N",
        "NULL",
        '"',
        "'",
        "#",
        "007",
        "a\tb;c|d",
        "日本 é 🎉",
        "x" * 3_000_000,
    ]
    records = [{"id": number, "name": text} for number, text in enumerate([*texts, None])]
    assert [name for _, name in load({"id": INTEGER, "name": TEXT}, ["id"], records)] == [*texts, None]


def test_batches_and_updates(load):
    properties = {"id": INTEGER, "name": TEXT}
    load(properties, ["id"], [{"id": number, "name": "old"} for number in range(10)], batch_size_rows=3)
    rows = load(
        properties, ["id"], [{"id": number, "name": "new"} for number in range(5, 15)], batch_size_rows=4
    )
    assert rows == [(number, "old" if number < 5 else "new") for number in range(15)]


def test_stream_without_rows_is_an_empty_table(load):
    assert load({"id": INTEGER, "name": TEXT}, ["id"], []) == []


def test_what_was_sent_is_loaded_after_ctrl_c(loader):
    """It reaches the whole pipeline: the tap ends, and so does the loader's input."""
    start, database = loader
    with start() as target:
        target.stdin.write(messages({"id": INTEGER}, ["id"], [{"id": 1}]))
        target.stdin.flush()
        while not database.exists() and target.poll() is None:  # until it has begun
            time.sleep(0.01)
        target.send_signal(signal.SIGINT)
        _, log = target.communicate(messages({"id": INTEGER}, ["id"], [{"id": 2}]), timeout=30)
    assert target.returncode == 0, log
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT id FROM t ORDER BY id").fetchall() == [(1,), (2,)]


def test_a_file_that_another_program_has_open(loader):
    start, database = loader
    with duckdb.connect(str(database)), start() as target:
        _, log = target.communicate(messages({"id": INTEGER}, ["id"], [{"id": 1}]), timeout=30)
    assert target.returncode == 1
    assert "filepath: IO Error: Could not set lock on file" in log
    assert "Traceback" not in log


def test_G01_a_schema_named_after_a_plugin_has_underscores(loader, tmp_path):
    start, database = loader
    settings = {"filepath": str(database), "default_target_schema": "tap-maxio-eu"}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    for _ in range(2):  # into a new schema, and into one that is there
        process = start()
        _, errors = process.communicate(messages({"id": INTEGER}, ["id"], [{"id": 1}]), timeout=60)
        assert process.returncode == 0, errors
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT id FROM tap_maxio_eu.t").fetchall() == [(1,)]
