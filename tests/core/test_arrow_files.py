"""Arrow files in place of RECORD messages: every value, bounded files, and STATE never ahead of them."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pytest

from arrow_files import into, plain, rows, rows_of, tables
from in_process import call, said, select
from json_api import JsonApi, numbered
from lists import bookings, moment
from tap_billing.tap import TapBilling
from tap_core import arrow_files
from tap_core.errors import Hopeless
from tap_core.records.arrow import ArrowTable
from tap_core.records.values import as_plain_moment
from tap_events.tap import TapEvents
from tap_scheduling.tap import TapScheduling
from two_taps import billing, events
from ways import SCHEMA, codec, msgspec, written

PROPERTIES = SCHEMA["properties"]
USUAL = {"id": 1, "at": "2026-01-31T10:00:00+05:30"}
TYPES = {
    "id": pa.int64(),
    "text": pa.string(),
    "count": pa.int64(),
    "amount": pa.decimal128(38, 9),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "at": pa.timestamp("us", "UTC"),
}
TWO = [
    (TapBilling, billing, ("customers", "coupons")),
    (TapEvents, events, ("events", "attendees")),
]


def decoded(*records):
    texts = [json.dumps(USUAL | record) if isinstance(record, dict) else record for record in records]
    return codec().decode([msgspec.Raw(text.encode()) for text in texts], None, {})


def both(*records):
    """Records as they are written, and as they are in a table."""
    found = decoded(*records)
    table = pa.Table.from_batches([ArrowTable("things", SCHEMA).batch(found)])
    return [plain(record, PROPERTIES) for record in written(found)], table


def test_types_and_values():
    full = {
        "text": "é\N{GRINNING FACE}\x00",
        "count": -(2**63),
        "amount": 0.1,
        "flag": False,
        "day": "0001-01-01",
        "code": "5",
        "free": {"a": [1, {"b": None}]},
        "tags": ["x"],
        "nested": {"id": "n", "parts": [{"n": 2}, {"n": None}]},
        "novel": [1],
    }
    sent, table = both(full, {}, {"code": 5, "free": None, "tags": [], "count": "12"}, {"flag": "x"})
    assert rows_of(table) == sent
    for name in PROPERTIES:
        assert table.schema.field(name).type == TYPES.get(name, pa.json_(pa.string())), name
    assert table.column_names == list(PROPERTIES)
    assert sent[0]["_sdc_unmapped"] == {"novel": [1]}


@pytest.mark.parametrize(
    ("field", "text", "kind"),
    [
        ("count", "9223372036854775808", pa.decimal128(38, 0)),
        ("count", "1" * 38, pa.decimal128(38, 0)),
        ("count", "1" * 39, pa.string()),
        ("amount", "1" * 29, pa.decimal128(38, 9)),
        ("amount", "12345678901234567890.123456789012345678", pa.decimal128(38, 18)),
        ("amount", "0.1000000000000000055511151", pa.decimal128(38, 27)),
        ("amount", "1" * 39, pa.string()),
        ("amount", "1e-40", pa.string()),
        ("at", '"2026-03-01T10:20:30.123456+05:30"', pa.timestamp("us", "UTC")),
        ("at", '"9999-12-31T23:59:59.999999Z"', pa.timestamp("us", "UTC")),
        ("at", '"2026-03-01T10:20:30.1234567+05:30"', pa.string()),
    ],
)
def test_what_the_usual_type_does_not_hold_is_there_to_the_last_digit(field, text, kind):
    """And in one column with what is usual."""
    sent, table = both({field: json.loads('"2026-01-31T10:00:00Z"' if field == "at" else "7")}, {})
    assert rows_of(table) == sent
    record = f'{{"id": 2, "at": "2026-01-31T10:00:00Z", "{field}": {text}}}'
    sent, table = both({}, record.replace('"at": "2026-01-31T10:00:00Z", ', "") if field == "at" else record)
    assert table.schema.field(field).type == kind
    found = [row[field] for row in rows_of(table)]
    if kind == pa.string():
        found = [as_sent(value, field) for value in found]
    assert found == [row[field] for row in sent]


def as_sent(text, field):
    if field == "at":
        return plain({"at": text}, PROPERTIES)["at"]
    return text and Decimal(text)


def test_a_column_keeps_its_wider_type():
    table = ArrowTable("things", SCHEMA)
    types = [table.batch(decoded({"count": count})).schema.field("count").type for count in (1, 2**63, 1)]
    assert types == [pa.int64(), *[pa.decimal128(38, 0)] * 2]


def test_what_a_stream_map_makes_of_a_record():
    """Values of other types than the mapped schema says are text, as their JSON is."""
    fields = {
        "number": {"type": ["number", "null"]},
        "whole": {"type": ["integer", "null"]},
        "local": {"type": ["string", "null"], "x-format": "local-date-time"},
        "any": {},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    }
    records = [
        {"number": 0.1, "whole": 1.5, "local": "2026-03-01T10:20:30", "any": "a", "either": 1},
        {"number": None, "whole": True, "local": None, "any": None, "either": "1"},
    ]
    table = pa.Table.from_batches([ArrowTable("things", {"properties": fields}).batch(records)])
    assert table.schema.field("local").type == pa.timestamp("us")
    assert rows_of(table) == [
        {"number": "0.1", "whole": "1.5", "local": "2026-03-01T10:20:30.000000", "any": "a", "either": 1},
        {"number": None, "whole": "true", "local": None, "any": None, "either": "1"},
    ]
    kinds = ArrowTable("things", {"properties": fields})
    assert kinds.batch([{"local": "soon"}]).to_pylist()[0]["local"] == "soon"


@pytest.mark.parametrize("text", ['{"text": "\\ud83d"}', '{"free": {"a": "\\ud83d"}}'])
def test_half_a_character_is_told(text):
    record = json.dumps(USUAL)[:-1] + ", " + text[1:]
    with pytest.raises(Hopeless, match=r"things: `(text|free)` holds half a character"):
        ArrowTable("things", SCHEMA).batch(decoded(record))


def test_half_a_character_ends_the_run_and_moves_no_state(tmp_path):
    rows = [{**row, "first_name": "\ud83d"} for row in CUSTOMERS]
    with billing(rows) as api:
        chosen = {"url": api.url, "catalog": select(TapBilling, "customers")}
        output = call(TapBilling, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert output.code == 1
    assert said(output)[-1].startswith("customers: `first_name` holds half a character")
    assert not any(output.state["bookmarks"]["customers"].values())


@pytest.mark.parametrize(("tap", "server", "streams"), TWO)
def test_files_hold_what_records_would(tmp_path, tap, server, streams):
    """All messages but RECORD are the same, versions and the receipt among them."""
    claims = {"emit_activate_version_messages": True, "receipt": True, "account": "acme"}
    with server() as api:
        chosen = {"url": api.url, "catalog": select(tap, *streams), **claims}
        plainly = call(tap, tmp_path, **chosen)
        output = call(tap, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert (output.code, output.records) == (plainly.code, {}) == (0, {}), output.log
    assert output.schemas == plainly.schemas
    versions = {m["stream"]: m["version"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    assert versions.keys() == set(streams)
    for stream, (schema,) in output.schemas.items():
        properties, found = schema["schema"]["properties"], rows(output.messages, stream)
        if stream == "_sdc_reads":
            assert {row["stream"] for row in found} == set(streams)
            continue
        records = plainly.records[stream]
        assert found == [plain(record, properties) for record in records]
        (batch,) = (m for m in output.messages if m["type"] == "BATCH" and m["stream"] == stream)
        assert batch["encoding"] == {"format": "arrow"}
        assert batch["version"] == versions[stream]
        at = output.messages.index(
            {"type": "ACTIVATE_VERSION", "stream": stream, "version": batch["version"]}
        )
        assert output.messages.index(batch) < at
        (table,) = tables(output.messages, stream)
        times = json.loads(table.schema.metadata[b"time_extracted"])
        assert sum(count for _, count in times) == len(records)
        assert all(datetime.fromisoformat(time) < datetime.now(timezone.utc) for time, _ in times)
    assert output.messages[-1]["type"] == "STATE"


CUSTOMERS = [
    {"id": number, "created_at": moment(number), "updated_at": moment(number)} for number in range(1, 66)
]
USERS = [{"id": str(number)} for number in range(1, 66)]


BOOKINGS = [{"id": number, "updatedAt": moment(number)} for number in range(1, 66)]


def serve_customers(path, query):
    return numbered([{"customer": row} for row in CUSTOMERS], query)


def serve_users(path, query):
    begin, count = int(query["offset"]), int(query["limit"])
    return {"pagination": [{"total": len(USERS)}], "users": USERS[begin : begin + count]}


def serve_bookings(path, query):
    return bookings(BOOKINGS, query)


@pytest.mark.parametrize(
    ("tap", "serve", "stream"),
    [
        (TapBilling, serve_customers, "customers"),
        (TapEvents, serve_users, "users"),
        (TapScheduling, serve_bookings, "bookings"),
    ],
)
def test_no_state_is_of_rows_that_are_in_no_file(tmp_path, tap, serve, stream, monkeypatch):
    """So that a run from there completes them, wherever this one was cut off."""
    monkeypatch.setattr("tap_core.run._STATE_PAGES", 1)
    files = into(tmp_path / "files", batch_size=25)
    with JsonApi(serve) as api:
        chosen = {"url": api.url, "catalog": select(tap, stream), "batch_config": files, "page_size": 10}
        whole = call(tap, tmp_path, **chosen).messages
        assert all(len(table) <= 25 for table in tables(whole, stream))
        _, *states = [at for at, message in enumerate(whole) if message["type"] == "STATE"]
        moved = {at: whole[at]["value"]["bookmarks"][stream] for at in states[:-1]}
        assert len(moved) > 1
        for at, entry in moved.items():
            *_, last = rows(whole[:at], stream)
            assert (entry.get("checkpoint") or [{"key": str(last["id"])}])[0]["key"] == str(last["id"])
            assert as_plain_moment(entry.get("replication_key_value")) in {last.get("updatedAt"), None}
        at = states[0]
        again = call(tap, tmp_path, state=whole[at]["value"], **chosen).messages
    assert len(rows(again, stream)) < len(CUSTOMERS)
    assert {row["id"] for row in rows(whole[:at], stream) + rows(again, stream)} == {*range(1, 66)}


def test_columns_that_grow_large_are_written_earlier(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_files, "MOST_BYTES", 1)
    with JsonApi(serve_users) as api:
        chosen = {"url": api.url, "catalog": select(TapEvents, "users"), "page_size": 10}
        output = call(TapEvents, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert len(tables(output.messages, "users")) > len(USERS) // 10


def test_rows_of_other_types_go_into_a_file_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_files, "_AT_ONCE", 10)
    ids = [str(number) for number in range(1, 26)]
    ids[14] = str(2**70)

    def serve(path, query):
        begin, count = int(query["offset"]), int(query["limit"])
        return {"pagination": [{"total": 25}], "users": [{"id": one} for one in ids][begin : begin + count]}

    with JsonApi(serve) as api:
        chosen = {"url": api.url, "catalog": select(TapEvents, "users"), "page_size": 10}
        output = call(TapEvents, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    found = tables(output.messages, "users")
    assert [str(row["id"]) for table in found for row in rows_of(table)] == ids
    assert [len(table) for table in found] == [10, 15]


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_G04_without_pyarrow_a_line_says_how_it_is_installed(tmp_path, tap, monkeypatch):
    monkeypatch.setattr("tap_core.batches.find_spec", lambda name: None)
    output = call(tap, tmp_path, batch_config=into(tmp_path))
    (line,) = said(output)
    assert line == (
        "batch_config.encoding.format: arrow needs pyarrow beside the tap: `pip install 'pyarrow>=20'`, "
        "or in Meltano `[arrow]` behind the path in its pip_url"
    )


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_without_pyarrow_streams_are_shown_all_the_same(tmp_path, tap, monkeypatch):
    """Meltano always asks for them first; the run has the line."""
    monkeypatch.setattr("tap_core.batches.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "tap_core.arrow_files", None)
    shown = tap(config={"batch_config": into(tmp_path)}, validate_config=False, setup_mapper=False)
    assert json.loads(shown.catalog_json_text)["streams"]


def test_a_packed_file_is_refused(tmp_path):
    packed = {**into(tmp_path), "encoding": {"format": "arrow", "compression": "gzip"}}
    output = call(TapBilling, tmp_path, batch_config=packed)
    assert said(output) == ["batch_config.encoding.compression: Arrow files are not packed: leave it out"]
