"""The history of rows against a log of their changes."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

from loaders.warehouse import ID, activate, record, records, schema

FIELDS = {**ID, "state": {"type": ["string", "null"]}, "price": {"type": ["number", "null"]}}
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HISTORY = (
    "SELECT id, state, _sdc_valid_from, _sdc_valid_to, _sdc_is_current FROM s.t_history ORDER BY 1, 3, 4"
)


def test_history_against_a_log_of_changes(warehouse):
    """Changes of random rows in random batches, some rows twice in one batch, some sent again as they are."""
    rng, log, now = random.Random(5), {}, START
    for _ in range(6):
        messages = []
        for _ in range(30):
            now += timedelta(seconds=1)
            key, state = rng.randrange(12), rng.choice(["a", "b", None])
            if key not in log or log[key][-1][0] != state:
                if key in log:
                    log[key][-1][2] = now
                log.setdefault(key, []).append([state, now, None])
            messages.append(record({"id": key, "state": state, "price": 1.5}, at=now.isoformat()))
        warehouse.load(schema(FIELDS), *messages, history=["t"], batch_size_rows=rng.choice([4, 100]))
    expected = [
        (key, state, since, until, until is None)
        for key, versions in sorted(log.items())
        for state, since, until in versions
    ]
    assert warehouse.ask(HISTORY) == expected
    current = warehouse.ask("SELECT id, state FROM s.t_history WHERE _sdc_is_current ORDER BY id")
    assert current == warehouse.ask("SELECT id, state FROM s.t ORDER BY id")


def states(warehouse):
    query = "SELECT id, state, _sdc_is_current FROM s.t_history ORDER BY 1, _sdc_valid_from, _sdc_valid_to"
    return warehouse.ask(query)


def test_a_delete_closes_and_a_return_opens(warehouse):
    one, two = {"id": 1, "state": "a"}, {"id": 2, "state": "a"}
    warehouse.load(schema(FIELDS), *records([one, two], version=1), activate(1), history=["t"])
    for _ in range(2):
        warehouse.load(schema(FIELDS), *records([one], version=2), activate(2), history=["t"])
    assert states(warehouse) == [(1, "a", True), (2, "a", False)]
    assert warehouse.ask(
        "SELECT h._sdc_valid_to = t._sdc_deleted_at FROM s.t JOIN s.t_history h USING (id) WHERE id = 2"
    ) == [(True,)]
    warehouse.load(schema(FIELDS), *records([one, two], version=3), activate(3), history=["t"])
    assert states(warehouse) == [(1, "a", True), (2, "a", False), (2, "a", True)]
    warehouse.load(schema(FIELDS), *records([one], version=4), activate(4), history=["t"], hard_delete=True)
    assert states(warehouse) == [(1, "a", True), (2, "a", False), (2, "a", False)]


def test_a_history_that_begins_later_or_pauses(warehouse):
    """It begins with the rows that are there; after a pause it has what is there by then."""
    warehouse.load_rows(FIELDS, [{"id": 1, "state": "a"}, {"id": 2, "state": "a"}])
    warehouse.load_rows(FIELDS, [{"id": 2, "state": "b"}], history=["t"])
    assert states(warehouse) == [(1, "a", True), (2, "a", False), (2, "b", True)]
    warehouse.load_rows(FIELDS, [{"id": 1, "state": "z"}, {"id": 3, "state": "a"}])
    warehouse.load(schema(FIELDS), history=["t"])
    assert states(warehouse)[:2] == [(1, "a", False), (1, "z", True)]
    assert states(warehouse)[-1] == (3, "a", True)


def test_a_history_follows_its_tables_columns(warehouse):
    warehouse.load_rows(FIELDS, [{"id": 1, "state": "a", "price": 1.5}], history=["t"])
    wider = {**FIELDS, "price": {"type": ["number", "string"]}, "new": {"type": "integer"}}
    warehouse.load_rows(wider, [{"id": 1, "state": "a", "price": "free", "new": 5}], history=["t"])
    found = warehouse.ask("SELECT price, new FROM s.t_history ORDER BY _sdc_is_current")
    assert found == [("1.5", None), ("free", 5)]


def test_streams_that_have_none(warehouse):
    warehouse.load(schema(FIELDS, keys=()), schema(FIELDS, stream="u"), history=["t"])
    assert warehouse.tables() == ["t", "u"]


def test_a_name_that_no_stream_has_is_told(warehouse, caplog):
    """In the load that was to have it; one that was loaded before, as by another tap, is a name."""
    for stream in ("orders", "members"):
        warehouse.load(schema(ID, stream=stream), history=["ordrs", "orders", "t"])
    assert warehouse.tables() == ["members", "orders", "orders_history"]
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert told == 2 * [
        "history: no stream ordrs has come, now or in a load before: is it orders?",
        "history: no stream t has come, now or in a load before",
    ]
    caplog.clear()
    warehouse.load(history=["ordrs"])
    assert "WARNING" not in caplog.text
