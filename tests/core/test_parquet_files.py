"""Parquet files of batches: what a target makes of their rows is what RECORD messages have."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from arrow_files import path_of
from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import bookings
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_scheduling.tap import TapScheduling
from two_taps import billing, events


def into(folder, **encoding):
    """The setting that writes Parquet files into a folder."""
    return {"encoding": {"format": "parquet", **encoding}, "storage": {"root": folder.as_uri()}}


def tables(messages, stream):
    """The files of a stream, in order."""
    batches = [m for m in messages if m["type"] == "BATCH" and m["stream"] == stream]
    return [pq.read_table(path_of(url)) for batch in batches for url in batch["manifest"]]


def rows(messages, stream):
    """The rows of a stream's files, as a target of the SDK has them; what is marked as JSON is read."""
    found = []
    for table in tables(messages, stream):
        marked = [field.name for field in table.schema if isinstance(field.type, pa.JsonType)]
        for row in table.to_pylist():
            read = {name: json.loads(row[name], parse_float=Decimal) for name in marked if row[name]}
            found.append(row | read)
    return found


def bare(value):
    """A value without the fields that are null, which Parquet can't tell from those that are not there."""
    if isinstance(value, list):
        return [bare(item) for item in value]
    if isinstance(value, dict):
        return {name: bare(item) for name, item in value.items() if item is not None}
    return value


def answer(rows):
    """The servers of two taps whose first stream has these rows, as JSON texts."""

    def customers(path, query):
        return numbered([{"customer": row} for row in rows], query)

    def users(path, query):
        return {"pagination": [{"total": len(rows)}], "users": cut(rows, query)}

    return {TapBilling: (customers, "customers"), TapEvents: (users, "users")}


AT = {"created_at": "2026-01-01T00:00:00.5+05:30", "updated_at": "2026-01-02T00:00:00Z"}
DIRT = {
    "a field that the first row lacks": [{}, {"first_name": "Ann", "last_name": "é\x00"}],
    "nothing in any": [{}, {}],
    "unknown fields that differ": [{"new": 1}, {"new": "x"}, {"new": {"a": 1}}, {"new": [1]}],
    "an unknown field in the second row": [{}, {"new": "x"}],
    "an empty object in an unknown field": [{"new": {}}, {"newer": {"b": {}}}],
    "misfits that differ": [{"first_name": {"a": 1}}, {"first_name": [1]}],
    "integers of many digits": [{"new": 12345678901234567890}, {"new": -1}],
    "decimals of many digits": [{"new": 0.5}, {"new": 1.1}],
}


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
@pytest.mark.parametrize("dirt", DIRT.values(), ids=DIRT)
def test_files_hold_what_records_do(tmp_path, tap, dirt):
    sent = [{"id": number, **AT, **row} for number, row in enumerate(dirt, 1)]
    serve, stream = answer(sent)[tap]
    with JsonApi(serve) as api:
        chosen = {"url": api.url, "catalog": select(tap, stream)}
        plainly = call(tap, tmp_path, **chosen)
        output = call(tap, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert (output.code, plainly.code) == (0, 0), output.log
    assert bare(rows(output.messages, stream)) == bare(plainly.records[stream])
    (table,) = tables(output.messages, stream)
    (schema,) = output.schemas[stream]
    assert table.column_names == list(schema["schema"]["properties"])


SHAPES = [
    {"hosts": [{"id": 1, "name": "a"}], "metadata": {"any": {}}, "rating": 4, "guests": ["a", "b"]},
    {"hosts": [{"id": "x"}], "metadata": {"any": [1]}, "attendees": [], "eventType": {"id": 2**70}},
    {
        "attendees": [{"name": "b", "absent": True}, {}],
        "eventType": {"slug": "c"},
        "rating": 2**64,
        "duration": 2**200,
    },
    {"eventType": {}, "title": None},
]


def test_objects_and_lists(tmp_path):
    sent = [{"id": number, "updatedAt": AT["updated_at"], **row} for number, row in enumerate(SHAPES)]
    with JsonApi(lambda path, query: bookings(sent, query)) as api:
        chosen = {"url": api.url, "catalog": select(TapScheduling, "bookings")}
        plainly = call(TapScheduling, tmp_path, **chosen)
        output = call(TapScheduling, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert bare(rows(output.messages, "bookings")) == bare(plainly.records["bookings"])
    (table,) = tables(output.messages, "bookings")
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    assert types["guests"].value_type == pa.string()
    assert types["eventType"] == pa.struct({"id": pa.decimal128(38, 0), "slug": pa.string()})
    assert types["rating"] == pa.decimal128(38, 9)
    assert all(
        isinstance(types[name], pa.JsonType) for name in ("metadata", "hosts", "attendees", "duration")
    )


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
@pytest.mark.parametrize("row", [{"first_name": "\ud83d"}, {"new": {"a": "\ud83d"}}])
def test_half_a_character_is_told_by_its_column_and_moves_no_state(tmp_path, tap, row):
    serve, stream = answer([{"id": 1, **AT, **row}])[tap]
    with JsonApi(serve) as api:
        chosen = {"url": api.url, "catalog": select(tap, stream)}
        output = call(tap, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert output.code == 1
    name = "first_name" if "first_name" in row else "_sdc_unmapped"
    assert said(output)[-1].startswith(f"{stream}: `{name}` holds half a character")
    assert not any(output.state.get("bookmarks", {}).get(stream, {}).values())


@pytest.mark.parametrize(
    ("encoding", "end", "packed"), [({}, ".parquet", "SNAPPY"), ({"compression": "gzip"}, ".gz", "GZIP")]
)
def test_files_are_packed_as_the_setting_says(tmp_path, encoding, end, packed):
    with billing() as api:
        chosen = {"url": api.url, "catalog": select(TapBilling, "customers")}
        batches = {**into(tmp_path / "files", **encoding), "batch_size": 2}
        output = call(TapBilling, tmp_path, batch_config=batches, **chosen)
    urls = [url for m in output.messages if m["type"] == "BATCH" for url in m["manifest"]]
    assert len(urls) == 3
    assert all(url.endswith(end) for url in urls)
    assert pq.ParquetFile(path_of(urls[0])).metadata.row_group(0).column(0).compression == packed


def test_columns_are_those_of_the_schema_as_maps_and_account_make_it(tmp_path):
    rules = {"__alias__": "shows", "title": None, "text": "str(id)", "tenth": "float(id) / 10", "odd": "id"}
    with events() as api:
        chosen = {"url": api.url, "catalog": select(TapEvents, "events"), "stream_maps": {"events": rules}}
        chosen["account"] = "me"
        plainly = call(TapEvents, tmp_path, **chosen)
        output = call(TapEvents, tmp_path, batch_config=into(tmp_path / "files"), **chosen)
    assert bare(rows(output.messages, "shows")) == bare(plainly.records["shows"])
    (table,) = tables(output.messages, "shows")
    assert table.column_names == list(output.schemas["shows"][0]["schema"]["properties"])
    assert table.column_names[0] == "account"
    assert table.schema.field("tenth").type == pa.decimal128(38, 9)
