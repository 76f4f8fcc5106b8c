"""The whole way through Meltano: from the sandbox into DuckDB, as `meltano run` does it."""

import json
import os
from decimal import Decimal

import duckdb
import pytest

from meltano_project import TAPS, settings
from report import main as report
from support import run

CHILDREN = {"attendees", "tickets", "donations", "transactions"}
STREAMS = {"events", "categories", "users", *CHILDREN}
KEYS = {"categories": "category", "donations": "donationid", "transactions": "refno"}

pytestmark = pytest.mark.meltano


METADATA = {"_sdc_extracted_at", "_sdc_batched_at", "_sdc_deleted_at", "_sdc_table_version"}


def loaded(folder, name="events"):
    """The tables of a tap in the warehouse, as lists of rows, and of each the columns that hold numbers."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        query = f"SELECT table_name FROM duckdb_tables() WHERE schema_name = 'tap_{name}'"
        names = [name for (name,) in connection.execute(query).fetchall() if name != "_sdc_reads"]
        return {table: rows_of(connection, f"tap_{name}.{table}") for table in names}


def rows_of(connection, table):
    found = connection.execute(f"SELECT * FROM {table} WHERE _sdc_deleted_at IS NULL")
    kinds = {column[0]: str(column[1]) for column in found.description}
    rows = [
        {
            column: json.loads(value) if kinds[column] == "JSON" and value is not None else value
            for column, value in zip(kinds, row, strict=True)
            if column not in METADATA
        }
        for row in found.fetchall()
    ]
    return rows, {column for column, kind in kinds.items() if kind == "BIGINT" or kind.startswith("DECIMAL")}


def truth(api, stream):
    """The sandbox's rows of a stream by key, with their parent's id."""
    rows = api.data["events"][stream]
    if stream in CHILDREN:
        parent = "parent_event_id" if stream == "transactions" else "event_id"
        rows = [{**row, parent: key} for key, children in rows.items() for row in children]
    return {row[KEYS.get(stream, "id")]: row for row in rows}


def number(value):
    """Numbers also come as strings, and missing ones as empty strings."""
    return None if value in {None, ""} else Decimal(str(value))


def answers(questions):
    """The API calls an answer's question by either of two names."""
    return [{name.removesuffix("s"): text for name, text in row.items()} for row in questions]


def assert_loaded(api, tables):
    assert set(tables) == STREAMS
    for stream, (rows, numbers) in tables.items():
        expected = truth(api, stream)
        assert len(rows) == len(expected)
        for row in rows:
            source = expected[row[KEYS.get(stream, "id")]]
            for column, value in row.items():
                convert = (
                    number if column in numbers else answers if isinstance(value, list) else lambda same: same
                )
                assert convert(value) == convert(source.get(column)), (stream, column)


def assert_same(output, tables):
    """What Meltano loaded is what the tap writes: keys, texts, numbers and flags."""
    assert set(tables) == set(output.schemas)
    for stream, (rows, _) in tables.items():
        keys = output.schemas[stream][0]["key_properties"]
        written = output.rows(stream)
        assert len(rows) == len(written), stream
        for row in rows:
            source = written[tuple(row[key] for key in keys)]
            for column, value in source.items():
                stored = row[column]
                if isinstance(value, (int, Decimal)):
                    assert Decimal(stored) == value, (stream, column)
                elif isinstance(value, (dict, list)):
                    assert stored is not None
                elif isinstance(stored, str):
                    assert stored == value, (stream, column)


WHOLE = "RELIABILITY_FULL" in os.environ
DELETED = {"events": "users", **({"billing": "coupons"} if WHOLE else {})}
"""Streams that lose a row before their taps are run again."""
LOADED = TAPS if WHOLE else {name: TAPS[name] for name in DELETED}


