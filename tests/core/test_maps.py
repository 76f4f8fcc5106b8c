"""Stream maps: what takes a stream away is a deselection, and a mistake is named in a line."""

from __future__ import annotations

import pytest

from in_process import call, said, select
from tap_billing.tap import TapBilling
from tap_core.maps import FUNCTIONS
from tap_events.tap import TapEvents
from two_taps import CUSTOMERS, billing, events

NULLS = [None, "__NULL__"]


# Streams that are taken away


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("name", ["customers", "cust*"])
def test_J04_a_stream_that_a_map_takes_away_is_not_asked_for(tmp_path, name, null):
    bookmark = {"replication_key": "updated_at", "replication_key_value": "2026-01-01"}
    given = {"bookmarks": {"customers": bookmark}}
    with billing() as api:
        catalog = select(TapBilling, "customers", "coupons")
        maps = {name: null}
        output = call(TapBilling, tmp_path, url=api.url, state=given, catalog=catalog, stream_maps=maps)
        assert not api.count("customers")
        assert output.code == 0
        assert set(output.records) == {"coupons"}
        assert output.state["bookmarks"]["customers"] == bookmark
        after = call(TapBilling, tmp_path, url=api.url, state=output.state, catalog=catalog)
    assert len(after.records["customers"]) == len(CUSTOMERS)


def test_J04_all_other_streams_taken_away(tmp_path):
    with billing() as api:
        maps = {"coupons": {}, "__else__": None}
        output = call(TapBilling, tmp_path, url=api.url, stream_maps=maps)
    assert output.code == 0
    assert set(output.schemas) == {"coupons"}
    assert api.count("customers") == 0


@pytest.mark.parametrize("null", NULLS)
def test_J04_the_children_of_a_stream_that_is_taken_away_are_read(tmp_path, null):
    with events() as api:
        catalog = select(TapEvents, "events", "attendees")
        output = call(TapEvents, tmp_path, url=api.url, catalog=catalog, stream_maps={"events": null})
    assert output.code == 0
    assert len(output.records["attendees"]) == 3
    assert "events" not in output.schemas
    assert "events" not in output.records


def test_J04_a_child_that_is_taken_away_is_not_asked_for(tmp_path):
    with events() as api:
        catalog = select(TapEvents, "events", "attendees")
        output = call(TapEvents, tmp_path, url=api.url, catalog=catalog, stream_maps={"attendees": None})
        assert not api.count("attendees")
    assert len(output.records["events"]) == 3


@pytest.mark.parametrize(
    ("tap", "stream", "maps"),
    [
        (TapBilling, "customers", {"customers": None, "coupons": None}),
        (TapBilling, "customers", {"cust*": "__NULL__"}),
        (TapEvents, "events", {"__else__": None}),
    ],
)
def test_J04_E07_a_map_that_takes_all_away_leaves_nothing_to_read(tmp_path, tap, stream, maps):
    output = call(tap, tmp_path, catalog=select(tap, stream), stream_maps=maps)
    assert output.code == 1
    assert said(output) == [f"no stream is selected: stream_maps takes away {stream}"]


def test_J04_a_copy_of_a_stream_that_is_taken_away_is_read(tmp_path):
    maps = {"customers": None, "people": {"__source__": "customers", "email": None}}
    with billing() as api:
        output = call(
            TapBilling, tmp_path, url=api.url, catalog=select(TapBilling, "customers"), stream_maps=maps
        )
    assert output.code == 0
    assert len(output.records["people"]) == len(CUSTOMERS)
    assert "customers" not in output.records


