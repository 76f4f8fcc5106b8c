"""`account`: a column of every stream and the first part of its key, whichever way a record goes."""

from __future__ import annotations

import json

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from lists import QUICK
from support import run
from tap_billing.tap import TapBilling
from tap_core.account import ACCOUNT
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling
from two_taps import billing, events

TAPS = [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling]
TWO = [(TapBilling, billing, ("customers", "coupons")), (TapEvents, events, ("events", "attendees"))]
COLUMN = {"type": "string", "const": "acme", "description": "The account that the row is of."}


def check(output, account="acme", aside=()):
    """Every stream says whose rows come, and every row."""
    for name, (schema,) in output.schemas.items():
        fields = schema["schema"]["properties"]
        assert next(iter(fields.items())) == (ACCOUNT, {**COLUMN, "const": account}), name
        assert name in aside or schema["key_properties"][0] == ACCOUNT
        assert len(schema["key_properties"]) > 1
    for name, rows in output.records.items():
        assert {row[ACCOUNT] for row in rows} == {account}, name
        assert all(next(iter(row)) == ACCOUNT for row in rows), name
    output.check()


@pytest.mark.parametrize("tap", TAPS)
def test_no_stream_has_a_field_of_that_name(tap):
    settings = {"api_url": "http://localhost", tap.key_setting: "x"}
    for stream in tap(config=settings).streams.values():
        assert ACCOUNT not in stream.schema["properties"]
        assert ACCOUNT not in stream.primary_keys
    for stream in tap(config={**settings, "account": "acme"}).streams.values():
        assert stream.primary_keys == (ACCOUNT, *type(stream).primary_keys)


SANDBOX = {
    TapBilling: ("billing", ("customers", "invoices", "customer_metadata", "events")),
    TapEvents: ("events", ("events", "categories", "users")),
    TapPromotions: ("promotions/v2", ("promotions", "organizing_brands")),
    TapRewards: ("rewards", ("orders", "balance_transactions", "forex", "fraud_reviews")),
    TapScheduling: ("scheduling", ("bookings", "calendars", "event_types")),
}


@pytest.mark.parametrize("tap", SANDBOX)
def test_it_is_in_every_row_of_the_sandbox_and_changes_nothing_else(api, tap):
    part, streams = SANDBOX[tap]
    config = {"api_url": f"{api.url}/{part}", tap.key_setting: "sandbox-key", **QUICK, "receipt": True}
    chosen = {"catalog": select(tap, *streams)}
    plain, named = run(tap, config, **chosen), run(tap, {**config, "account": "acme"}, **chosen)
    check(named)
    assert set(named.schemas) == set(plain.schemas) == {*streams, "_sdc_reads"}
    for name in streams:
        without = [{key: row[key] for key in row if key != ACCOUNT} for row in named.records[name]]
        assert without == plain.records[name], name
    again = run(tap, {**config, "account": "acme"}, state=plain.state, **chosen)
    for name, entry in plain.state["bookmarks"].items():
        found = again.state["bookmarks"][name]
        assert found.get("replication_key_value") == entry.get("replication_key_value"), "the same data"


MAPS = {
    "an expression": {"customers": {"email": "None", "new": "str(id)"}, "attendees": {"new": "str(id)"}},
    "few fields": {
        "customers": {"__else__": None, "id": "id"},
        "attendees": {"__else__": None, "event_id": "event_id", "id": "id"},
    },
    "a name": {"customers": {"__alias__": "people"}, "attendees": {"__alias__": "people"}},
    "a key": {
        "customers": {"__key_properties__": ["account", "email"]},
        "attendees": {"__key_properties__": ["account", "refno"]},
    },
}


@pytest.mark.parametrize("maps", MAPS)
@pytest.mark.parametrize(("tap", "server", "streams"), TWO)
def test_under_stream_maps(tmp_path, tap, server, streams, maps):
    given = {name: rules for name, rules in MAPS[maps].items() if name in streams}
    with server() as api:
        chosen = {"catalog": select(tap, *streams), "stream_maps": given, "account": "acme", "receipt": True}
        output = call(tap, tmp_path, url=api.url, **chosen)
    assert output.code == 0, output.log
    assert len(output.records) == 3
    check(output)


@pytest.mark.parametrize(("tap", "server", "streams"), TWO)
def test_under_deselection_flattening_and_a_catalog_of_before(tmp_path, tap, server, streams):
    catalog = select(tap, *streams)
    for stream in catalog["streams"]:
        for item in stream["metadata"]:
            if item["breadcrumb"]:
                item["metadata"] |= {"selected": False}
    flat = {"flattening_enabled": True, "flattening_max_depth": 1}
    with server() as api:
        for more in ({}, flat):
            output = call(tap, tmp_path, url=api.url, catalog=catalog, account="acme", **more)
            assert output.code == 0, output.log
            check(output)
            assert all(len(row) < 6 for rows in output.records.values() for row in rows)


