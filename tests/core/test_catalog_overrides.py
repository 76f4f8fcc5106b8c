"""What a catalog asks for beyond fields and streams: it is done, or refused by name."""

from __future__ import annotations

import json

import pytest

from in_process import call, entry_of, refusal, said, select, with_entry
from tap_billing.tap import TapBilling
from tap_events.tap import TapEvents
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling
from two_taps import CUSTOMERS, billing, events

GIVEN = {
    "bookmarks": {
        "customers": {"replication_key": "updated_at", "replication_key_value": "2026-01-05T00:00:00Z"}
    }
}


def read(folder, catalog, state=None):
    with billing() as api:
        output = call(TapBilling, folder, url=api.url, state=state, catalog=catalog)
    return output, api.paths


def deselect(catalog, stream, field, **more):
    for entry in entry_of(catalog, stream)["metadata"]:
        if entry["breadcrumb"] == ["properties", field]:
            entry["metadata"] = {"selected": False, **more}
    return catalog


# Nothing, or not what was meant


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_E07_G06_nothing_selected_is_an_error(tmp_path, tap):
    line = refusal(tmp_path, tap, select(tap))
    assert line.startswith("no stream is selected: there are ")
    assert all(kind.name in line for kind in tap.stream_types)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents])
def test_E07_a_catalog_of_unknown_streams_is_an_error(tmp_path, tap):
    other = TapRewards if tap is TapBilling else TapBilling
    catalog = select(other, "invoices", "orders")
    catalog["streams"] = [
        entry for entry in catalog["streams"] if entry["tap_stream_id"] in {"orders", "coupons"}
    ]
    output = call(tap, tmp_path, catalog=catalog)
    assert output.code == 1
    assert "no stream is selected" in said(output)[0]
    assert said(output, "WARNING")[0].startswith("catalog: there is no stream ")


def test_E07_some_unknown_streams_are_named(tmp_path):
    catalog = select(TapBilling, "customers")
    for name in ("guests", "visits"):
        catalog["streams"].append({**catalog["streams"][0], "tap_stream_id": name})
    output, _ = read(tmp_path, catalog)
    assert output.code == 0
    assert said(output, "WARNING") == ["catalog: there is no stream guests, visits: ignored"]
    assert len(output.records["customers"]) == len(CUSTOMERS)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("cusomers.*", "select: `cusomers.*` matches no stream; is customers meant?"),
        ("!x_*", "select: `!x_*` matches no stream: there are allocations, component_price_points"),
        ("customers.emial", "select: `customers.emial` matches no field of customers"),
    ],
)
def test_G06_a_pattern_that_matches_nothing_is_named(tmp_path, monkeypatch, pattern, words):
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(["customers.id", pattern]))
    assert refusal(tmp_path, TapBilling, select(TapBilling, "customers")).startswith(words)


def test_G06_patterns_that_match_are_no_errors(tmp_path, monkeypatch):
    patterns = ["*.*", "customers.*", "cust*.email", "!*.organization"]
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(patterns))
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT_FILTER", "not JSON")
    output, _ = read(tmp_path, select(TapBilling, "customers"))
    assert output.code == 0


def test_E07_a_parent_that_the_catalog_leaves_out_is_read_for_its_children(tmp_path):
    catalog = select(TapEvents, "attendees")
    catalog["streams"] = [entry_of(catalog, "attendees")]
    with events() as api:
        output = call(TapEvents, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 0
    assert len(output.records["attendees"]) == 3
    assert "events" not in output.records


# The method


@pytest.mark.parametrize("how", ["replication-method", "forced-replication-method", "entry"])
def test_J08_E08_full_table_reads_all(tmp_path, how):
    catalog = select(TapBilling, "customers", **({} if how == "entry" else {how: "FULL_TABLE"}))
    if how == "entry":
        with_entry(catalog, "customers", replication_method="FULL_TABLE")
    output, paths = read(tmp_path, catalog, GIVEN)
    assert output.code == 0
    assert len(output.records["customers"]) == len(CUSTOMERS)
    assert not any("start_datetime" in path for path in paths)
    assert not output.schemas["customers"][0].get("bookmark_properties")
    kept = output.state["bookmarks"]["customers"]
    assert kept["replication_key_value"] == "2026-01-05T00:00:00Z"


def test_E08_a_forced_method_holds(tmp_path):
    root = {"forced-replication-method": "FULL_TABLE", "replication-method": "INCREMENTAL"}
    output, _ = read(tmp_path, select(TapBilling, "customers", **root), GIVEN)
    assert len(output.records["customers"]) == len(CUSTOMERS)
    (line,) = said(output, "WARNING")
    assert line.endswith(
        "replication-method INCREMENTAL is ignored, as forced-replication-method is FULL_TABLE"
    )


@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapEvents, "events")])
@pytest.mark.parametrize("method", ["LOG_BASED", "SOMETIMES", "full_table"])
@pytest.mark.parametrize("name", ["replication-method", "forced-replication-method"])
def test_J08_other_methods_are_refused(tmp_path, tap, stream, method, name):
    line = refusal(tmp_path, tap, select(tap, stream, **{name: method}))
    assert line == (
        f"catalog: {stream}: replication-method {method} is not possible; FULL_TABLE and INCREMENTAL are"
    )