def assert_deleted(folder, gone):
    """The rows that the account lost are marked, and no others: neither of these streams nor of any other."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        for name, tap in LOADED.items():
            for stream in (kind.name for kind in tap.stream_types if kind.selected_by_default):
                keys = f"SELECT * FROM tap_{name}.{stream} WHERE _sdc_deleted_at IS NOT NULL"
                found = connection.execute(keys).fetchall()
                assert len(found) == (DELETED.get(name) == stream), (name, stream)
            if name in gone:
                query = f"SELECT id FROM tap_{name}.{DELETED[name]} WHERE _sdc_deleted_at IS NOT NULL"
                assert connection.execute(query).fetchall() == [(gone[name]["id"],)]


def assert_receipts(api, folder):
    """A row for each stream and run, and no request that is in none."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        counted = 0
        for name, tap in LOADED.items():
            query = f"SELECT count(*), count(DISTINCT started_at), sum(requests) FROM tap_{name}._sdc_reads"
            rows, runs, requests = connection.execute(query).fetchone()
            selected = sum(kind.selected_by_default for kind in tap.stream_types)
            assert (rows, runs) == (selected * runs, 1 + (name in DELETED)), name
            counted += requests
    assert counted == len(api.requests)


def test_taps_and_some_of_them_again(api, meltano, tmp_path):
    for names in (LOADED, DELETED):
        loading = meltano("run", *(block for name in names for block in (f"tap-{name}", "target-duckdb")))
        assert loading.returncode == 0, loading.stderr
        for name in names:
            assert f"'sandbox:tap-{name}-to-target-duckdb'" in loading.stderr, "a state id of its own"
        if names is LOADED:
            assert_loaded(api, loaded(tmp_path))
            gone = {name: api.data[name][stream].pop(0) for name, stream in DELETED.items()}
    assert_deleted(tmp_path, gone)
    assert_receipts(api, tmp_path)
    for name, tap in LOADED.items():
        output = run(tap, {**settings(api, name), "requests_per_minute": 60_000})
        assert_same(output, loaded(tmp_path, name))
    report(tmp_path / "warehouse.duckdb", tmp_path / "report.html")
    head, _ = (tmp_path / "report.html").read_text().split("</header>")
    _, made_up = head.split("Sandbox data")
    assert all(f"tap_{name}" in made_up for name in LOADED), "G12"


@pytest.mark.long
def test_json_lines(api, meltano, tmp_path):
    """With numbers and switches from the environment, which Meltano passes on as it thinks right."""
    numbers = {"REQUEST_TIMEOUT": "30", "BACKOFF_FACTOR": "1", "MAX_RETRIES": "2", "CONCURRENCY": "4"}
    settings = {**numbers, "REQUESTS_PER_MINUTE": "100000", "UNMAPPED_COLUMN": "false"}
    env = {f"TAP_EVENTS_{name}": value for name, value in settings.items()}
    run = meltano("run", "tap-events", "target-jsonl", TARGET_JSONL_DO_TIMESTAMP_FILE="false", **env)
    assert run.returncode == 0, run.stderr
    for stream in STREAMS:
        text = (tmp_path / f"{stream}.jsonl").read_text()
        assert len(text.splitlines()) == len(truth(api, stream))
        assert "_sdc_unmapped" not in text


@pytest.mark.long
def test_selection(meltano, tmp_path):
    run = meltano("run", "tap-events", "target-duckdb", TAP_EVENTS__SELECT='["categories.*", "users.id"]')
    assert run.returncode == 0, run.stderr
    tables = loaded(tmp_path)
    assert set(tables) == {"categories", "users"}
    rows, _ = tables["users"]
    assert set(rows[0]) - {"_sdc_unmapped"} == {"id"}


@pytest.mark.long
def test_failure_of_the_tap_is_a_failure_of_the_run(meltano):
    run = meltano("run", "tap-events", "target-duckdb", TAP_EVENTS_API_KEY="not-the-key")
    assert run.returncode == 1
    assert "api_key was refused" in run.stderr
    assert "not-the-key" not in run.stderr
