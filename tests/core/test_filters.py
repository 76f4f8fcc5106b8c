"""`filters`: the API's own filters, set by users: what they do to requests, deletes, bookmarks, STATE."""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from in_process import call, said, select
from json_api import JsonApi, cut, numbered
from tap_billing.tap import TapBilling
from tap_core.replication import FILTERED
from tap_events.tap import TapEvents
from tap_promotions.tap import TapPromotions
from tap_rewards.streams.organization import AccountMembers
from tap_rewards.tap import TapRewards
from tap_scheduling.tap import TapScheduling

CLAIMS = {"emit_activate_version_messages": True, "receipt": True, "concurrency": 1}
VALUES = "must be a text, a number, true or false, or a list of these"

WRONG = [
    (TapEvents, {"event": {}}, "filters: `event` is no stream that can be filtered: there are events"),
    (TapEvents, {"users": {"id": 1}}, "filters: `users` is no stream that can be filtered: there are events"),
    (
        TapEvents,
        {"events": {"state": "x"}},
        "filters.events: `state` can't be set: there are status, category",
    ),
    (TapEvents, {"events": {"limit": 5}}, "filters.events: `limit` can't be set: there are status, category"),
    (TapEvents, {"events": ["live"]}, "filters.events must be an object of the API's parameters: there are "),
    (TapEvents, ["events"], "filters must be an object"),
    (TapRewards, {"orders": {"created_at[gte]": "2026"}}, "filters.orders: `created_at[gte]` can't be set: "),
    (TapScheduling, {"bookings": {"sortCreated": "desc"}}, "filters.bookings: `sortCreated` can't be set: "),
    (TapScheduling, {"bookings": {"afterStart": "2026"}}, "filters.bookings: `afterStart` can't be set: "),
    *(
        (TapScheduling, {"bookings": {"status": value}}, f"filters.bookings.status {VALUES}")
        for value in (None, {}, [], [None], [["past"]])
    ),
]


@pytest.mark.parametrize(("tap", "filters", "words"), WRONG)
def test_what_makes_no_filter_is_refused_in_a_line(tmp_path, tap, filters, words):
    output = call(tap, tmp_path, filters=filters)
    assert output.code == 1
    (line,) = said(output)
    assert line.startswith(words)


@pytest.mark.parametrize("tap", [TapBilling, TapEvents, TapPromotions, TapRewards, TapScheduling])
def test_no_stream_lets_be_set_what_it_sends_itself(tap):
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    streams = tap(config={"api_url": "http://localhost", tap.key_setting: "x"}).streams.values()
    for stream in streams:
        sent = {*stream.params, *stream.get_new_paginator().current_value}
        if stream.replication_key:
            late = [paginator.current_value for paginator in stream.late_changes(moment)]
            sent |= {
                *stream.since(moment),
                *stream.until(moment),
                *(name for query in late for name in query),
            }
        assert not sent & {*stream.filters}, stream.name
    assert any(stream.filters for stream in streams)


SENT = [
    (TapScheduling, "bookings", {"status": ["upcoming", "past"]}, {"status": ["upcoming,past"]}),
    (TapScheduling, "bookings", {"teamsIds": [3, 4]}, {"teamsIds": ["3,4"]}),
    (TapScheduling, "bookings", {"attendeeEmail": "a+b@c.example"}, {"attendeeEmail": ["a+b@c.example"]}),
    (TapBilling, "transactions", {"kinds[]": ["charge", "refund"]}, {"kinds[]": ["charge", "refund"]}),
    (TapBilling, "transactions", {"kinds[]": "charge"}, {"kinds[]": ["charge"]}),
    (
        TapBilling,
        "coupons",
        {"filter[use_site_exchange_rate]": False, "filter[ids]": [1, 2]},
        {"filter[use_site_exchange_rate]": ["false"], "filter[ids]": ["1,2"]},
    ),
    (TapBilling, "product_families", {"date_field": "created_at"}, {"date_field": ["created_at"]}),
    (TapRewards, "products", {"country": ["US", "DE"]}, {"country": ["US,DE"]}),
    (TapPromotions, "promotions", {"status": "active"}, {"status": ["active"]}),
]


@pytest.mark.parametrize(("tap", "stream", "given", "sent"), SENT)
def test_what_is_sent(tmp_path, tap, stream, given, sent):
    """With every request of the stream, beside its own parameters, and with no other's."""
    place = {TapScheduling: "data", TapRewards: stream, TapPromotions: "items"}.get(tap)
    with JsonApi(lambda *_: {place: []} if place else []) as api:
        output = call(tap, tmp_path, url=api.url, catalog=select(tap, stream), filters={stream: given})
        assert output.code == 0, output.log
        asked = [query for target in api.paths for query in [parse_qs(urlsplit(target).query)]]
        plain = call(tap, tmp_path, url=api.url, catalog=select(tap, stream))
        assert plain.code == 0
        unfiltered = [parse_qs(urlsplit(target).query) for target in api.paths[len(asked) :]]
    assert asked[0] == {**unfiltered[0], **sent}
    assert all(query.items() >= sent.items() for query in asked)


