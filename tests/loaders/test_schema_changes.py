"""Schemas change, values are never lost, and a load is never stuck."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders.warehouse import ID, records, schema, text
from target_duckdb_exact.names import warehouse_name

INTEGER = {"type": ["integer", "null"]}
NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
MIXED = {"type": ["string", "number", "null"]}
TIME = {"type": ["string", "null"], "format": "date-time"}
DATE = {"type": ["string", "null"], "format": "date"}
BOOLEAN = {"type": ["boolean", "null"]}
OBJECT = {"type": ["object", "null"]}


def change(warehouse, before, first, after, second):
    """Load a row with a field of one kind, then another row with another one."""
    warehouse.load_rows({**ID, "v": before}, [{"id": 1, "v": first}])
    warehouse.load_rows({**ID, "v": after}, [{"id": 2, "v": second}])


def test_new_columns_are_added_behind(warehouse):
    warehouse.load_rows(ID, [{"id": 1}])
    warehouse.load_rows({"new": TEXT, **ID}, [{"id": 2, "new": "a"}])
    warehouse.load_rows(ID, [{"id": 2}, {"id": 3}])
    assert warehouse.ask("SELECT id, new FROM s.t ORDER BY id") == [(1, None), (2, "a"), (3, None)]


@pytest.mark.parametrize(
    ("before", "first", "after", "second", "type_", "values"),
    [
        (INTEGER, 5, NUMBER, 1.5, "DECIMAL(38,9)", [5, Decimal("1.5")]),
        (NUMBER, 1.5, INTEGER, 5, "DECIMAL(38,9)", [Decimal("1.5"), 5]),
        (INTEGER, 5, MIXED, "a", "VARCHAR", ["5", "a"]),
        (NUMBER, 1.50, MIXED, 2.5, "VARCHAR", ["1.5", "2.5"]),
        (BOOLEAN, True, TEXT, "no", "VARCHAR", ["true", "no"]),
        (DATE, "2026-01-02", TEXT, "soon", "VARCHAR", ["2026-01-02", "soon"]),
        (TIME, "2026-01-02T03:04:05+01:00", TEXT, "x", "VARCHAR", ["2026-01-02T02:04:05.000000Z", "x"]),
        (TEXT, 'say "hi"', OBJECT, {"a": 1}, "JSON", ['"say \\"hi\\""', '{"a": 1}']),
        (NUMBER, 100, {}, [1], "JSON", ["100", "[1]"]),
        (TIME, "2026-01-02T03:04:05Z", {}, True, "JSON", ['"2026-01-02T03:04:05.000000Z"', "true"]),
    ],
)
def test_types_that_are_widened(warehouse, before, first, after, second, type_, values):
    change(warehouse, before, first, after, second)
    assert warehouse.types() == {"id": "BIGINT", "v": type_}
    assert [value for (value,) in warehouse.ask("SELECT v FROM s.t ORDER BY id")] == values


@pytest.mark.parametrize(
    ("before", "first", "after", "second", "type_", "value"),
    [
        (TEXT, "abc", INTEGER, 5, "BIGINT", 5),
        (BOOLEAN, True, INTEGER, 5, "BIGINT", 5),
        (DATE, "2026-01-02", BOOLEAN, True, "BOOLEAN", True),
        (OBJECT, {"a": 1}, TEXT, "b", "VARCHAR", "b"),
    ],
)
def test_types_that_are_put_aside(warehouse, caplog, before, first, after, second, type_, value):
    change(warehouse, before, first, after, second)
    types = warehouse.types()
    assert list(types) == ["id", "v__v1", "v"]
    assert types["v"] == type_
    assert warehouse.ask("SELECT v FROM s.t ORDER BY id") == [(None,), (value,)]
    (kept,), (nothing,) = warehouse.ask("SELECT v__v1::VARCHAR FROM s.t ORDER BY id")
    assert kept == (first if isinstance(first, str) else json.dumps(first))
    assert nothing is None
    assert "column v is now" in caplog.text
    assert "kept in column v__v1" in caplog.text


def test_a_new_key_makes_a_new_table(warehouse, caplog):
    fields = {**ID, "uid": TEXT}
    warehouse.load_rows(fields, [{"id": 1, "uid": "a"}, {"id": 2, "uid": "a"}], history=["t"])
    warehouse.load_rows(fields, [{"id": 1, "uid": "a"}], keys=("uid",), history=["t"])
    warehouse.load_rows(fields, [{"id": 1, "uid": "b"}], keys=("id", "uid"))
    assert warehouse.tables() == ["t", "t__v1", "t__v2", "t_history__v1", "t_history__v2"]
    assert warehouse.ask("SELECT count(*) FROM s.t__v1") == [(2,)]
    assert warehouse.ask("SELECT id, uid FROM s.t__v2") == [(1, "a")]
    assert warehouse.ask("SELECT id, uid FROM s.t") == [(1, "b")]
    assert "s.t has a new key: the old table is now t__v1" in caplog.text


def test_a_key_of_another_type_makes_a_new_table(warehouse):
    warehouse.load_rows({"id": TEXT}, [{"id": "a"}])
    warehouse.load_rows(ID, [{"id": 1}])
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]
    assert warehouse.ask("SELECT id FROM s.t__v1") == [("a",)]


def test_a_schema_that_changes_on_the_way(warehouse):
    """Rows before and after it are loaded, each as its own schema says."""
    warehouse.load(
        schema({**ID, "v": INTEGER}),
        *records([{"id": 1, "v": 5}]),
        schema({**ID, "v": INTEGER}),
        *records([{"id": 2, "v": 6}]),
        schema({**ID, "w": TEXT, "v": MIXED}),
        *records([{"id": 2, "v": "six", "w": "x"}, {"id": 3, "v": 7}]),
    )
    assert warehouse.ask("SELECT id, v, w FROM s.t ORDER BY id") == [
        (1, "5", None),
        (2, "six", "x"),
        (3, "7", None),
    ]


def test_names_that_differ_by_case_only(warehouse, caplog):
    """Each keeps its column, in whatever order they come in later runs."""
    fields = {**ID, "name": TEXT, "Name": TEXT, "NAME": TEXT}
    warehouse.load_rows(fields, [{"id": 1, "name": "a", "Name": "b", "NAME": "c"}])
    turned = dict(reversed(fields.items()))
    warehouse.load_rows(turned, [{"id": 2, "name": "a", "Name": "b", "NAME": "c"}])
    assert warehouse.ask('SELECT name, "Name_2", "NAME_3" FROM s.t') == [("a", "b", "c")] * 2
    assert "field Name is in column Name_2, as another has its name" in caplog.text


def test_snake_case(warehouse, caplog):
    fields = {**ID, "absentHost": BOOLEAN, "absent_host": BOOLEAN, "HTTPCode": INTEGER, "_sdc_key": TEXT}
    row = {"id": 1, "absentHost": True, "absent_host": False, "HTTPCode": 200, "_sdc_key": "k"}
    warehouse.load_rows(fields, [row], naming="snake_case")
    found = warehouse.ask("SELECT absent_host, absent_host_2, http_code, _sdc_key FROM s.t")
    assert found == [(True, False, 200, "k")]
    assert "column absent_host_2" in caplog.text
    assert warehouse_name("eventType.id!", "snake_case") == "event_type_id"


def test_a_field_named_like_the_loaders_own(warehouse):
    fields = {**ID, "_sdc_deleted_at": TIME, "_sdc_row": TEXT}
    warehouse.load_rows(fields, [{"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z", "_sdc_row": "x"}])
    found = warehouse.ask("SELECT _sdc_deleted_at, year(_sdc_deleted_at_2), _sdc_row_2 FROM s.t")
    assert found == [(None, 2026, "x")]


def test_streams_that_differ_by_case_only(warehouse, caplog):
    warehouse.load(
        schema(ID, stream="Users"), schema(ID, stream="users"), *records([{"id": 1}], stream="users")
    )
    assert warehouse.tables() == ["Users", "users_2"]
    assert warehouse.ask("SELECT count(*) FROM s.users_2") == [(1,)]
    assert "s.users is another stream's table" in caplog.text


def test_schemas_that_differ_by_case_only_are_the_same(warehouse):
    for key, name in enumerate(("S", "s", "S")):
        warehouse.load_rows(ID, [{"id": key}], default_target_schema=name)
    assert warehouse.ask("SELECT id FROM s.t ORDER BY id") == [(0,), (1,), (2,)]


def test_a_field_without_a_name(warehouse):
    warehouse.load_rows({**ID, "": TEXT, "_": TEXT}, [{"id": 1, "": "a", "_": "b"}])
    assert warehouse.ask("SELECT _, __2 FROM s.t") == [("a", "b")]


def test_names_that_need_quotes(warehouse):
    stream, name = 'a "b".c;--', "x'y\" z"
    for _ in range(2):
        warehouse.load(
            schema({"id": TEXT, name: TEXT}, stream=stream), *records([{"id": "1", name: "v"}], stream=stream)
        )
    assert warehouse.ask('SELECT "x\'y"" z" FROM s."a ""b"".c;--"') == [("v",)]


def test_a_file_of_target_duckdb_08(warehouse, caplog):
    """Its tables, with their primary keys, are kept under another name: nothing is mixed."""
    config = warehouse.folder / "old.json"
    config.write_text(json.dumps({"filepath": str(warehouse.path), "default_target_schema": "s"}))
    fields = {**ID, "absentHost": BOOLEAN, "amount": NUMBER}
    old = [{"id": 1, "absentHost": True, "amount": 0.1}, {"id": 2, "absentHost": None, "amount": 0.2}]
    subprocess.run(
        [Path(sys.executable).with_name("target-duckdb"), "--config", config],
        input=text([schema(fields), *records(old)]),
        text=True,
        check=True,
        capture_output=True,
    )
    warehouse.load_rows(fields, old[:1])
    assert warehouse.ask("SELECT id, absenthost, amount FROM s.t__v1 ORDER BY id") == [
        (1, True, 0.1),
        (2, None, 0.2),
    ]
    assert warehouse.ask('SELECT id, "absentHost", amount FROM s.t') == [(1, True, Decimal("0.1"))]
    assert "s.t was there before, filled by another loader: it is now t__v1" in caplog.text
    warehouse.load_rows(fields, old)
    assert warehouse.tables() == ["t", "t__v1"]


def test_a_table_that_was_dropped_by_hand(warehouse):
    warehouse.load_rows({**ID, "v": TEXT}, [{"id": 1, "v": "a"}])
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("ALTER TABLE s.t DROP COLUMN v")
    warehouse.load_rows({**ID, "v": TEXT}, [{"id": 1, "v": "a"}])
    assert warehouse.ask("SELECT id, v FROM s.t") == [(1, "a")]
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("DROP TABLE s.t")
    warehouse.load_rows({**ID, "v": TEXT}, [{"id": 2, "v": "b"}])
    assert warehouse.ask("SELECT id, v FROM s.t") == [(2, "b")]
