"""Selection, stale catalogs, STATE, stream maps, flattening and batches."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from api_sandbox import Sandbox
from api_sandbox.events.data import generate
from support import KEY, discovered, run
from tap_events.tap import TapEvents
from tap_scheduling.tap import TapScheduling


@pytest.fixture
def config(api):
    return {"api_url": f"{api.url}/events", "api_key": KEY}


@pytest.fixture
def catalog():
    return discovered(TapEvents)


def select(catalog, streams=None, fields=()):
    """Select some streams, and deselect some fields of theirs."""
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"] and streams is not None:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
            if tuple(entry["breadcrumb"][1::2]) in fields:
                entry["metadata"]["selected"] = False
    return catalog


def paths(api):
    return {entry.path.removeprefix("/events/v1/").split("/")[-1] for entry in api.requests}


def test_deselected_streams_cost_nothing(api, config, catalog):
    output = run(TapEvents, config, catalog=select(catalog, {"users"}))
    assert paths(api) == {"users"}
    assert set(output.schemas) == {"users"}


def test_parents_are_read_only_for_selected_children(api, config, catalog):
    output = run(TapEvents, config, catalog=select(catalog, {"tickets"}))
    assert paths(api) == {"events", "tickets"}
    assert set(output.schemas) == set(output.records) == {"tickets"}
    assert len(output.records["tickets"]) == sum(map(len, api.data["events"]["tickets"].values()))


def test_deselected_fields_are_not_emitted(api, config, catalog):
    hidden = {("email",), ("first_name",), ("_sdc_unmapped",)}
    output = run(TapEvents, config, catalog=select(catalog, {"users", "attendees"}, hidden))
    output.check()
    for stream in ("users", "attendees"):
        properties = output.schemas[stream][0]["schema"]["properties"]
        assert not {"email", "first_name", "_sdc_unmapped"} & properties.keys()
        assert all("email" not in row and "last_name" in row for row in output.records[stream])
    assert len(output.records["users"]) == len(api.data["events"]["users"])


def test_stale_catalog_hides_no_new_field(config, catalog):
    for stream in catalog["streams"]:
        stream["schema"]["properties"] = {
            name: field for name, field in stream["schema"]["properties"].items() if name != "last_name"
        }
        stream["metadata"] = [e for e in stream["metadata"] if e["breadcrumb"] != ["properties", "last_name"]]
        del stream["key_properties"]
    output = run(TapEvents, config, catalog=select(catalog, {"users"}))
    assert all("last_name" in row for row in output.records["users"])
    assert output.schemas["users"][0]["key_properties"] == ["id"]


def test_catalog_overrides_a_type(config, catalog):
    for stream in catalog["streams"]:
        stream["schema"]["properties"]["id"] = {"type": "string"}
    output = run(TapEvents, config, catalog=select(catalog, {"users"}))
    output.check()
    assert all(isinstance(row["id"], str) for row in output.records["users"])


def test_stream_maps_and_flattening(config):
    maps = {
        "users": {"name": "first_name + ' ' + last_name", "__filter__": "user_type == 'organizer'"},
        "events": {"__filter__": "status == 'Draft'"},
        "categories": None,
    }
    output = run(
        TapEvents, {**config, "stream_maps": maps, "flattening_enabled": True, "flattening_max_depth": 2}
    )
    assert output.records["users"]
    assert all(row["name"] == f"{row['first_name']} {row['last_name']}" for row in output.records["users"])
    assert {row["status"] for row in output.records["events"]} == {"Draft"}
    drafts = {row["id"] for row in output.records["events"]}
    assert {row["event_id"] for row in output.records["tickets"]} <= drafts
    assert "categories" not in output.records


def test_batches(tmp_path):
    with Sandbox(data={"events": generate(Random(7), events=8)}) as small:
        check_batches(small, tmp_path)


def check_batches(api, tmp_path):
    config = {"api_url": f"{api.url}/events", "api_key": KEY}
    batch = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    output = run(TapEvents, {**config, "batch_config": batch})
    found = {}
    for message in output.messages:
        if message["type"] == "BATCH":
            rows = found.setdefault(message["stream"], [])
            for url in message["manifest"]:
                text = gzip.decompress(Path(url2pathname(urlparse(url).path)).read_bytes())
                rows += map(json.loads, text.split(b"\n")[:-1])
    tables = api.data["events"]
    assert len(found["events"]) == len(tables["events"])
    for stream in ("attendees", "tickets", "transactions"):
        assert len(found[stream]) == sum(map(len, tables[stream].values()))


def test_activate_version(config):
    output = run(TapEvents, {**config, "emit_activate_version_messages": True})
    versions = {m["stream"]: m["version"] for m in output.messages if m["type"] == "ACTIVATE_VERSION"}
    records = [m for m in output.messages if m["type"] == "RECORD"]
    assert all(message["version"] == versions[message["stream"]] for message in records)


def test_the_sdk_s_internals_that_the_core_replaces(config):
    """A change of the SDK that would pass the core's own ways by is seen here."""
    from singer_sdk.streams.core import Stream  # noqa: PLC0415

    for name in ("_sync_records", "_write_schema_message", "log", "get_replication_key_signpost"):
        assert callable(getattr(Stream, name))
    stream = TapEvents(config=config).streams["events"]
    assert stream._stream_version is None
    assert stream.state_manager.is_flushed
    assert stream.stream_maps[0].flattening_enabled is False


def test_flattening_drops_nothing(api, caplog):
    """Fields of open objects are no columns; they stay."""
    config = {"api_url": f"{api.url}/scheduling", "api_key": KEY, "requests_per_minute": 100_000}
    whole = run(TapScheduling, config)
    flat = run(TapScheduling, {**config, "flattening_enabled": True, "flattening_max_depth": 9})
    for stream, records in flat.records.items():
        names = flat.schemas[stream][0]["schema"]["properties"].keys()
        assert all(record.keys() <= names for record in records)
    switched = [(row.get("disableCancelling") or {}).get("disabled") for row in whole.records["event_types"]]
    assert [row.get("disableCancelling__disabled") for row in flat.records["event_types"]] == switched
    assert {*switched} == {None, False, True}
    answers = [row.get("bookingFieldsResponses") for row in whole.records["bookings"]]
    texts = [row.get("bookingFieldsResponses") for row in flat.records["bookings"]]
    assert [text and json.loads(text) for text in texts] == answers
    assert any(answers)
    assert "not in the mapped schema" not in caplog.text
