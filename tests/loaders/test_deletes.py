"""Rows that a whole version has not seen are gone; nothing else is."""

from __future__ import annotations

import time

import pytest
from singer_sdk.exceptions import RecordsWithoutSchemaException

from loaders.warehouse import ID, activate, record, records, schema

NAME = {**ID, "name": {"type": ["string", "null"]}}


def rows(*keys):
    return [{"id": key, "name": "a"} for key in keys]


def alive(warehouse, table="t"):
    found = warehouse.ask(f"SELECT id FROM s.{table} WHERE _sdc_deleted_at IS NULL ORDER BY id")
    return [key for (key,) in found]


def deleted(warehouse):
    return [
        key for (key,) in warehouse.ask("SELECT id FROM s.t WHERE _sdc_deleted_at IS NOT NULL ORDER BY id")
    ]


def seen(warehouse):
    tables = warehouse.ask("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'seen_%'")
    return sum(warehouse.ask(f"SELECT count(*) FROM _sdc_loader.{name}")[0][0] for (name,) in tables)


@pytest.mark.parametrize("batch", [2, 100])
def test_rows_that_are_gone(warehouse, batch):
    settings = {"batch_size_rows": batch}
    warehouse.load(schema(NAME), *records(rows(1, 2, 3, 4, 5), version=10), activate(10), **settings)
    assert deleted(warehouse) == []
    changed = {"id": 3, "name": "new"}
    warehouse.load(
        schema(NAME), *records([*rows(1, 2), changed, *rows(6)], version=20), activate(20), **settings
    )
    assert (alive(warehouse), deleted(warehouse)) == ([1, 2, 3, 6], [4, 5])
    assert warehouse.ask(
        "SELECT count(DISTINCT _sdc_batched_at) FROM s.t WHERE _sdc_deleted_at = _sdc_batched_at"
    ) == [(1,)]
    assert seen(warehouse) == 0


def test_rows_that_come_back_are_alive(warehouse):
    """Equal as they are to the row that is marked."""
    warehouse.load(schema(NAME), *records(rows(1, 2), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1), version=20), activate(20))
    assert deleted(warehouse) == [2]
    warehouse.load(schema(NAME), *records(rows(1, 2), version=30), activate(30))
    assert alive(warehouse) == [1, 2]


def test_hard_delete(warehouse):
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1, 3), version=20), activate(20))
    warehouse.load(schema(NAME), *records(rows(1), version=30), activate(30), hard_delete=True)
    assert warehouse.ask("SELECT id FROM s.t") == [(1,)]


def test_rows_without_a_version_are_older_than_any(warehouse):
    warehouse.load(schema(NAME), *records(rows(1, 2, 3)))
    warehouse.load(schema(NAME), *records(rows(1, 2), version=1), activate(1))
    assert (alive(warehouse), deleted(warehouse)) == ([1, 2], [3])
    warehouse.load(schema(NAME), *records(rows(4)))  # an incremental run
    assert alive(warehouse) == [1, 2, 4]
    warehouse.load(schema(NAME), *records(rows(1, 4), version=2), activate(2))
    assert alive(warehouse) == [1, 4]


def test_an_interrupted_version_goes_on(warehouse):
    """What it saw in its first run is not gone, although it was untouched."""
    warehouse.load(schema(NAME), *records(rows(*range(10)), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(0, 1, 2), version=20))
    warehouse.load(schema(NAME), *records(rows(2, 3, 4), version=20))
    assert deleted(warehouse) == []
    assert seen(warehouse) == 5
    warehouse.load(schema(NAME), *records(rows(5), version=20), activate(20))
    assert (alive(warehouse), deleted(warehouse)) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])


def test_what_a_version_saw_that_was_given_up_does_not_count(warehouse):
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1, 2), version=20))
    warehouse.load(schema(NAME), *records(rows(2, 3), version=30), activate(30))
    assert (alive(warehouse), deleted(warehouse)) == ([2, 3], [1])


def test_a_version_is_whole_once(warehouse):
    """The tap was killed after the commit, before STATE was kept: it sends the end of the read once more."""
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=20), activate(20))
    warehouse.load(schema(NAME), *records(rows(3), version=20), activate(20))
    assert alive(warehouse) == [1, 2, 3]


