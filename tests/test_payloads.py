"""Answers as vendors were recorded to send them, at their edges: none of a row is lost, and none changed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from json_api import JsonApi, cut, numbered
from support import KEY, discovered, run
from tap_billing.tap import TapBilling
from tap_core.errors import ApiError, PartlyRead
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

TAPS = [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling]


def settings(tap, url="http://localhost", **more):
    return {"api_url": url, tap.key_setting: KEY, "requests_per_minute": 100_000, "max_retries": 0, **more}


def read(tap, stream, rows, *, fails=False):
    """What a tap makes of a stream's rows."""
    catalog = discovered(tap)
    parents = {"events", "promotions"} if stream not in {"events", "promotions"} else set()
    for entry in catalog["streams"]:
        root = next(item for item in entry["metadata"] if not item["breadcrumb"])
        root["metadata"]["selected"] = entry["tap_stream_id"] == stream
    with JsonApi(lambda path, query: _answer(stream, rows, path, query, parents)) as api:
        if fails:
            with pytest.raises(PartlyRead):
                run(tap, settings(tap, api.url), catalog=catalog)
        output = run(tap, settings(tap, api.url, allow_partial=fails), catalog=catalog)
    output.check()
    return output


def _answer(stream, rows, path, query, parents):
    """The rows in every envelope that an API has."""
    last = path.rpartition("/")[2]
    if last in parents:
        return {last: [{"id": 1}], "items": [{"id": 1}]}
    if path.endswith(".json"):
        wrapper = stream.removesuffix("s")
        page = numbered(rows, query)
        return {"invoices": page} if stream == "invoices" else [{wrapper: row} for row in page]
    name = {"account_members": "members", "balance_transactions": "transactions"}.get(stream, stream)
    start = {"start": "skip", "size": "take"} if "skip" in query else {}
    page = cut(rows, query, default=10**6, **start)
    return {name: page, "items": page, "data": page}


def only(output, stream):
    (row,) = output.records[stream]
    return row


@pytest.mark.parametrize(
    ("tap", "stream"), [(TapBilling, "customers"), (TapRewards, "orders"), (TapEvents, "attendees")]
)
@pytest.mark.parametrize("bad", [{}, {"id": ""}, {"id": None}])
def test_I01_I05_a_row_without_its_key_costs_itself(tap, stream, bad):
    rows = [{"id": number} for number in range(1, 9)]
    rows[4] = bad
    output = read(tap, stream, rows, fails=True)
    assert len(output.records[stream]) == 7


@pytest.mark.parametrize(("tap", "stream"), [(TapScheduling, "my_profile"), (TapScheduling, "schedules")])
@pytest.mark.parametrize("bad", [[], {}, ["x"], {"x": 1}])
def test_D05_a_lone_record_whose_id_is_no_id(tap, stream, bad):
    catalog = discovered(tap)
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == stream]
    body = {"status": "success", "data": {"id": bad}}
    with JsonApi(lambda path, query: body) as api, pytest.raises(ApiError, match=stream):
        run(tap, settings(tap, api.url, backoff_factor=0), catalog=catalog)


@pytest.mark.parametrize(
    ("tap", "stream", "field"), [(TapBilling, "coupons", "amount"), (TapRewards, "invoices", "amount")]
)
@pytest.mark.parametrize("text", ["1_000", " 3 ", "+5", ".5", "٣", "0x10", "1,5"])
def test_I02_a_number_as_text_has_one_rule(tap, stream, field, text):
    for beside in ({}, {"a_new_field": 1}, {field + "_note": "NaN"}):
        row = only(read(tap, stream, [{"id": 1, field: text, **beside}]), stream)
        assert field not in row
        assert row["_sdc_unmapped"] == {field: text, **beside}


ANSWERS = {
    "name": {"firstName": "A", "lastName": "B"},
    "email": ["a@example.com"],
    "location": "somewhere",
    "guests": "none",
    "size": {"t-shirt": {"value": 7}},
    "_sdc_unmapped": 1,
    "": None,
}