def events(path, query):
    """Three events, of which one is live, with an attendee each; the total counts all, by a hundred."""
    if path == "/v1/events":
        rows = [{"id": n, "status": "Live" if n == 2 else "Draft"} for n in (1, 2, 3)]
        rows = [row for row in rows if query.get("status", row["status"].lower()) == row["status"].lower()]
        return {
            "pagination": [{"total": 100 * len(rows) if "status" in query else 3}],
            "events": cut(rows, query),
        }
    if path == "/v1/users":
        return {"pagination": [{"total": 1}], "users": cut([{"id": 1}], query)}
    return {"attendees": cut([{"id": 10 * int(path.split("/")[-2])}], query)}


def profiles(path, query):
    rows = [{"id": n, "customer_id": n} for n in (1, 2, 3)]
    if path == "/payment_profiles.json":
        rows = [row for row in rows if query.get("customer_id", str(row["id"])) == str(row["id"])]
        return numbered([{"payment_profile": row} for row in rows], query)
    return numbered([{"coupon": {"id": 1}}], query)


DELETES = [
    (TapEvents, events, {"events": {"status": "live"}}, ["events", "attendees"], "users"),
    (TapBilling, profiles, {"payment_profiles": {"customer_id": 2}}, ["payment_profiles"], "coupons"),
]


@pytest.mark.parametrize(("tap", "handle", "filters", "filtered", "other"), DELETES)
def test_no_row_is_called_gone_that_was_not_asked_for(tmp_path, tap, handle, filters, filtered, other):
    chosen = select(tap, *filtered, other)
    with JsonApi(handle) as api:
        output = call(tap, tmp_path, url=api.url, catalog=chosen, filters=filters, **CLAIMS)
        assert output.code == 0, output.log
        after = call(tap, tmp_path, url=api.url, catalog=chosen, state=output.state, **CLAIMS)
    assert not said(output, "WARNING"), "the total may not know of the filter"
    gone = [message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"]
    assert gone == [other]
    reads = {
        row["stream"]: (row["whole"], row["reason"], row["rows"]) for row in output.records["_sdc_reads"]
    }
    assert reads == {**dict.fromkeys(filtered, (False, FILTERED.text, 1)), other: (True, None, 1)}
    lines = {f"{name}: no row is called gone: {FILTERED.text}" for name in filtered}
    assert lines <= {*said(output, "INFO")}
    whole = {message["stream"] for message in after.messages if message["type"] == "ACTIVATE_VERSION"}
    assert whole == {*filtered, other}


def test_only_the_streams_below_a_filtered_one_count_as_filtered(tmp_path):
    """The parent is not selected: its filter holds, and its children are not whole."""
    chosen = select(TapEvents, "attendees", "users")
    with JsonApi(events) as api:
        output = call(
            TapEvents,
            tmp_path,
            url=api.url,
            catalog=chosen,
            filters={"events": {"status": "live"}},
            **CLAIMS,
        )
    assert [row["id"] for row in output.records["attendees"]] == [20]
    gone = [message["stream"] for message in output.messages if message["type"] == "ACTIVATE_VERSION"]
    assert gone == ["users"]


@pytest.mark.parametrize("both", [False, True])
def test_an_answer_is_shared_only_if_it_is_filtered_alike(tmp_path, monkeypatch, both):
    monkeypatch.setattr(AccountMembers.__base__, "filters", ("role",))
    names = ("members", "account_members")
    filters = {name: {"role": "x"} for name in names[: 1 + both]}

    def handle(_, query):
        return {"members": cut([{"id": "1"}] if "role" in query else [{"id": "1"}, {"id": "2"}], query)}

    with JsonApi(handle) as api:
        chosen = select(TapRewards, *names)
        output = call(TapRewards, tmp_path, url=api.url, catalog=chosen, filters=filters, receipt=True)
        sent = len(api.paths)
    assert output.code == 0, output.log
    rows = {name: len(output.records[name]) for name in names}
    assert rows == {"members": 1, "account_members": 1 if both else 2}
    assert sent == (2 if both else 5), "a page, and the proofs that the list ends"


def test_the_values_are_personal_and_stand_nowhere(tmp_path):
    """Not in STATE, whatever became of the run, and in no line of the log."""
    mail = "ann.other@example.org"
    more = {"catalog": select(TapScheduling, "bookings"), "filters": {"bookings": {"attendeeEmail": mail}}}
    for status in (200, 400, 500):
        with JsonApi(lambda *_, status=status: (status, {"status": "success", "data": []})) as api:
            output = call(TapScheduling, tmp_path, url=api.url, **more)
        assert mail not in output.text + output.log
        assert "ann.other" not in output.text + output.log


@pytest.mark.parametrize(
    ("tap", "filters"),
    [
        (TapScheduling, {"bookings": {"attendeeName": "Ann Other"}}),
        (TapBilling, {"subscriptions": {"coupon_code": "Ann Other"}}),
    ],
)
def test_they_stand_in_no_line_of_an_address_that_is_none(tmp_path, tap, filters):
    output = call(tap, tmp_path, url="https://acme..example.com", filters=filters)
    assert "api_url makes no valid URL (https://acme..example.com" in output.log
    assert "Other" not in output.log


def test_events_that_come_under_the_name_of_their_status(tmp_path):
    def handle(path, query):
        return {"pagination": [{"total": 2}], "events_live": cut([{"id": 1}, {"id": 2}], query)}

    more = {"catalog": select(TapEvents, "events"), "filters": {"events": {"status": "live"}}}
    with JsonApi(handle) as api:
        output = call(TapEvents, tmp_path, url=api.url, **more)
    assert output.code == 0, output.log
    assert [row["id"] for row in output.records["events"]] == [1, 2]