def test_an_older_version_deletes_nothing(warehouse):
    warehouse.load(schema(NAME), *records(rows(1, 2), version=20))
    warehouse.load(schema(NAME), *records(rows(1), version=10), activate(10))
    assert alive(warehouse) == [1, 2]


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
@pytest.mark.parametrize("hard", [False, True], ids=["marked", "removed"])
def test_deletes_after_a_run_whose_clock_was_ahead(warehouse, caplog, unit, hard):
    """And whose STATE is lost: the next run's version is lower. Rows that did not come again are gone."""
    ahead, now = (int(time.time() + days * 86_400) * unit for days in (365, 0))
    settings = {"hard_delete": hard, "history": ["t"]}
    warehouse.load(schema(NAME), *records(rows(1, 2, 3, 4), version=ahead), activate(ahead), **settings)
    warehouse.load(schema(NAME), *records(rows(1, 2), version=now), **settings)
    warehouse.load(schema(NAME), *records(rows(3), version=now), activate(now), **settings)
    assert (alive(warehouse), deleted(warehouse)) == ([1, 2, 3], [] if hard else [4])
    assert warehouse.ask("SELECT id FROM s.t_history WHERE NOT _sdc_is_current") == [(4,)]
    (line,) = (record.message for record in caplog.records if record.levelname == "WARNING")
    assert line.startswith(f"t: version {ahead}, which was loaded before, is in the future")
    warehouse.load(schema(NAME), activate(now + 1), **settings)
    assert alive(warehouse) == []


def test_a_read_that_was_empty_after_a_run_whose_clock_was_ahead(warehouse):
    fields, now = {**NAME, "account": {"const": "a"}}, int(time.time())
    other = {**NAME, "account": {"const": "b"}}
    for account in (fields, other):
        mark = {"account": account["account"]["const"]}
        sent = records([{**mark, **row} for row in rows(1, 2)], version=now + 86_400)
        warehouse.load(schema(account, keys=("account", "id")), *sent, activate(now + 86_400))
    warehouse.load(schema(fields, keys=("account", "id")), activate(now))
    assert warehouse.ask("SELECT DISTINCT account FROM s.t WHERE _sdc_deleted_at IS NOT NULL") == [("a",)]
    assert warehouse.ask("SELECT count(*) FROM s.t WHERE _sdc_deleted_at IS NULL") == [(2,)]


def test_a_whole_read_that_came_late_is_told(warehouse, caplog):
    """It may be a clock that was a little ahead too."""
    now = int(time.time())
    warehouse.load(schema(NAME), *records(rows(1, 2), version=now + 60), activate(now + 60))
    warehouse.load(schema(NAME), *records(rows(1), version=now), activate(now))
    assert alive(warehouse) == [1, 2]
    assert f"t: version {now} is whole and marks no row as gone, as rows of the newer" in caplog.text
    caplog.clear()
    warehouse.load(schema(NAME), *records(rows(1), version=now + 60), activate(now + 60))
    assert "WARNING" not in caplog.text


def test_an_empty_read_that_was_whole(warehouse):
    warehouse.load(schema(NAME), *records(rows(1, 2), version=10), activate(10))
    warehouse.load(schema(NAME), activate(20))
    assert deleted(warehouse) == [1, 2]


def test_rows_after_the_end_of_a_version(warehouse):
    """In one input: the next version's rows don't count for the one before."""
    messages = [schema(NAME), *records(rows(1, 2), version=10), activate(10)]
    warehouse.load(*messages, *records(rows(2, 3), version=20), activate(20))
    assert (alive(warehouse), deleted(warehouse)) == ([2, 3], [1])


def test_streams_without_keys(warehouse):
    warehouse.load(schema(NAME, keys=()), *records(rows(1, 1), version=10), activate(10))
    warehouse.load(schema(NAME, keys=()), *records(rows(1), version=20), activate(20))
    assert (alive(warehouse), deleted(warehouse)) == ([1], [1, 1])


def test_keys_that_widened_while_a_version_was_read(warehouse):
    big = 2**70
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1, 2), version=20))
    warehouse.load(schema(NAME), *records(rows(big), version=20), activate(20))
    assert (alive(warehouse), deleted(warehouse)) == ([1, 2, big], [3])


def test_a_version_is_given_up_when_its_keys_become_texts(warehouse):
    """Its deletes wait for the next one: what it has seen can't be told."""
    text = {**NAME, "id": {"type": ["integer", "string"]}}
    warehouse.load(schema(NAME), *records(rows(1, 2, 3), version=10), activate(10))
    warehouse.load(schema(NAME), *records(rows(1), version=20))
    warehouse.load(schema(text), *records(rows("2"), version=20), activate(20))
    assert alive(warehouse) == ["1", "2", "3"]
    warehouse.load(schema(text), *records(rows("1", "2"), version=30), activate(30))
    assert alive(warehouse) == ["1", "2"]


def test_activate_without_its_schema(warehouse):
    with pytest.raises(RecordsWithoutSchemaException):
        warehouse.load(activate(1))


def test_plain_sdk_taps_that_say_it_first(warehouse):
    """They send ACTIVATE_VERSION before the first row too: what comes is alive again."""
    for version in (10, 20):
        warehouse.load(
            schema(NAME), activate(version), *records(rows(1, 2), version=version), activate(version)
        )
    assert alive(warehouse) == [1, 2]
    assert warehouse.ask("SELECT count(*) FROM s.t") == [(2,)]
    warehouse.load(schema(NAME), activate(30), record({"id": 1, "name": "a"}, version=30), activate(30))
    assert alive(warehouse) == [1]
