"""The whole way through Meltano: from the sandbox into DuckDB, as `meltano run` does it."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from support import KEY

ROOT = Path(__file__).parents[1]
MELTANO = Path(sys.executable).with_name("meltano")
CHILDREN = {"attendees", "tickets", "transactions"}
STREAMS = {"events", "categories", "users", *CHILDREN}
KEYS = {"categories": "category", "transactions": "refno"}

pytestmark = pytest.mark.meltano


@pytest.fixture
def meltano(api, tmp_path):
    """Meltano in this project, with a database, a warehouse and a sandbox of its own."""
    env = {
        **os.environ,
        "MELTANO_PROJECT_ROOT": str(ROOT),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_ENVIRONMENT": "sandbox",
        "TARGET_DUCKDB_FILEPATH": str(tmp_path / "warehouse.duckdb"),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
        "TAP_EVENTS_API_URL": f"{api.url}/events",
        "TAP_EVENTS_API_KEY": KEY,
    }

    def meltano(*arguments, **settings):
        return subprocess.run(
            [MELTANO, *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={**env, **settings},
            text=True,
            timeout=240,
        )

    return meltano


def loaded(folder):
    """The tables of the warehouse, as lists of rows, and of each the columns that hold numbers."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        query = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'tap_events'"
        names = [name for (name,) in connection.execute(query).fetchall()]
        return {name: table(connection, name) for name in names}


def table(connection, name):
    found = connection.execute(f"SELECT * FROM tap_events.{name}")
    kinds = {column[0]: str(column[1]) for column in found.description}
    rows = [
        {
            column: json.loads(value) if kinds[column] == "JSON" and value is not None else value
            for column, value in zip(kinds, row, strict=True)
        }
        for row in found.fetchall()
    ]
    return rows, {column for column, kind in kinds.items() if kind in {"DOUBLE", "HUGEINT"}}


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


def test_every_row_and_value_twice(api, meltano, tmp_path):
    for _ in range(2):
        run = meltano("run", "tap-events", "target-duckdb")
        assert run.returncode == 0, run.stderr
        assert_loaded(api, loaded(tmp_path))


def test_json_lines(api, meltano, tmp_path):
    run = meltano("run", "tap-events", "target-jsonl", TARGET_JSONL_DO_TIMESTAMP_FILE="false")
    assert run.returncode == 0, run.stderr
    for stream in STREAMS:
        assert len((tmp_path / f"{stream}.jsonl").read_text().splitlines()) == len(truth(api, stream))


def test_selection(meltano, tmp_path):
    run = meltano("run", "tap-events", "target-duckdb", TAP_EVENTS__SELECT='["categories.*", "users.id"]')
    assert run.returncode == 0, run.stderr
    tables = loaded(tmp_path)
    assert set(tables) == {"categories", "users"}
    rows, _ = tables["users"]
    assert set(rows[0]) - {"_sdc_unmapped"} == {"id"}


def test_failure_of_the_tap_is_a_failure_of_the_run(meltano):
    run = meltano("run", "tap-events", "target-duckdb", TAP_EVENTS_API_KEY="not-the-key")
    assert run.returncode == 1
    assert "api_key was refused" in run.stderr
    assert "not-the-key" not in run.stderr


@pytest.mark.parametrize("environment", ["sandbox", "prod"])
def test_preset_lacks_the_key_alone(meltano, environment):
    config = meltano(
        f"--environment={environment}", "config", "print", "tap-eventzilla", TAP_EVENTS_API_KEY=""
    )
    settings = json.loads(config.stdout)
    assert settings["api_url"] == "https://www.eventzillaapi.net/api"
    assert settings["api_version"] == "v2"
    assert not settings.get("api_key")


def test_meltano_leaves_its_file_alone(meltano):
    before = (ROOT / "meltano.yml").read_text()
    assert meltano("config", "list", "tap-events").returncode == 0
    assert (ROOT / "meltano.yml").read_text() == before
