"""The whole way through Meltano: from the sandbox into DuckDB, as `meltano run` does it."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from report import main as report
from support import KEY, run
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

ROOT = Path(__file__).parents[1]
MELTANO = Path(sys.executable).with_name("meltano")
CHILDREN = {"attendees", "tickets", "donations", "transactions"}
STREAMS = {"events", "categories", "users", *CHILDREN}
KEYS = {"categories": "category", "donations": "donationid", "transactions": "refno"}

TAPS = {
    "events": TapEvents,
    "scheduling": TapScheduling,
    "promotions": TapPromotions,
    "billing": TapBilling,
    "rewards": TapRewards,
}
PATHS = {"promotions": "promotions/v2"}
PRESETS = {
    "tap-eventzilla": {"api_url": "https://www.eventzillaapi.net/api", "api_version": "v2"},
    "tap-calcom": {"api_url": "https://api.cal.com", "api_version": "v2"},
    "tap-easypromos": {"api_url": "https://api.easypromosapp.com/v2"},
    "tap-maxio": {"api_url": ""},
    "tap-tremendous": {"api_url": "https://api.tremendous.com/api", "api_version": "v2"},
}

pytestmark = pytest.mark.meltano


def settings(api, name):
    """The settings with which a tap reads the sandbox."""
    return {"api_url": f"{api.url}/{PATHS.get(name, name)}", TAPS[name].key_setting: KEY}


ASK = """
import contextlib, io, json, sys
from meltano.cli import cli
for line in sys.stdin:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        cli.main(json.loads(line), standalone_mode=False)
    print(json.dumps(shown.getvalue()))
"""
"""Several commands of Meltano in one process, as starting it takes seconds."""


@pytest.fixture
def environment(api, tmp_path):
    """What makes Meltano use this project with a database, a warehouse and a sandbox of its own."""
    env = {
        **os.environ,
        "MELTANO_PROJECT_ROOT": str(ROOT),
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path}/meltano.db",
        "MELTANO_ENVIRONMENT": "sandbox",
        "TARGET_DUCKDB_FILEPATH": str(tmp_path / "warehouse.duckdb"),
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path),
    }
    for name in TAPS:
        env |= {f"TAP_{name}_{key}".upper(): value for key, value in settings(api, name).items()}
    return env


@pytest.fixture
def answers_of(environment, tmp_path):
    """What several commands of Meltano show."""

    def answers_of(commands, **settings):
        asked = subprocess.run(
            [sys.executable, "-c", ASK],
            input="\n".join(map(json.dumps, commands)),
            stdout=subprocess.PIPE,
            check=True,
            cwd=tmp_path,
            env={**environment, **settings},
            text=True,
            timeout=240,
        )
        return [json.loads(line) for line in asked.stdout.splitlines()]

    return answers_of


@pytest.fixture
def meltano(environment, tmp_path):
    """Meltano, run as a command."""

    def meltano(*arguments, **settings):
        return subprocess.run(
            [MELTANO, *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={**environment, **settings},
            text=True,
            timeout=240,
        )

    return meltano


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


DELETED = {"events": "users", "billing": "coupons"}
"""Streams that lose a row before two taps are run again."""


def assert_deleted(folder, gone):
    """The rows that the account lost are marked, and no others: neither of these streams nor of any other."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        for name, tap in TAPS.items():
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
        for name, tap in TAPS.items():
            query = f"SELECT count(*), count(DISTINCT started_at), sum(requests) FROM tap_{name}._sdc_reads"
            rows, runs, requests = connection.execute(query).fetchone()
            selected = sum(kind.selected_by_default for kind in tap.stream_types)
            assert (rows, runs) == (selected * runs, 1 + (name in DELETED)), name
            counted += requests
    assert counted == len(api.requests)


def test_every_row_and_value(api, meltano, tmp_path):
    run = meltano("run", "tap-events", "target-duckdb")
    assert run.returncode == 0, run.stderr
    assert_loaded(api, loaded(tmp_path))