# Mistakes


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"customers": {"a": "nope("}}, "stream_maps: customers: `a` is no expression: 'nope('"),
        ({"customers": {"a": ""}}, "stream_maps: customers: `a` is no expression: ''"),
        ({"customers": {"a": "b = 1"}}, "stream_maps: customers: `a` is no expression"),
        ({"customers": {"a": "emial.lower()"}}, "stream_maps: customers: `a` uses `emial`, which is neither"),
        ({"customers": {"a": "shout(email)"}}, "stream_maps: customers: `a` uses `shout`, which is neither"),
        ({"customers": {"a": "self"}}, "stream_maps: customers: `a` uses `self`, which is neither"),
        ({"customers": {"__filter__": "self"}}, "stream_maps: customers: `__filter__` uses `self`"),
        ({"customers": {"a": 3}}, "stream_maps: customers: `a` must be an expression"),
        ({"customers": {"a": ["email"]}}, "stream_maps: customers: `a` must be an expression"),
        ({"customers": {"__filter__": "id >"}}, "stream_maps: customers: `__filter__` is no expression"),
        ({"customers": {"__filter__": None}}, "stream_maps: customers: `__filter__` must be an expression"),
        ({"customers": {"__else__": "x"}}, "stream_maps: customers: `__else__` can only be null"),
        ({"customers": {"__key_properties__": ["x"]}}, "stream_maps: Invalid key properties for 'customers'"),
        ({"customers": {"__key_properties__": 3}}, "stream_maps: customers: `__key_properties__` must be"),
        ({"customers": {"__key_properties__": "id"}}, "stream_maps: customers: `__key_properties__` must be"),
        ({"customers": {"__alias__": "("}}, "stream_maps: customers: `__alias__` must be a name"),
        ({"customers": {"__alias__": ""}}, "stream_maps: customers: `__alias__` must be a name"),
        ({"customers": {"__alias__": None}}, "stream_maps: customers: `__alias__` must be a name"),
        ({"customers": {"__alias__": 5}}, "stream_maps: customers: `__alias__` must be a name"),
        (
            {"customers": {"__alias__": "2 + 3"}},
            "stream_maps: customers: `__alias__` makes '5', which is no name",
        ),
        (
            {"customers": {"__alias__": "'' * 2"}},
            "stream_maps: customers: `__alias__` makes '', which is no name",
        ),
        ({"customers": {"id": None}}, "stream_maps: Removing key property 'id' is not permitted"),
        ({"customers": "x"}, "stream_maps: customers: must be null, or an object"),
        ({"customers": 3}, "stream_maps: customers: must be null, or an object"),
        ({"cusomers": None}, "stream_maps: cusomers: no stream of that name; is customers meant?"),
        ({"x": {"__source__": "y"}}, "stream_maps: y: no stream of that name"),
        *(({"__else__": given}, "stream_maps: `__else__` can only be null") for given in ("x", "", {})),
        ({"customers": {"__alias__": "id + 'x'"}}, "stream_maps: customers: `__alias__` uses `id`"),
        *(
            ({"c": {"__source__": source, "__alias__": alias}}, "stream_maps: c: `__alias__` is not possible")
            for source, alias in (("customers", "Other"), ("cust*", "'Other'"), ("customers", None))
        ),
        *(
            ({"customers": {"__fitler__": given}}, "stream_maps: customers: `__fitler__` has no meaning; is")
            for given in ("id > 3", None, 3)
        ),
        ({"c": {"__source__": "customers", "__x__": "id"}}, "stream_maps: c: `__x__` has no meaning"),
        ({"__other__": None}, "stream_maps: __other__: no stream of that name"),
        (3, "stream_maps must be an object"),
    ],
)
def test_D09_a_mistake_in_a_map_is_named(tmp_path, maps, words):
    output = call(TapBilling, tmp_path, catalog=select(TapBilling, "customers"), stream_maps=maps)
    assert output.code == 1
    assert not output.messages
    (line,) = said(output)
    assert line.startswith(words)


@pytest.mark.parametrize(
    ("tap", "streams", "maps", "both"),
    [
        (TapBilling, ["customers", "coupons"], {"customers": {"__alias__": "coupons"}}, None),
        (
            TapBilling,
            ["customers", "coupons"],
            {name: {"__alias__": "both"} for name in ("customers", "coupons")},
            None,
        ),
        (TapBilling, ["customers", "coupons"], {"coupons": {"__source__": "customers"}}, None),
        (TapBilling, ["customers"], {"customers": {"__source__": "customers"}}, "two maps of customers"),
        (TapBilling, ["customers"], {"customers": {"__alias__": "_sdc_reads"}}, "the receipt and customers"),
        (TapEvents, ["events", "attendees"], {"attendees": {"__alias__": "events"}}, None),
        (TapEvents, ["events", "attendees"], {"copies": {"__source__": "[ae][vt]*"}}, None),
    ],
)
def test_streams_that_would_be_written_under_one_name_are_refused(tmp_path, tap, streams, maps, both):
    with billing() if tap is TapBilling else events() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, *streams), stream_maps=maps)
    assert output.code == 1
    assert not api.paths
    (line,) = said(output)
    assert line.startswith("stream_maps: ")
    assert "would both be the stream" in line
    assert both in line if both else all(name in line for name in streams)