def test_J08_what_is_wrong_with_a_deselected_stream_does_not_matter(tmp_path):
    catalog = with_entry(select(TapBilling, "customers"), "coupons", replication_key="nope")
    assert read(tmp_path, catalog)[0].code == 0


# The replication key


@pytest.mark.parametrize("name", ["replication-key", "entry"])
def test_J08_J03_another_replication_key(tmp_path, name):
    """The API has no filter by it: rows are asked for without one, or it would leave some out."""
    catalog = select(TapBilling, "customers", **({} if name == "entry" else {name: "created_at"}))
    if name == "entry":
        with_entry(catalog, "customers", replication_key="created_at")
    first, _ = read(tmp_path, catalog)
    assert first.schemas["customers"][0]["bookmark_properties"] == ["created_at"]
    assert first.state["bookmarks"]["customers"]["replication_key_value"] == "2026-01-15T00:00:00Z"
    again, paths = read(tmp_path, catalog, first.state)
    assert [row["id"] for row in again.records["customers"]] == [5]
    assert not any("start_datetime" in path for path in paths)


def test_J08_a_replication_key_for_a_stream_without_one(tmp_path):
    catalog = select(TapBilling, "coupons", replication_key="updated_at", replication_method="INCREMENTAL")
    output, _ = read(tmp_path, catalog)
    assert output.state["bookmarks"]["coupons"]["replication_key_value"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("tap", "stream", "root", "words"),
    [
        (TapBilling, "customers", {"replication-key": "nope"}, "replication-key `nope` is no field of it"),
        (TapRewards, "orders", {"replication-key": "nope"}, "replication-key `nope` is no field of it"),
        (TapBilling, "customers", {"replication-key": "email"}, "replication-key `email` is no time and no"),
        (
            TapScheduling,
            "bookings",
            {"replication-key": "title"},
            "replication-key `title` is no time and no",
        ),
        (
            TapBilling,
            "coupons",
            {"replication-method": "INCREMENTAL"},
            "INCREMENTAL needs a `replication-key`",
        ),
        (TapEvents, "events", {"replication-method": "INCREMENTAL"}, "INCREMENTAL needs a `replication-key`"),
        (TapEvents, "attendees", {"replication-key": "id"}, "as it has a list for each of its parents"),
        (TapBilling, "customers", {"table-key-properties": ["emial"]}, "table-key-properties: `emial` is no"),
        (TapEvents, "attendees", {"table-key-properties": ["id", "x"]}, "table-key-properties: `x` is no"),
    ],
)
def test_J08_what_can_not_be_done_is_refused(tmp_path, tap, stream, root, words):
    line = refusal(tmp_path, tap, select(tap, stream, **root))
    assert line.startswith(f"catalog: {stream}: ")
    assert words in line


@pytest.mark.parametrize(
    ("tap", "stream", "key"), [(TapBilling, "customers", "updated_at"), (TapRewards, "orders", "created_at")]
)
def test_J08_a_deselected_replication_key_is_refused(tmp_path, tap, stream, key):
    line = refusal(tmp_path, tap, deselect(select(tap, stream), stream, key, inclusion="available"))
    assert line == (
        f"catalog: {stream}: replication-key `{key}` is deselected: select it, or set replication-method "
        "FULL_TABLE"
    )


@pytest.mark.parametrize(
    ("tap", "stream", "server"), [(TapBilling, "customers", billing), (TapEvents, "events", events)]
)
@pytest.mark.parametrize("inclusion", ["available", "unsupported"])
def test_E09_a_key_is_always_selected(tmp_path, tap, stream, server, inclusion):
    catalog = deselect(select(tap, stream), stream, "id", inclusion=inclusion)
    with server() as api:
        output = call(tap, tmp_path, url=api.url, catalog=catalog)
    assert output.code == 0
    assert not said(output)
    assert all(row["id"] for row in output.records[stream])