def test_all_taps_and_two_of_them_again(api, meltano, tmp_path):
    for names in (TAPS, DELETED):
        loading = meltano("run", *(block for name in names for block in (f"tap-{name}", "target-duckdb")))
        assert loading.returncode == 0, loading.stderr
        for name in names:
            assert f"'sandbox:tap-{name}-to-target-duckdb'" in loading.stderr, "a state id of its own"
        if names is TAPS:
            gone = {name: api.data[name][stream].pop(0) for name, stream in DELETED.items()}
    assert_deleted(tmp_path, gone)
    assert_receipts(api, tmp_path)
    for name, tap in TAPS.items():
        output = run(tap, {**settings(api, name), "requests_per_minute": 60_000})
        assert_same(output, loaded(tmp_path, name))
    report(tmp_path / "warehouse.duckdb", tmp_path / "report.html")
    head, _ = (tmp_path / "report.html").read_text().split("</header>")
    _, made_up = head.split("Sandbox data")
    assert all(f"tap_{name}" in made_up for name in TAPS), "G12"


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


def test_presets_lack_the_key_alone(answers_of):
    found = answers_of([["--environment=sandbox", "config", "print", preset] for preset in PRESETS])
    for preset, config in zip(PRESETS, map(json.loads, found), strict=True):
        assert PRESETS[preset].items() <= config.items()
        assert not config.get("api_key"), preset
        assert not config.get("bearer_token"), preset
        assert config.get("requests_per_minute", 1) <= 200, preset


def test_preset_without_the_sandbox(answers_of):
    (found,) = answers_of(
        [["--environment=prod", "config", "print", "tap-eventzilla"]],
        TAP_EVENTS_API_KEY="",
        TAP_EVENTS_API_URL="",
    )
    config = json.loads(found)
    assert PRESETS["tap-eventzilla"].items() <= config.items()
    assert not config.get("api_key")


def test_preset_has_a_state_of_its_own_and_names_what_is_missing(meltano):
    run = meltano("run", "tap-maxio", "target-jsonl")
    assert run.returncode == 1
    assert "'sandbox:tap-maxio-to-target-jsonl'" in run.stderr
    assert "api_url must not be empty" in run.stderr
    assert "api_key must not be empty" in run.stderr


def test_every_setting_is_listed_with_its_description(answers_of):
    found = answers_of([["config", "list", "--all", f"tap-{name}"] for name in TAPS])
    for (name, tap), shown in zip(TAPS.items(), found, strict=True):
        for setting, field in tap.config_jsonschema["properties"].items():
            assert f"{setting} [env: TAP_{name}_{setting}]".upper() in shown.upper()
            assert field["description"] in shown


def test_J10_by_hand_the_loader_has_a_schema(answers_of, tmp_path):
    """`meltano invoke target-duckdb` has this config: only a run names the schema."""
    (shown,) = answers_of([["config", "print", "target-duckdb"]])
    (tmp_path / "config.json").write_text(shown)
    schema = {"type": "SCHEMA", "stream": "t", "schema": {"properties": {"id": {"type": "integer"}}}}
    messages = [{**schema, "key_properties": ["id"]}, {"type": "RECORD", "stream": "t", "record": {"id": 1}}]
    loading = subprocess.run(
        [MELTANO.with_name("target-duckdb-exact"), "--config", tmp_path / "config.json"],
        input="".join(f"{json.dumps(message)}\n" for message in messages),
        capture_output=True,
        check=False,
        text=True,
    )
    assert loading.returncode == 0, loading.stderr
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT id FROM main.t").fetchall() == [(1,)]


def test_meltano_leaves_its_file_alone(meltano):
    before = (ROOT / "meltano.yml").read_text()
    assert meltano("config", "list", "tap-events").returncode == 0
    assert (ROOT / "meltano.yml").read_text() == before