def test_a_name_of_a_stream_that_is_not_read_is_free(tmp_path):
    maps = {"customers": {"__alias__": "coupons"}}
    with billing() as api:
        catalog = select(TapBilling, "customers")
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code == 0
    assert len(output.records["coupons"]) == len(CUSTOMERS)


@pytest.mark.parametrize(
    ("alias", "name"),
    [("a-b", "a-b"), ("'A b'", "A b"), ("__stream_name__ + str(2)", "customers2"), ("a.b", "a.b")],
)
def test_a_name_or_what_makes_one(tmp_path, alias, name):
    with billing() as api:
        catalog, maps = select(TapBilling, "customers"), {"cust*": {"__alias__": alias}}
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code == 0, output.log
    assert len(output.records[name]) == len(CUSTOMERS)


@pytest.mark.parametrize("expression", ["json", "10 ** 5000", "[json]"])
@pytest.mark.parametrize(("tap", "stream"), [(TapBilling, "customers"), (TapEvents, "events")])
def test_a_value_that_json_does_not_have_is_named_by_its_field(tmp_path, tap, stream, expression):
    maps = {stream: {"made": expression}}
    with billing() if tap is TapBilling else events() as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), stream_maps=maps)
    assert output.code == 1
    assert f"stream_maps: {stream}: `made` makes a value that JSON does not have" in said(output)[-1]


@pytest.mark.parametrize(
    "expression", ["email + 1", "int(email)", "1 / 0", "email.nope", "first_name + last_name"]
)
def test_D09_what_fails_for_a_record_is_named_without_the_record(tmp_path, expression):
    with billing() as api:
        maps = {"customers": {"a": expression}}
        catalog = select(TapBilling, "customers", "coupons")
        output = call(TapBilling, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code == 2
    assert "stream_maps: customers: an expression fails for a record (" in said(output)[0]
    assert "@example.com" not in output.log
    assert len(output.records["coupons"]) == 1


@pytest.mark.parametrize("stream", ["events", "attendees"])
def test_D09_a_filter_that_fails_is_named(tmp_path, stream):
    with events() as api:
        maps = {stream: {"__filter__": "id + 'x' == 3"}}
        catalog = select(TapEvents, "events", "attendees")
        output = call(TapEvents, tmp_path, url=api.url, catalog=catalog, stream_maps=maps)
    assert output.code in {1, 2}
    assert f"stream_maps: {stream}: an expression fails for a record (TypeError)" in output.log
    assert said(output)


def test_D09_what_an_expression_can_use_is_what_the_sdk_gives_it(tmp_path):
    config = {"api_url": "http://127.0.0.1:9", "api_key": "k", "stream_maps": {"customers": {"a": "str(id)"}}}
    tap = TapBilling(config=config)
    assert set(tap.streams["customers"].stream_maps[0].functions) == FUNCTIONS


def test_D09_expressions_that_are_right_are_let_pass(tmp_path):
    rules = {
        "a": "md5(email) if email else None",
        "b": "record.get('x', _['id'])",
        "c": "datetime.datetime(2026, 1, 1).isoformat() + __stream_name__ + str(config['x'])",
        "email": "self.upper()",
        "created_at": None,
        "updated_at": "__NULL__",
    }
    with billing() as api:
        output = call(
            TapBilling,
            tmp_path,
            url=api.url,
            catalog=select(TapBilling, "customers"),
            stream_maps={"customers": rules},
            stream_map_config={"x": 1},
        )
    assert output.code == 0, output.log
    assert [row["email"] for row in output.records["customers"]] == [
        row["email"].upper() for row in CUSTOMERS
    ]
