"""Keys are unique without a constraint, and what did not change is not touched."""

from __future__ import annotations

import os
import random

import pytest

from loaders.warehouse import ID, activate, record, records, schema, state

NAME = {**ID, "name": {"type": ["string", "null"]}}
TEXT = {"type": ["string", "null"]}


def test_no_constraint_and_no_index(warehouse):
    warehouse.load_rows(NAME, [{"id": 1, "name": "a"}])
    assert warehouse.ask("SELECT count(*) FROM duckdb_indexes()") == [(0,)]
    assert warehouse.ask("SELECT count(*) FROM duckdb_constraints() WHERE schema_name = 's'") == [(0,)]


def test_keys_stay_unique_and_the_last_row_wins(warehouse):
    """Doubles within a batch, over batches, over runs: against a dict."""
    rng, truth = random.Random(1), {}
    for _ in range(4):
        rows = [{"id": rng.randrange(200), "name": rng.choice("abc")} for _ in range(300)]
        truth |= {row["id"]: row["name"] for row in rows}
        warehouse.load_rows(NAME, rows, batch_size_rows=70)
    assert dict(warehouse.ask("SELECT id, name FROM s.t")) == truth
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(len(truth),)]


def test_keys_of_two_columns_and_of_texts(warehouse):
    fields = {"a": {"type": "string"}, "b": {"type": ["string", "integer"]}, "v": {"type": "integer"}}
    rows = [{"a": "x", "b": 1, "v": 1}, {"a": "x", "b": "1", "v": 2}, {"a": "X", "b": "1", "v": 3}]
    for _ in range(2):
        warehouse.load_rows(fields, rows, keys=("a", "b"))
    assert sorted(warehouse.ask("SELECT a, b, v FROM s.t")) == [
        ("X", "1", 3),
        ("x", "1", 2),
    ]


def test_the_same_keys_in_another_order_are_no_new_key(warehouse):
    """A table would else be put aside, and an incremental stream begin with an empty one."""
    fields = {"a": {"type": "integer"}, "b": {"type": "integer"}, "v": {"type": "integer"}}
    first, second = [{"a": 1, "b": 2, "v": 1}, {"a": 2, "b": 1, "v": 2}], [{"a": 1, "b": 2, "v": 3}]
    warehouse.load(schema(fields, ("a", "b")), *records(first, version=5))
    warehouse.load(schema(fields, ("b", "a")), *records(second, version=5), activate(5), state(1))
    assert warehouse.tables() == ["t"]
    query = "SELECT a, b, v FROM s.t WHERE _sdc_deleted_at IS NULL ORDER BY a"
    assert warehouse.ask(query) == [(1, 2, 3), (2, 1, 2)]


def test_a_table_of_keys_only(warehouse):
    names = [{"name": name} for name in ("Arts", "Music, live", 'say "hi"')]
    for _ in range(2):
        warehouse.load_rows({"name": {"type": "string"}}, names, keys=("name",))
    assert warehouse.ask("SELECT name FROM s.t ORDER BY 1") == [(row["name"],) for row in names]


def test_only_changed_rows_are_touched(warehouse):
    rows = [{"id": number, "name": "old"} for number in range(10)]
    warehouse.load(schema(NAME), *records(rows, version=1, at="2026-01-01T00:00:00Z"))
    metadata = "SELECT id, _sdc_extracted_at, _sdc_batched_at, _sdc_table_version FROM s.t ORDER BY id"
    before = warehouse.ask(metadata)
    rows[3]["name"] = None
    warehouse.load(schema(NAME), *records([*rows, {"id": 10}], version=2, at="2026-02-01T00:00:00Z"))
    after = warehouse.ask(metadata)
    assert [row for row, old in zip(after, before, strict=False) if row != old] == [after[3]]
    assert [row[3] for row in after] == [1, 1, 1, 2, *[1] * 6, 2]
    assert after[3][2] > before[3][2]
    assert after[3][1].isoformat() == "2026-02-01T00:00:00+00:00"
    assert warehouse.ask("SELECT id, name FROM s.t WHERE id IN (2, 3)") == [(2, "old"), (3, None)]


@pytest.mark.parametrize("key", ["a number", "a text"] if os.environ.get("RELIABILITY_FULL") else ["a text"])
def test_run_after_run_of_the_same_rows(warehouse, key):
    """Nothing is touched, and the file stays as large as it was after the first."""
    fields = {"id": {"type": ["integer", "string"] if key == "a text" else "integer"}}
    fields |= {f"f{n}": TEXT for n in range(8)}
    rng = random.Random(3)
    rows = [
        {"id": f"{rng.getrandbits(128):032x}" if key == "a text" else number}
        | {f"f{n}": f"{rng.getrandbits(40)}" for n in range(8)}
        for number in range(12_000)
    ]

    def run(version):
        messages = (schema(fields), *records(rows, version=version), activate(version))
        warehouse.load(*messages, batch_size_rows=5_000)
        return warehouse.path.stat().st_size, warehouse.ask("SELECT max(_sdc_batched_at), count(*) FROM s.t")

    size, touched = run(1)
    for version in range(2, 12 if os.environ.get("RELIABILITY_FULL") else 5):
        again, still = run(version)
        assert still == touched
        assert again <= size * 1.2
    assert touched[0][1] == len(rows)


def test_streams_without_keys_only_grow(warehouse):
    for _ in range(2):
        warehouse.load_rows(NAME, [{"id": 1, "name": "a"}, {"id": 1, "name": "a"}], keys=())
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(4,)]


def test_state_follows_what_was_committed(warehouse):
    """A STATE is told once the rows before it are there; of several, the newest is enough."""
    messages = [schema(NAME)]
    for number in range(10):
        messages += [record({"id": number, "name": "a"}), state({"at": number, "cost": 1.25})]
    told = warehouse.load(*messages, batch_size_rows=4)
    assert told == [{"at": 2, "cost": 1.25}, {"at": 6, "cost": 1.25}, {"at": 9, "cost": 1.25}]


def test_streams_side_by_side(warehouse):
    """Messages of two streams in turn, one written in another order of fields; empty lines do no harm."""
    lines = [schema(NAME), schema(NAME, stream="u"), ""]
    for number in range(20):
        lines += [
            record({"id": number, "name": "a"}),
            f'{{"record": {{"id": {number}, "name": "b"}}, "stream": "u", "type": "RECORD"}}',
        ]
    warehouse.load(*lines, batch_size_rows=7)
    assert warehouse.ask("SELECT count(*), count(DISTINCT id), any_value(name) FROM s.t") == [(20, 20, "a")]
    assert warehouse.ask("SELECT count(*), count(DISTINCT id), any_value(name) FROM s.u") == [(20, 20, "b")]


def test_columns_are_in_the_schemas_order_and_commented(warehouse):
    fields = {"z": {"type": "integer", "description": "it's last"}, **ID, "Ab": {"type": "string"}}
    warehouse.load(schema(fields))
    found = warehouse.ask("SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 's'")
    assert [name for name, _ in found] == [
        "z",
        "id",
        "Ab",
        "_sdc_extracted_at",
        "_sdc_batched_at",
        "_sdc_deleted_at",
        "_sdc_table_version",
    ]
    assert found[0][1] == "it's last"
    assert all(comment for _, comment in found[3:])


def test_hyphens_of_the_schema_become_underscores(warehouse):
    warehouse.load(schema(ID), default_target_schema="tap-maxio")
    assert warehouse.ask("SELECT count(*) FROM tap_maxio.t") == [(0,)]
