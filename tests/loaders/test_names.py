"""Names that the loader or DuckDB have a use for too: of columns, of schemas, and of the file."""

from __future__ import annotations

import pytest

from loaders.warehouse import ID, activate, records, schema

ODD = (
    *("rowid", "r", "s", "t", "h", "p", "c", "n", "c0", "c1", "rows", "round", "gone", "present", "changed"),
    *("source", "batch", "extracted", "version", "key", "account", "temp", "main", "now", "$now", "excluded"),
    *("_sdc_row", "order", "select", 'a"b', "a'b", "s.r", "t.rowid", "{own}", "%s"),
)
TEXT = {"type": ["string", "null"]}


def values(number):
    """The same in all rows to begin with: taken for the number of a row, it would be that of the first."""
    return dict.fromkeys(ODD, number)


@pytest.mark.parametrize("hard", [False, True], ids=["marked", "removed"])
@pytest.mark.parametrize("history", [[], ["t"]], ids=["no history", "history"])
def test_columns_that_are_called_as_what_the_loader_uses(warehouse, hard, history):
    fields = {**ID, "v": TEXT, **{name: {"type": "integer"} for name in ODD}}
    settings = {"hard_delete": hard, "history": history}

    def load(version, *rows):
        warehouse.load(schema(fields), *records(rows, version=version), activate(version), **settings)

    load(1, *({"id": number, **values(0), "v": "old"} for number in range(5)))
    load(
        2,
        {"id": 0, **values(0), "v": "old"},
        {"id": 1, **values(1), "v": "new"},
        {"id": 1, **values(2), "v": "newer"},
        {"id": 2, **values(0), "v": "old"},
        {"id": 7, **values(0), "v": "added"},
    )
    found = warehouse.ask("SELECT * FROM s.t WHERE _sdc_deleted_at IS NULL ORDER BY id")
    assert [row[:2] for row in found] == [(0, "old"), (1, "newer"), (2, "old"), (7, "added")]
    assert [set(row[2 : 2 + len(ODD)]) for row in found] == [{0}, {2}, {0}, {0}]
    gone = [] if hard else [(3,), (4,)]
    assert warehouse.ask("SELECT id FROM s.t WHERE _sdc_deleted_at IS NOT NULL ORDER BY id") == gone
    if history:
        assert warehouse.ask(
            "SELECT id, count(*), count_if(_sdc_is_current) FROM s.t_history GROUP BY id ORDER BY id"
        ) == [(0, 1, 1), (1, 3, 1), (2, 1, 1), (3, 1, 0), (4, 1, 0), (7, 1, 1)]


@pytest.mark.parametrize("key", ["rowid", "r", "round", "changed", "s", "t"])
def test_keys_that_are_called_as_what_the_loader_uses(warehouse, key):
    fields = {key: {"type": "integer"}, "v": TEXT}
    for version, rows in enumerate(([(9, "a"), (8, "b"), (7, "c")], [(9, "a"), (8, "x"), (8, "y")]), start=1):
        sent = records([{key: number, "v": text} for number, text in rows], version=version)
        warehouse.load(schema(fields, keys=(key,)), *sent, activate(version), history=["t"])
    assert warehouse.ask(f'SELECT "{key}", v, _sdc_deleted_at IS NULL FROM s.t ORDER BY 1 DESC') == [
        (9, "a", True),
        (8, "y", True),
        (7, "c", False),
    ]
    assert warehouse.ask("SELECT count(*) FROM s.t_history") == [(5,)]


def test_rows_without_keys_and_a_column_called_rowid(warehouse):
    fields = {"rowid": {"type": "integer"}, "v": TEXT}
    for version, names in enumerate(("abc", "de"), start=1):
        sent = records([{"rowid": 0, "v": name} for name in names], version=version)
        warehouse.load(schema(fields, keys=()), *sent, activate(version))
    assert warehouse.ask("SELECT v FROM s.t WHERE _sdc_deleted_at IS NULL ORDER BY v") == [("d",), ("e",)]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("tap_rewards", "tap_rewards"),
        ("tap_rewards", "TAP_REWARDS"),
        ("_sdc_loader", "s"),
        ("temp", "temp"),
        ("warehouse", "temp"),
        ("warehouse", "system"),
        ("memory", "memory"),
        ('a "b"', 'a "b"'),
    ],
)
def test_schemas_that_are_called_as_the_file_or_as_one_of_duckdb_s_own(warehouse, file, name):
    warehouse.path = warehouse.folder / f"{file}.duckdb"
    fields = {**ID, "v": {"type": ["integer", "string"], "description": "a value"}}
    settings = {"default_target_schema": name, "history": ["t"]}
    for version, sent in enumerate(([1, 2, 2**70], [1, "x"]), start=1):
        rows = [{"id": number, "v": value} for number, value in enumerate(sent)]
        warehouse.load(schema(fields), *records(rows, version=version), activate(version), **settings)
    assert warehouse.ask(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE table_name LIKE 't%' "
        "AND table_name <> 'tables' AND NOT internal ORDER BY table_name"
    ) == [(name, "t", 3), (name, "t_history", 4)]