def test_I03_answers_to_forms_are_never_taken_apart():
    booking = {
        "id": 1,
        "bookingFieldsResponses": ANSWERS,
        "attendees": [{"name": "A", "bookingFieldsResponses": ANSWERS}],
        "responses": ANSWERS,
    }
    row = only(read(TapScheduling, "bookings", [booking]), "bookings")
    assert row.pop("_sdc_unmapped") == {"responses": ANSWERS}
    assert row == {name: booking[name] for name in ("id", "bookingFieldsResponses", "attendees")}
    schema = TapScheduling(config=settings(TapScheduling)).streams["bookings"].schema["properties"]
    assert "properties" not in schema["bookingFieldsResponses"]
    attendee = schema["attendees"]["items"]["properties"]
    assert attendee["bookingFieldsResponses"] == {"type": ["object", "null"]}


@pytest.mark.parametrize(
    ("tap", "stream", "row", "unmapped"),
    [
        (TapEvents, "attendees", {"questions": [{"answer": "M"}, None, "text"]}, "questions"),
        (TapScheduling, "bookings", {"hosts": [{"name": "M"}, 7, "x"]}, "hosts"),
        (TapRewards, "orders", {"rewards": [{"id": "R1"}, None, "text"]}, "rewards"),
    ],
)
def test_I06_an_element_that_does_not_fit_costs_the_element(tap, stream, row, unmapped):
    good, *bad = row[unmapped]
    found = only(read(tap, stream, [{"id": 1, **row}]), stream)
    assert found[unmapped] == [good]
    assert found["_sdc_unmapped"] == {
        f"{unmapped}.{place}": value for place, value in enumerate(bad, start=1)
    }


@pytest.mark.parametrize(
    ("tap", "stream", "field"), [(TapBilling, "subscriptions", "customer"), (TapRewards, "orders", "payment")]
)
def test_I07_names_of_what_does_not_fit_can_not_collide(tap, stream, field):
    found = only(read(tap, stream, [{"id": 1, field: {"tier": 1}, f"{field}.tier": 2}]), stream)
    assert sorted(found["_sdc_unmapped"].values()) == [1, 2]


@pytest.mark.parametrize(
    ("tap", "stream", "row"),
    [
        (TapBilling, "subscriptions", {"id": 1, "product": {"return_url": ""}}),
        (TapBilling, "subscriptions", {"id": 1, "product": {"return_url": None}}),
        (TapRewards, "members", {"id": "M", "events": [{"type": "created", "date_utc": None}]}),
        (TapRewards, "account_members", {"id": "M", "events": [{"date_utc": "2021-03-01T10:00:00Z"}]}),
        (TapRewards, "rewards", {"id": "R", "products": ["A", "B"]}),
        (TapRewards, "orders", {"id": "O", "rewards": [{"id": "R", "products": ["A"]}]}),
    ],
)
def test_I08_fields_that_few_answers_have_are_columns(tap, stream, row):
    assert only(read(tap, stream, [row]), stream) == row


@pytest.mark.parametrize("calendar", [{}, *({"credentialId": value} for value in (None, "", [], 9))])
def test_I05_I08_a_calendar_has_the_credential_of_its_account(calendar):
    account = {"credentialId": 9, "calendars": [{"externalId": "a"}, {"externalId": "b", **calendar}]}
    rows = {"connectedCalendars": [account, {"credentialId": 10, "error": {"message": "x"}}]}
    with JsonApi(lambda path, query: {"status": "success", "data": rows}) as api:
        catalog = discovered(TapScheduling)
        catalog["streams"] = [entry for entry in catalog["streams"] if entry["stream"] == "calendars"]
        output = run(TapScheduling, settings(TapScheduling, api.url), catalog=catalog)
    assert output.rows("calendars").keys() == {(9, "a"), (9, "b")}


