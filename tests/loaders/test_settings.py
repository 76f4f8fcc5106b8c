"""The loader's settings: what makes no sense ends the load at once, what means nothing is named."""

from __future__ import annotations

import json
import subprocess

import pytest
from singer_sdk.exceptions import ConfigValidationError

from loaders.warehouse import COMMAND, ID, record, schema, state
from target_duckdb_exact.errors import LoadError
from target_duckdb_exact.target import TargetDuckDB


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"hard_deletes": True},
            "hard_deletes is no setting of this loader and is ignored; is hard_delete meant?",
        ),
        ({"histories": ["t"]}, "histories is no setting of this loader and is ignored; is history meant?"),
        ({"zzz": 1}, "zzz is no setting of this loader and is ignored"),
        ({"stream_maps": "zz"}, "stream_maps is no setting of this loader and is ignored"),
    ],
)
def test_G05_a_setting_that_is_none_is_named(warehouse, settings, told):
    code, _, log = warehouse.run(schema(ID), record({"id": 1}), **settings)
    assert code == 0
    assert [line for line in log.splitlines() if "WARNING" in line and told in line]


@pytest.mark.parametrize("name", ["Warehouse", "temp", "system"])
def test_a_schema_that_is_called_as_a_database_is_told_how_to_be_asked(warehouse, name):
    """DuckDB calls the database as the file: `warehouse.t` could be of either."""
    code, _, log = warehouse.run(schema(ID), record({"id": 1}), default_target_schema=name)
    assert code == 0
    assert f'SQL finds its tables as "warehouse"."{name}".<table> only' in log
    assert warehouse.ask(f'SELECT id FROM "warehouse"."{name}".t') == [(1,)]
    assert "<table>" not in warehouse.run(schema(ID), record({"id": 1}))[2]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"filepath": None}, "filepath"),
        ({"filepath": ""}, "filepath"),
        ({"naming": "shouting"}, "naming"),
        ({"batch_size_rows": 0}, "batch_size_rows"),
        ({"lock_timeout": -1}, "lock_timeout"),
    ],
)
def test_settings_that_make_no_sense(warehouse, settings, told):
    with pytest.raises(ConfigValidationError) as failure:
        warehouse.load(schema(ID), **settings)
    assert told in str(failure.value.errors)


def test_settings_that_are_null_have_their_defaults(warehouse):
    names = ("default_target_schema", "batch_size_rows", "naming", "hard_delete", "history", "lock_timeout")
    told = warehouse.load(schema(ID), record({"id": 1}), state(1), **dict.fromkeys(names))
    assert told == [1]
    assert warehouse.ask("SELECT id FROM main.t") == [(1,)]


@pytest.mark.parametrize("name", [":memory:", ":memory:name", ":memory: ", "./:memory:"])
def test_a_database_in_memory(warehouse, monkeypatch, name):
    """Each batch would have one of its own, and STATE would tell of rows that are nowhere."""
    monkeypatch.chdir(warehouse.folder)
    with pytest.raises(LoadError, match=r"filepath: :memory:.* is a database in memory, .*: name a file"):
        warehouse.load(schema(ID), record({"id": 1}), state(1), filepath=name)


@pytest.mark.parametrize(
    "name", ["information_schema", "Information-Schema", "pg_catalog", "PG_CATALOG", "_sdc_loader"]
)
def test_schemas_that_are_not_for_tables(warehouse, name):
    """Told before anything is read."""
    with pytest.raises(LoadError, match=r"default_target_schema: .* is kept for .*: name another"):
        TargetDuckDB(config=warehouse.config(default_target_schema=name))


@pytest.mark.parametrize("name", ["temp", "system", "memory", "pg_temp", " ", "sqlite_master"])
def test_schemas_that_only_seem_to_be_taken(warehouse, name):
    assert warehouse.load(schema(ID), record({"id": 1}), state(1), default_target_schema=name) == [1]
    assert warehouse.ask(f'SELECT id FROM warehouse."{name}".t') == [(1,)]


def test_a_config_that_is_not_there(warehouse):
    run = subprocess.run([*COMMAND, "--config", "nowhere.json"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "nowhere.json" in run.stderr


def test_about_lists_the_settings(warehouse):
    run = subprocess.run([*COMMAND, "--about", "--format=json"], capture_output=True, text=True, check=True)
    about = json.loads(run.stdout)
    assert list(about["settings"]["properties"]) == [
        "filepath",
        "default_target_schema",
        "batch_size_rows",
        "naming",
        "hard_delete",
        "history",
        "lock_timeout",
    ]
    assert all(
        setting["title"] and setting["description"] for setting in about["settings"]["properties"].values()
    )