@pytest.mark.parametrize(("tap", "server", "streams"), TWO)
def test_a_catalog_made_with_another_account_or_for_none(tmp_path, tap, server, streams):
    made = tap(config={"account": "other"}, validate_config=False, setup_mapper=False)
    catalog = json.loads(made.catalog_json_text)
    for stream in catalog["streams"]:
        root = next(item["metadata"] for item in stream["metadata"] if not item["breadcrumb"])
        root["selected"] = stream["tap_stream_id"] in streams
        assert root["table-key-properties"][0] == ACCOUNT
    with server() as api:
        check(call(tap, tmp_path, url=api.url, catalog=catalog, account="acme"))
        plain = call(tap, tmp_path, url=api.url, catalog=catalog)
    for (schema,) in plain.schemas.values():
        assert ACCOUNT not in schema["schema"]["properties"]
        assert ACCOUNT not in schema["key_properties"]
    edited = json.loads(json.dumps(catalog))
    for stream in edited["streams"]:
        root = next(item["metadata"] for item in stream["metadata"] if not item["breadcrumb"])
        root["table-key-properties"] = ["id"]
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=edited, account="acme")
    assert {tuple(schema["key_properties"]) for (schema,) in output.schemas.values()} == {(ACCOUNT, "id")}


@pytest.mark.parametrize(("tap", "server", "streams"), TWO)
def test_in_batches(tmp_path, tap, server, streams):
    batches = {"encoding": {"format": "jsonl"}, "storage": {"root": (tmp_path / "b").as_uri()}}
    (tmp_path / "b").mkdir()
    with server() as api:
        chosen = {"catalog": select(tap, *streams), "batch_config": batches, "account": "acme"}
        output = call(tap, tmp_path, url=api.url, **chosen)
    check(output)
    rows = [json.loads(line) for file in (tmp_path / "b").iterdir() for line in file.read_text().splitlines()]
    assert len(rows) == 6
    assert {row[ACCOUNT] for row in rows} == {"acme"}


def test_a_field_of_that_name_that_the_vendor_adds_is_kept(tmp_path):
    """Of some records and of all, of objects inside too, and in a record that goes the careful way."""
    rows = [{"id": str(n), "account": value} for n, value in enumerate(["x", 5, {"id": 1}, None, "acme"])]
    rows += [{"id": "9"}, {"id": "10", "name": 5, "new": [1]}]
    with JsonApi(lambda _, query: {"campaigns": cut(rows, query)}) as api:
        more = {"catalog": select(TapRewards, "campaigns"), "account": "acme"}
        output = call(TapRewards, tmp_path, url=api.url, **more)
    assert output.code == 0, output.log
    check(output)
    kept = {row["id"]: (row.get("_sdc_unmapped") or {}) for row in output.records["campaigns"]}
    assert [kept[str(n)].get("account") for n in range(5)] == ["x", 5, {"id": 1}, None, "acme"]
    assert "account" in kept["3"]
    assert kept["9"] == {}
    assert "Field `account` is not in the schema; kept in _sdc_unmapped" in output.log


def test_no_row_comes_and_it_is_known_whose_they_are(tmp_path):
    with JsonApi(lambda _, query: numbered([], query)) as api:
        chosen = {"catalog": select(TapBilling, "coupons"), "emit_activate_version_messages": True}
        output = call(TapBilling, tmp_path, url=api.url, account="acme", **chosen)
    check(output)
    types = [message["type"] for message in output.messages]
    assert types == ["STATE", "SCHEMA", "ACTIVATE_VERSION", "STATE"]
    (line,) = [line for line in said(output, "INFO") if line.startswith("account: ")]
    assert "target-duckdb-exact takes rows for gone within their account" in line


WRONG = [
    ({"account": ""}, "account must not be empty"),
    ({"account": 5}, "account must be a text in quotes"),
    ({"account": " acme"}, "account must be one line of plain text"),
    ({"account": "ac\nme"}, "account must be one line of plain text"),
    ({"stream_maps": {"coupons": {"account": "'x'"}}}, "stream_maps: coupons: `account` is the column of"),
    ({"stream_maps": {"coupons": {"account": None}}}, "stream_maps: coupons: `account` is the column of"),
    (
        {"stream_maps": {"coupons": {"__key_properties__": ["id"]}}},
        "stream_maps: coupons: `__key_properties__` must hold `account`",
    ),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_what_makes_no_sense_is_refused_in_a_line(tmp_path, given, words):
    output = call(TapBilling, tmp_path, **{"account": "acme", **given})
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(words)