@pytest.mark.parametrize("sent", ['"12.50"', "12.50", '"12.500000000000000001"'])
def test_I09_the_percentage_of_a_coupon_is_a_number(sent):
    row = {"id": 1, "percentage": sent.strip('"') if sent[0] == '"' else float(sent)}
    found = only(read(TapBilling, "coupons", [row]), "coupons")
    assert found == {"id": 1, "percentage": Decimal(sent.strip('"'))}
    assert isinstance(found["percentage"], Decimal)


def _fields(schema, path=()):
    for name, field in schema.get("properties", {}).items():
        yield (*path, name), field
        yield from _fields(field, (*path, name))
        yield from _fields(field.get("items") or {}, (*path, name))


@pytest.mark.parametrize("tap", TAPS)
def test_I10_every_field_but_a_key_may_be_null(tap):
    for stream in tap(config=settings(tap)).streams.values():
        keys = {(name,) for name in stream.primary_keys}
        fields = {path: field["type"] for path, field in _fields(stream.schema)}
        strict = {path for path, types in fields.items() if "null" not in types}
        assert strict == keys, stream.name


@pytest.mark.parametrize("tap", [TapEvents, TapPromotions, TapRewards, TapScheduling])
def test_every_column_says_what_it_means(tap):
    for stream in tap(config=settings(tap)).streams.values():
        silent = [name for name, field in stream.schema["properties"].items() if not field.get("description")]
        assert not silent, stream.name


@pytest.mark.parametrize("tap", [TapRewards, TapScheduling])
def test_I10_a_row_of_nulls_is_taken(tap):
    stream = {TapRewards: "orders", TapScheduling: "bookings"}[tap]
    schema = tap(config=settings(tap)).streams[stream].schema
    row = {**dict.fromkeys(schema["properties"]), "id": 1}
    del row["_sdc_unmapped"]
    found = only(read(tap, stream, [row]), stream)
    assert {**found, "id": 1} == row


DAY, MOMENT = "2026-05-04", "2026-05-04T10:20:30.500+02:00"
MOMENTS = [
    (TapRewards, "organizations", "created_at"),
    (TapRewards, "members", "created_at"),
    (TapRewards, "account_members", "last_login_at"),
    (TapRewards, "invoices", "paid_at"),
    (TapBilling, "coupons", "start_date"),
    (TapBilling, "coupons", "end_date"),
]


@pytest.mark.parametrize(("tap", "stream", "field"), MOMENTS)
def test_I11_a_day_where_a_moment_is_asked_for_is_its_beginning(tap, stream, field):
    rows = [{"id": number, field: value} for number, value in enumerate([DAY, MOMENT, None], start=1)]
    found = read(tap, stream, rows).records[stream]
    assert [row[field] for row in found] == [f"{DAY}T00:00:00Z", MOMENT, None]
    assert not any("_sdc_unmapped" in row for row in found)
    wrong = only(read(tap, stream, [{"id": 1, field: "2026-02-30"}]), stream)
    assert wrong["_sdc_unmapped"] == {field: "2026-02-30"}


@pytest.mark.parametrize("value", [DAY, MOMENT, None])
def test_I11_a_day_or_a_moment_stays_as_it_was_sent(value):
    reward = {"id": "R", "deliver_at": value}
    assert only(read(TapRewards, "rewards", [reward]), "rewards") == reward
    order = {"id": "O", "rewards": [reward]}
    assert only(read(TapRewards, "orders", [order]), "orders") == order
    invoice = {"uid": "inv_1", "issue_date": value}
    assert only(read(TapBilling, "invoices", [invoice]), "invoices") == invoice


@pytest.mark.parametrize(
    ("tap", "stream"), [(TapRewards, "campaigns"), (TapEvents, "users"), (TapBilling, "customers")]
)
@pytest.mark.parametrize("bad", [None, "text", 7])
def test_E10_what_is_no_record_is_named(tap, stream, bad, caplog):
    output = read(tap, stream, [{"id": 1}, bad, {"id": 2}], fails=True)
    assert len(output.records[stream]) == 2
    assert f"{stream}: the API sent a record that is no object" in caplog.text
